//! The exchange and the queues as the settings of a server have them.

use super::{Exchange, Lifetime, PYTHON_EXCHANGE, QueueKind};
use crate::config::{Config, QueueType};
use crate::error::{Error, ErrorKind};
use crate::message::Dialect;

fn is_durable(config: &Config) -> bool {
    config.durable.unwrap_or(config.dialect == Dialect::Native)
}

impl Exchange {
    pub(crate) fn configured(config: &Config) -> Self {
        let name = match (&config.exchange, config.dialect) {
            (Some(exchange), _) => exchange.clone(),
            (None, Dialect::Python) => PYTHON_EXCHANGE.to_owned(),
            (None, Dialect::Native) => Exchange::default().name,
        };
        Exchange { name, kind: config.exchange_type, durable: is_durable(config) }
    }
}

impl QueueKind {
    /// A service's queue.
    ///
    /// # Errors
    /// Settings that do not go together.
    pub(crate) fn configured(config: &Config) -> Result<Self, Error> {
        if config.single_active_consumer && config.queue_type == QueueType::Classic {
            return Err(invalid(
                "`single_active_consumer` needs `queue_type = \"quorum\"`: RabbitMQ up to 3.10 can lose a classic \
                 queue with all its messages when the server that is active stops",
            ));
        }
        let lifetime = if is_durable(config) { Lifetime::Durable } else { Lifetime::Transient };
        QueueKind::living(lifetime, config)
    }

    /// The queue of a service that is served apart from others: it is there as long as its connection, on whose node it is.
    ///
    /// # Errors
    /// Settings that do not go together.
    pub(crate) fn apart(config: &Config) -> Result<Self, Error> {
        let kind = QueueKind::living(Lifetime::Connection, config)?;
        Ok(QueueKind { queue_type: QueueType::Classic, ..kind })
    }

    fn living(lifetime: Lifetime, config: &Config) -> Result<Self, Error> {
        let Config { queue_type, max_priority, single_active_consumer, .. } = *config;
        if queue_type == QueueType::Quorum && max_priority.is_some() {
            return Err(invalid("a quorum queue knows no priorities: leave out `max_priority`, or `queue_type`"));
        }
        if queue_type == QueueType::Quorum && lifetime == Lifetime::Transient {
            return Err(invalid("a quorum queue is durable: leave out `durable = false`, or `queue_type`"));
        }
        Ok(QueueKind { lifetime, queue_type, max_priority, single_active_consumer })
    }
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Configuration, message)
}
