//! Where requests come from, if not from the exchange and the queue that guirpc declares by itself.

use super::{LONGEST_NAME, Setup, check_name};
use crate::broker::Exchange;
use crate::config::{Config, ExchangeType};
use crate::error::{Error, ErrorKind};
use crate::message::Dialect;
use crate::server::plan::LaneService;

/// Where requests come from.
impl Setup {
    /// Declares exchange and queue as this dialect has them; requests are answered in either.
    ///
    /// In the dialect of the Python original nothing outlives a restart of the broker,
    /// and the exchange is `rpc_gateway` unless [`exchange`](Setup::exchange) says otherwise.
    ///
    /// ```no_run
    /// # use guirpc::{Dialect, Setup};
    /// let setup = Setup::new(["math"]).dialect(Dialect::Python).queue("my_queue").routing_key("my_queue");
    /// ```
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.config.dialect = dialect;
        self
    }

    /// Takes requests that go through this exchange; the default is `guirpc`.
    ///
    /// Callers must name it too.
    pub fn exchange(mut self, exchange: impl Into<String>) -> Self {
        self.config.exchange = Some(exchange.into());
        self
    }

    /// How the exchange chooses queues; the default is by the routing key.
    pub fn exchange_type(mut self, exchange_type: ExchangeType) -> Self {
        self.config.exchange_type = exchange_type;
        self
    }

    /// Takes requests off this queue, not off the one that is named for the service; for a single service only.
    ///
    /// Both stay bound to the service if both exist, and each then gets every request: delete the one that is not used.
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.config.queue = Some(queue.into());
        self
    }

    /// Takes requests with this routing key, not with the service's name as theirs; for a single service only.
    ///
    /// For an exchange of the type topic it is a pattern.
    pub fn routing_key(mut self, routing_key: impl Into<String>) -> Self {
        self.config.routing_key = Some(routing_key.into());
        self
    }

    /// Whether exchange and queue outlive a restart of the broker, whatever the dialect has.
    ///
    /// Whoever has declared them differently before keeps the server from starting.
    pub fn durable(mut self, durable: bool) -> Self {
        self.config.durable = Some(durable);
        self
    }
}

pub(super) fn exchange(config: &Config) -> Result<Exchange, Error> {
    let exchange = Exchange::configured(config);
    check_name("exchange", &exchange.name)?;
    Ok(exchange)
}

/// Gives the only service the queue and the routing key that the setup names.
pub(super) fn rename(
    mut services: Vec<LaneService>,
    config: &Config,
    lane: Option<&str>,
) -> Result<Vec<LaneService>, Error> {
    let (mut queue, mut routing_key) = (config.queue.clone(), config.routing_key.clone());
    if let Some(lane) = lane {
        // Callers of a lane name the service's, and a key of the setup's choice may be anything.
        queue = queue.map(|queue| format!("{queue}.{lane}"));
        routing_key = routing_key.map(|routing_key| format!("{routing_key}.{lane}"));
    }
    let invalid = |message| Err(Error::new(ErrorKind::Configuration, message));
    match (services.as_mut_slice(), queue, routing_key) {
        ([], _, _) => Err(Error::new(ErrorKind::Setup, "no service is named, so there is nothing to serve")),
        (_, None, None) => Ok(services),
        ([only], queue, routing_key) => {
            if let Some(queue) = queue {
                check_name("queue", &queue)?;
                only.queue = queue;
            }
            if let Some(routing_key) = routing_key {
                if routing_key.len() > LONGEST_NAME {
                    let length = routing_key.len();
                    return invalid(format!("a routing key has at most {LONGEST_NAME} bytes, not {length}"));
                }
                only.routing_key = routing_key;
            }
            Ok(services)
        }
        (several, Some(queue), _) => invalid(format!(
            "{} services cannot share the one queue `{queue}`; leave `queue` out, or serve one",
            several.len()
        )),
        (several, None, Some(routing_key)) => invalid(format!(
            "{} services cannot share the one routing key `{routing_key}`; leave `routing_key` out, or serve one",
            several.len()
        )),
    }
}
