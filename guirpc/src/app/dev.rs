//! `dev`: the service and a broker in memory in one process, and a call to try it with.

use std::io;

use serde_json::Value;

use super::output::{Output, printable};
use super::{Failure, serve};
use crate::client::Client;
use crate::embedded::Broker;
use crate::exit::Exit;
use crate::registry::{Registration, linked};
use crate::server::Setup;

mod example;

use example::Example;

/// Tried first, so that the address is the same from one run to the next; it stands beside RabbitMQ's 5672.
const USUAL_PORT: u16 = 5673;

/// A call that is made as soon as there is somebody to answer.
#[derive(Debug)]
pub(super) struct Call {
    service: String,
    function: String,
    arguments: Value,
}

impl Call {
    /// Reads a function's name and its arguments, which are none if they are left out; nothing is no call.
    pub(super) fn parse(words: &[String], services: &[String]) -> Result<Option<Self>, Failure> {
        let Some((function, arguments)) = words.split_first() else { return Ok(None) };
        let arguments = arguments.first().map_or("{}", String::as_str);
        let arguments = serde_json::from_str(arguments).map_err(|error| Failure {
            exit: Exit::Usage,
            message: format!(
                r#"the arguments `{arguments}` are not JSON: {error}; write an object by parameter name, as '{{"a": 1}}', or an array in order, as '[1]'"#
            ),
        })?;
        let has_it = |service: &&String| linked().any(|it| it.service == **service && it.name == function);
        let service = services.iter().find(has_it).or(services.first()).cloned().unwrap_or_default();
        Ok(Some(Call { service, function: function.clone(), arguments }))
    }

    /// Calls, and says what came of it.
    fn make(self, uri: &str) -> String {
        let Call { service, function, arguments } = self;
        let shown = arguments.to_string();
        let output = Client::connect(uri)
            .map_err(|error| error.to_string())
            .and_then(|client| client.call_json(&service, &function, arguments).map_err(|error| error.to_string()));
        let said = output.map_or_else(|error| format!("error: {error}"), |output| output.to_string());
        format!("{function} {shown}\n\n  {said}\n\n")
    }
}

/// Serves on a broker of its own until a signal comes, whatever broker the setup names.
pub(super) fn run(setup: Setup, services: &[String], port: Option<u16>, call: Option<Call>) -> Result<Exit, Failure> {
    let broker = broker(port)?;
    let uri = broker.uri();
    serve(setup.uri(&uri), || {
        show(&introduction(&uri, services));
        if let Some(call) = call {
            show(&printable(&call.make(&uri)));
        }
        show("Ctrl-C ends it.\n");
    })
}

/// Whoever does not read it is served all the same.
fn show(text: &str) {
    Output::new(io::stdout()).write(text.as_bytes());
}

fn broker(port: Option<u16>) -> Result<Broker, Failure> {
    match port {
        None => Ok(Broker::start_on(USUAL_PORT).or_else(|_| Broker::start())?),
        Some(port) => Broker::start_on(port).map_err(|error| {
            let Failure { exit, message } = Failure::from(error);
            Failure {
                exit,
                message: format!("{message}; choose another with `--port`, or leave it out for a free one"),
            }
        }),
    }
}

/// What there is, and a call to try it with.
fn introduction(uri: &str, services: &[String]) -> String {
    let is_served = |function: &&Registration| services.iter().any(|service| service == function.service);
    let call = Example::of(uri, linked().filter(is_served)).map_or_else(String::new, |Example { line, unknown }| {
        let with = unknown.map_or_else(String::new, |ty| format!(", with a `{ty}` in the place of null"));
        format!("Call it from a second terminal{with}:\n\n  {line}\n\n")
    });
    let services = services.join(", ");
    format!(
        "Serving {services} on a broker in memory, for development: messages are gone when this process ends.\n\
         \n  {uri}\n\n{call}"
    )
}
