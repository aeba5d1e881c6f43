//! The exchange and the queues; guirpc's own are final from the first version: an argument that is added later is an error 406.

use amiquip::{ExchangeDeclareOptions, FieldTable, QueueDeclareOptions};

use super::Channel;
use super::connection::explain;
use crate::config::ExchangeType;
use crate::error::{Error, ErrorKind};

/// The exchange that requests go through unless somebody says otherwise: direct, durable.
pub(crate) const EXCHANGE: &str = "guirpc";
/// What the Python original calls its exchange unless somebody says otherwise.
pub(crate) const PYTHON_EXCHANGE: &str = "rpc_gateway";

/// An exchange that requests go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) name: String,
    pub(crate) kind: ExchangeType,
    pub(crate) durable: bool,
}

impl Default for Exchange {
    fn default() -> Self {
        Exchange { name: EXCHANGE.to_owned(), kind: ExchangeType::Direct, durable: true }
    }
}

impl Exchange {
    fn kind(&self) -> amiquip::ExchangeType {
        match self.kind {
            ExchangeType::Direct => amiquip::ExchangeType::Direct,
            ExchangeType::Fanout => amiquip::ExchangeType::Fanout,
            ExchangeType::Topic => amiquip::ExchangeType::Topic,
        }
    }

    fn wanted(&self) -> String {
        let kind = match self.kind {
            ExchangeType::Direct => "direct",
            ExchangeType::Fanout => "fanout",
            ExchangeType::Topic => "topic",
        };
        format!("{kind} and {}durable", if self.durable { "" } else { "not " })
    }
}

/// How long a service's queue is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Until somebody deletes it: what is sent while nobody serves waits in it.
    Durable,
    /// Until the broker is restarted, or somebody deletes it.
    Transient,
    /// As long as the connection that declares it, which alone may consume from it.
    Connection,
}

impl Lifetime {
    fn options(self) -> QueueDeclareOptions {
        let (durable, exclusive) = (self == Lifetime::Durable, self == Lifetime::Connection);
        QueueDeclareOptions { durable, exclusive, ..QueueDeclareOptions::default() }
    }

    fn wanted(self) -> &'static str {
        match self {
            Lifetime::Durable => "durable, not exclusive, not auto-delete, without arguments",
            Lifetime::Transient => "not durable, not exclusive, not auto-delete, without arguments",
            Lifetime::Connection => "exclusive",
        }
    }
}

impl Channel {
    /// Declares the exchange, the queue (classic, no arguments) and the binding between them.
    pub(crate) fn declare_service(
        &self,
        exchange: &Exchange,
        routing_key: &str,
        queue: &str,
        lifetime: Lifetime,
    ) -> Result<(), Error> {
        self.declare_exchange(exchange)?;
        self.0
            .queue_declare(queue, lifetime.options())
            .map_err(|error| differs(&error, &format!("queue `{queue}`"), lifetime.wanted()))?;
        self.0.queue_bind(queue, &exchange.name, routing_key, FieldTable::new()).map_err(|error| explain(&error))
    }

    /// Callers declare the usual one as well, so that a call before the first server is unroutable, not an error.
    pub(crate) fn declare_exchange(&self, exchange: &Exchange) -> Result<(), Error> {
        let options = ExchangeDeclareOptions { durable: exchange.durable, ..ExchangeDeclareOptions::default() };
        self.0
            .exchange_declare(exchange.kind(), &exchange.name, options)
            .map(|_| ())
            .map_err(|error| differs(&error, &format!("exchange `{}`", exchange.name), &exchange.wanted()))
    }
}

fn differs(error: &amiquip::Error, what: &str, wanted: &str) -> Error {
    let explained = explain(error);
    if explained.kind() != ErrorKind::Topology {
        return explained;
    }
    Error::new(
        ErrorKind::Topology,
        format!(
            "{what} exists already and is declared differently (guirpc wants it {wanted}): {explained}; \
             delete it when it is empty, or serve in another virtual host"
        ),
    )
}
