//! The exchange and the queues; the usual ones are final from the first version: an argument that is added later is an
//! error 406.

use amiquip::{AmqpValue, ExchangeDeclareOptions, FieldTable, QueueDeclareOptions};

use super::connection::explain;
use super::{Channel, Connection};
use crate::config::{ExchangeType, QueueType};
use crate::error::{Error, ErrorKind};

mod configured;
mod keeper;

pub(crate) use keeper::{Binding, TopologyKeeper};

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
    /// Until it is deleted: what is sent while no server runs waits in it.
    Durable,
    /// Until the broker is restarted, or it is deleted.
    Transient,
    /// As long as the connection that declares it, which alone may consume from it.
    Connection,
}

/// How a queue is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueKind {
    pub(crate) lifetime: Lifetime,
    pub(crate) queue_type: QueueType,
    pub(crate) max_priority: Option<u8>,
    pub(crate) single_active_consumer: bool,
}

/// How often a quorum queue delivers a message before it drops it: RabbitMQ's own count, from 4.0 at 20, also rises for
/// what was fetched ahead and never begun. guirpc counts by itself.
const DELIVERY_LIMIT: i32 = 1_000_000;

impl QueueKind {
    /// One beside this one, for what is taken off it and not run at once.
    pub(crate) fn beside(self, lifetime: Lifetime) -> Self {
        QueueKind { lifetime, single_active_consumer: false, ..self }
    }

    /// The queue of the dead letters of whatever is taken off this one.
    pub(crate) fn of_dead_letters(self) -> Self {
        QueueKind { max_priority: None, ..self.beside(Lifetime::Durable) }
    }

    fn options(self) -> QueueDeclareOptions {
        let (durable, exclusive) = (self.lifetime == Lifetime::Durable, self.lifetime == Lifetime::Connection);
        QueueDeclareOptions { durable, exclusive, arguments: self.arguments(), ..QueueDeclareOptions::default() }
    }

    fn arguments(self) -> FieldTable {
        let mut arguments = FieldTable::new();
        let mut set = |name: &str, value| drop(arguments.insert(name.to_owned(), value));
        // Always said: a virtual host may have another type by default, from RabbitMQ 4.0 on. RabbitMQ takes a queue that
        // was declared without a type for a classic one.
        let queue_type = match self.queue_type {
            QueueType::Classic => "classic",
            QueueType::Quorum => "quorum",
        };
        set("x-queue-type", AmqpValue::LongString(queue_type.to_owned()));
        if self.queue_type == QueueType::Quorum {
            set("x-delivery-limit", AmqpValue::LongInt(DELIVERY_LIMIT));
        }
        if let Some(max_priority) = self.max_priority {
            set("x-max-priority", AmqpValue::LongInt(max_priority.into()));
        }
        if self.single_active_consumer {
            set("x-single-active-consumer", AmqpValue::Boolean(true));
        }
        arguments
    }

    fn wanted(self) -> String {
        let lifetime = match self.lifetime {
            Lifetime::Durable => "durable, not exclusive, not auto-delete",
            Lifetime::Transient => "not durable, not exclusive, not auto-delete",
            Lifetime::Connection => "exclusive",
        };
        let arguments: Vec<String> = self.arguments().keys().map(|name| format!("`{name}`")).collect();
        format!("{lifetime}, with {}", arguments.join(", "))
    }
}

/// Declares exchanges and queues; those that the user may not declare are taken as they are, since an operator may have
/// declared them.
pub(crate) struct Topology<'a> {
    connection: &'a mut Connection,
    channel: Channel,
    taken: Vec<String>,
    refusal: Option<String>,
}

/// What the user was not permitted to declare.
#[derive(Clone, Debug)]
pub(crate) struct TakenAsItIs {
    pub(crate) names: String,
    /// In the broker's words, and what to do.
    pub(crate) refusal: String,
}

impl<'a> Topology<'a> {
    pub(crate) fn open(connection: &'a mut Connection) -> Result<Self, Error> {
        let channel = connection.open_channel()?;
        Ok(Topology { connection, channel, taken: Vec::new(), refusal: None })
    }

    /// Declares the exchange, the queue and the binding between them.
    pub(crate) fn declare_service(
        &mut self,
        exchange: &Exchange,
        routing_key: &str,
        queue: &str,
        kind: QueueKind,
    ) -> Result<(), Error> {
        let name = &exchange.name;
        self.declare(format!("exchange `{name}`"), |channel| channel.declare_exchange(exchange))?;
        self.declare_queue(queue, kind)?;
        self.declare(format!("the binding of `{queue}` to `{name}`"), |channel| {
            channel.bind(exchange, routing_key, queue)
        })
    }

    /// Declares a queue that can be done without, and its binding; says whether there is one.
    pub(crate) fn declare_optional(
        &mut self,
        exchange: &Exchange,
        routing_key: &str,
        queue: &str,
        kind: QueueKind,
    ) -> Result<bool, Error> {
        let is_permitted = self.try_declare(|channel| channel.declare_queue(queue, kind))?.is_none();
        if !is_permitted && !self.is_there(queue)? {
            return Ok(false);
        }
        self.try_declare(|channel| channel.bind(exchange, routing_key, queue))?;
        Ok(true)
    }

    fn is_there(&mut self, queue: &str) -> Result<bool, Error> {
        match self.channel.0.queue_declare_passive(queue) {
            Ok(_) => Ok(true),
            Err(amiquip::Error::ServerClosedChannel { .. }) => {
                self.channel = self.connection.open_channel()?;
                Ok(false)
            }
            Err(error) => Err(explain(&error)),
        }
    }

    /// Declares a queue, which is bound to nothing but its own name.
    pub(crate) fn declare_queue(&mut self, queue: &str, kind: QueueKind) -> Result<(), Error> {
        self.declare(format!("queue `{queue}`"), |channel| channel.declare_queue(queue, kind))
    }

    fn declare(&mut self, what: String, declare: impl FnOnce(&Channel) -> Result<(), Error>) -> Result<(), Error> {
        if let Some(refusal) = self.try_declare(declare)? {
            self.taken.push(what);
            self.refusal = Some(refusal.to_string());
        }
        Ok(())
    }

    /// Why the user may not declare it, if that is so.
    fn try_declare(&mut self, declare: impl FnOnce(&Channel) -> Result<(), Error>) -> Result<Option<Error>, Error> {
        match declare(&self.channel) {
            Err(error) if error.kind() == ErrorKind::Denied => {
                // Which has cost the channel.
                self.channel = self.connection.open_channel()?;
                Ok(Some(error))
            }
            declared => declared.map(|()| None),
        }
    }

    /// The channel, and what could not be declared.
    pub(crate) fn done(self) -> (Channel, Option<TakenAsItIs>) {
        let names = self.taken.join(", ");
        (self.channel, self.refusal.map(|refusal| TakenAsItIs { names, refusal }))
    }
}

impl Channel {
    /// Declares a queue, which is bound to nothing but its own name.
    pub(super) fn declare_queue(&self, queue: &str, kind: QueueKind) -> Result<(), Error> {
        let declared = self.0.queue_declare(queue, kind.options());
        declared.map(drop).map_err(|error| {
            differs(&error, &format!("queue `{queue}`"), &kind.wanted(), &format!("`rabbitmqctl delete_queue {queue}`"))
        })
    }

    pub(super) fn bind(&self, exchange: &Exchange, routing_key: &str, queue: &str) -> Result<(), Error> {
        self.0.queue_bind(queue, &*exchange.name, routing_key, FieldTable::new()).map_err(|error| explain(&error))
    }

    pub(super) fn declare_exchange(&self, exchange: &Exchange) -> Result<(), Error> {
        let options = ExchangeDeclareOptions { durable: exchange.durable, ..ExchangeDeclareOptions::default() };
        self.0.exchange_declare(exchange.kind(), &exchange.name, options).map(|_| ()).map_err(|error| {
            let name = &exchange.name;
            let remove = format!("`rabbitmqadmin delete exchange name={name}`");
            differs(&error, &format!("exchange `{name}`"), &exchange.wanted(), &remove)
        })
    }
}

fn differs(error: &amiquip::Error, what: &str, wanted: &str, remove: &str) -> Error {
    let explained = explain(error);
    let amiquip::Error::ServerClosedChannel { message, .. } = error else { return explained };
    let Some(difference) = difference(message) else {
        return Error::new(explained.kind(), format!("{what} cannot be declared: {explained}"));
    };
    Error::new(
        ErrorKind::Topology,
        format!(
            "{what} exists already and is declared differently (guirpc wants it {wanted}): {difference}; nothing is \
             served until they agree: change the setting to what the broker has; or, to move over, stop whoever \
             sends to it, let it run empty, remove it ({remove}) and start again; or serve in another virtual host"
        ),
    )
}

/// Which argument differs, and how, out of RabbitMQ's words for it.
///
/// They are "… inequivalent arg 'NAME' for queue 'QUEUE' in vhost 'VHOST': received RECEIVED but current is CURRENT".
fn difference(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("inequivalent arg '")?;
    let (name, rest) = rest.split_once('\'')?;
    let (received, current) = rest.split_once(": received ")?.1.split_once(" but current is ")?;
    let shown = |value: &str| value.trim_start_matches("the value ").replace("none", "nothing").replace('\'', "`");
    Some(format!("`{name}` would be {}, and is {}", shown(received), shown(current)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Captured from RabbitMQ 3.10.8.
    #[test]
    fn a_difference_is_said_in_short() {
        let text = "PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'math' in vhost '/': \
                    received the value 'quorum' of type 'longstr' but current is none";
        let expected = "`x-queue-type` would be `quorum` of type `longstr`, and is nothing";
        assert_eq!(difference(text).as_deref(), Some(expected));
        let text = "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'math' in vhost '/': \
                    received 'true' but current is 'false'";
        assert_eq!(difference(text).as_deref(), Some("`durable` would be `true`, and is `false`"));
        assert_eq!(difference("something else"), None);
    }
}
