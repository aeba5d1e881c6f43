//! The exchange and the queues, final from the first version: an argument that is added later is an error 406.

use amiquip::{ExchangeDeclareOptions, ExchangeType, FieldTable, QueueDeclareOptions};

use super::Channel;
use super::connection::explain;
use crate::error::{Error, ErrorKind};

/// The exchange that all requests go through: direct, durable.
pub(crate) const EXCHANGE: &str = "guirpc";

/// How long a service's queue is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Until somebody deletes it: what is sent while nobody serves waits in it.
    Durable,
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
            Lifetime::Connection => "exclusive",
        }
    }
}

impl Channel {
    /// Declares the exchange, the service's queue (classic, no arguments) and the binding between them.
    pub(crate) fn declare_service(&self, service: &str, queue: &str, lifetime: Lifetime) -> Result<(), Error> {
        self.declare_exchange()?;
        self.0
            .queue_declare(queue, lifetime.options())
            .map_err(|error| differs(&error, &format!("queue `{queue}`"), lifetime.wanted()))?;
        self.0.queue_bind(queue, EXCHANGE, service, FieldTable::new()).map_err(|error| explain(&error))
    }

    /// Callers declare it as well, so that a call before the first server is unroutable, not an error.
    pub(crate) fn declare_exchange(&self) -> Result<(), Error> {
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        self.0
            .exchange_declare(ExchangeType::Direct, EXCHANGE, options)
            .map(|_| ())
            .map_err(|error| differs(&error, &format!("exchange `{EXCHANGE}`"), "direct and durable"))
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
