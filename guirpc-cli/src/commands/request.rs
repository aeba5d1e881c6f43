//! A request as it is asked for: by flags, by a file of settings, and by the environment.

use std::io;

use guirpc::{Client, ClientConfig};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::args::{Broker, Dialect, Request, Route, Serializer};
use crate::failure::Failure;

impl Broker {
    /// The settings: flags over the environment's over the file's.
    pub(super) fn settings(&self) -> Result<ClientConfig, Failure> {
        let settings = match &self.config {
            Some(file) => ClientConfig::from_file(file)?,
            None => ClientConfig::from_env()?,
        };
        Ok(self.uri.iter().fold(settings, ClientConfig::uri))
    }

    pub(super) fn connect(&self) -> Result<Client, Failure> {
        self.connect_with(&self.settings()?)
    }

    fn connect_with(&self, settings: &ClientConfig) -> Result<Client, Failure> {
        let mut client = Client::configured(settings)?;
        if settings.app_id().is_none() {
            client = client.with_app_id("guirpc-cli");
        }
        Ok(self.timeout.iter().fold(client, |client, timeout| client.with_timeout((*timeout).into())))
    }
}

/// A request, and the settings that it goes by.
pub(super) struct Prepared<'a> {
    request: &'a Request,
    settings: ClientConfig,
    dialect: Dialect,
}

impl Request {
    pub(super) fn prepare(&self) -> Result<Prepared<'_>, Failure> {
        let settings = self.broker.settings()?;
        let set = settings.dialect().map(|dialect| match dialect {
            guirpc::Dialect::Python => Dialect::Python,
            _ => Dialect::Native,
        });
        let dialect = self.route.dialect.or(set).unwrap_or_default();
        Ok(Prepared { request: self, settings, dialect })
    }
}

impl Prepared<'_> {
    /// The same, for calls that travel together.
    pub(super) fn coalescing(self) -> Result<Self, Failure> {
        match self.dialect {
            Dialect::Native => Ok(Prepared { settings: self.settings.coalescing(true), ..self }),
            Dialect::Python => {
                Err(Failure::usage("`--coalesce` belongs to `--dialect native`: consumers in Python take single calls"))
            }
        }
    }

    /// Whether calls travel together.
    pub(super) fn is_coalescing(&self) -> bool {
        self.dialect == Dialect::Native && self.settings.is_coalescing() == Some(true)
    }

    /// The client, with the route that was asked for.
    pub(super) fn connect(&self) -> Result<Client, Failure> {
        let Route { serializer, exchange, routing_key, .. } = &self.request.route;
        let mut client = self.request.broker.connect_with(&self.settings)?;
        client = match self.dialect {
            Dialect::Native => client.with_dialect(guirpc::Dialect::Native),
            Dialect::Python => {
                client.with_dialect(guirpc::Dialect::Python).with_python(serializer.unwrap_or_default().options())
            }
        };
        if let Some(exchange) = exchange {
            client = client.with_exchange(exchange);
        }
        if let Some(routing_key) = routing_key {
            client = client.with_routing_key(routing_key);
        }
        if let Some(lane) = &self.request.lane {
            client = client.with_lane(lane);
        }
        if let Some(priority) = self.request.priority {
            client = client.with_priority(priority);
        }
        let headers = &self.request.headers;
        Ok(headers.iter().fold(client, |client, (name, value)| client.with_header(name, value.as_str())))
    }

    /// Checked before connecting, so that a mistyped bracket costs no time and needs no broker.
    pub(super) fn arguments(&self) -> Result<String, Failure> {
        let is_text = self.takes_text()?;
        let text = match self.request.arguments.as_deref() {
            Some("-") => io::read_to_string(io::stdin())
                .map_err(|error| Failure::other(format!("cannot read the standard input: {error}")))?,
            Some(text) => text.to_owned(),
            None if is_text => String::new(),
            None => "{}".to_owned(),
        };
        match self.dialect {
            Dialect::Python if is_text => Ok(Value::String(text).to_string()),
            Dialect::Python => from_json(&text, "write what the function takes, a text as '\"text\"'"),
            Dialect::Native => parse(&text),
        }
    }

    /// Whether the function takes a text, and gives one.
    pub(super) fn takes_text(&self) -> Result<bool, Failure> {
        match (self.dialect, self.request.route.serializer) {
            (Dialect::Native, Some(_)) => Err(Failure::usage("`--serializer` belongs to `--dialect python`")),
            (Dialect::Python, _) if self.request.lane.is_some() => {
                Err(Failure::usage("`--lane` belongs to `--dialect native`: consumers in Python have none"))
            }
            (_, serializer) => Ok(serializer == Some(Serializer::Text)),
        }
    }
}

fn parse(text: &str) -> Result<String, Failure> {
    let example = r#"write an object by parameter name, as '{"a": 1}', or an array in order, as '[1]'"#;
    let json = from_json(text, example)?;
    if json.starts_with(['{', '[']) {
        return Ok(json);
    }
    Err(Failure::usage(format!("the arguments cannot be `{json}`; {example}")))
}

/// The text, if it is JSON: it is sent as it stands.
pub(super) fn from_json(text: &str, example: &str) -> Result<String, Failure> {
    serde_json::from_str::<&RawValue>(text)
        .map(|json| json.get().to_owned())
        .map_err(|error| Failure::usage(format!("the arguments are not JSON: {error}; {example}")))
}
