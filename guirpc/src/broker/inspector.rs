//! What a broker says when it is asked, and nothing changes: its greeting, what is declared, rights, alarms.

use std::thread;
use std::time::Duration;

use amiquip::{
    AmqpProperties, AmqpValue, ConsumerOptions, ExchangeDeclareOptions, ExchangeType, FieldTable, Publish,
    QueueDeclareOptions,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crossbeam_channel::{Receiver, bounded as channel, select};
use uuid::Uuid;

use super::connection::{Opener, explain};
use super::publish_check::NEVER;
use super::reply_to::NOBODY;
use super::{
    Addresses, Attempt, BlockedNote, Channel, Connection, Exchange, Presence, PublishCheck, PublishChecker, QueueKind,
    bounded, no_answer, program,
};
use crate::error::{Error, ErrorKind};

/// For each answer.
const BOUND: Duration = Duration::from_secs(10);

/// What a broker says of itself when it is greeted, and what was agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Greeting {
    pub(crate) product: String,
    pub(crate) version: String,
    pub(crate) cluster: Option<String>,
    /// In bytes, without what every frame has beside its payload.
    pub(crate) largest_frame: usize,
    pub(crate) channels: u16,
    pub(crate) heartbeat: Duration,
    /// In DER.
    pub(crate) certificate: Option<Vec<u8>>,
}

/// How something stands to how it would be declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Declared {
    Missing,
    Alike,
    /// What differs.
    Differently(String),
    /// The user may not declare it, so it cannot be compared.
    Unknown(String),
}

/// What a user may be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right<'a> {
    DeclareExchange(&'a str),
    DeclareQueue(&'a str),
    Bind { queue: &'a str, exchange: &'a str },
    Consume(&'a str),
    Publish { exchange: &'a str },
}

/// A connection on which nothing but questions is asked.
#[derive(Debug)]
pub(crate) struct Inspector {
    addresses: Addresses,
    connection: Connection,
}

impl Inspector {
    pub(crate) fn open(uri: &str) -> Result<Self, Error> {
        let addresses = Addresses::parse(uri)?;
        let connection = Connection::open(&addresses, &program(), "inspection")?;
        Ok(Inspector { addresses, connection })
    }

    /// Says goodbye to the broker, which else logs a connection that was lost.
    pub(crate) fn close(self) -> Result<(), Error> {
        self.connection.close(BOUND).map_err(|why| Error::new(ErrorKind::Unreachable, why))
    }

    /// Where it leads, without the password.
    pub(crate) fn address(&self) -> String {
        self.connection.address().to_string()
    }

    pub(crate) fn host(&self) -> &str {
        &self.connection.address().host
    }

    pub(crate) fn user(&self) -> &str {
        self.connection.user()
    }

    pub(crate) fn vhost(&self) -> &str {
        &self.connection.address().vhost
    }

    /// User and password, as HTTP has them.
    pub(crate) fn authorization(&self) -> String {
        let address = self.connection.address();
        format!("Basic {}", STANDARD.encode(format!("{}:{}", address.user, address.password)))
    }

    pub(crate) fn greeting(&self) -> Greeting {
        let (properties, limits) = (self.connection.server_properties(), self.connection.limits());
        let said = |name: &str| match properties.get(name) {
            Some(AmqpValue::LongString(text)) => Some(text.clone()),
            _ => None,
        };
        Greeting {
            product: said("product").unwrap_or_default(),
            version: said("version").unwrap_or_default(),
            cluster: said("cluster_name"),
            largest_frame: limits.frame,
            channels: limits.channels,
            heartbeat: Duration::from_secs(limits.heartbeat.into()),
            certificate: self.connection.certificate().map(<[u8]>::to_vec),
        }
    }

    /// Has it asked on a thread of its own, and gives up on the connection if nothing is answered.
    fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Opener) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (opener, attempt) = (self.connection.opener(), Attempt::default());
        attempt.hold(self.connection.socket());
        attempt.run(BOUND, move || ask(&opener)).unwrap_or_else(|| Err(no_answer(&self.addresses)))
    }

    /// The messages in a queue that nobody has fetched, and its consumers; `None` if there is no such queue.
    pub(crate) fn counts(&self, queue: &str) -> Result<Option<(u32, u32)>, Error> {
        let queue = queue.to_owned();
        self.ask(move |opener| opener.open_channel()?.counts(&queue))
    }

    /// How a queue that is there stands to how it would be declared.
    pub(crate) fn queue(&self, queue: &str, kind: QueueKind) -> Result<Declared, Error> {
        let queue = queue.to_owned();
        self.ask(move |opener| match opener.open_channel()?.counts(&queue)? {
            None => Ok(Declared::Missing),
            Some(_) => declared(opener.open_channel()?.declare_queue(&queue, kind)),
        })
    }

    /// How an exchange that is there stands to how it would be declared.
    pub(crate) fn exchange(&self, exchange: &Exchange) -> Result<Declared, Error> {
        let exchange = exchange.clone();
        self.ask(move |opener| match opener.open_channel()?.0.exchange_declare_passive(&*exchange.name) {
            Ok(_) => declared(opener.open_channel()?.declare_exchange(&exchange)),
            Err(amiquip::Error::ServerClosedChannel { code: 404, .. }) => Ok(Declared::Missing),
            Err(error) => declared(Err(explain(&error))),
        })
    }

    /// Why the user may not do this, if so.
    ///
    /// RabbitMQ looks at rights first: what is asked for beyond them is something that it refuses, or that changes
    /// nothing.
    pub(crate) fn refusal(&self, right: Right<'_>) -> Result<Option<String>, Error> {
        match right {
            Right::Publish { exchange } => self.refused_publishing(exchange),
            Right::DeclareExchange(exchange) => {
                let exchange = exchange.to_owned();
                self.refused(move |channel| {
                    let arguments = invalid("alternate-exchange");
                    let options = ExchangeDeclareOptions { durable: true, arguments, ..Default::default() };
                    channel.0.exchange_declare(ExchangeType::Direct, &*exchange, options).map(drop)
                })
            }
            Right::DeclareQueue(queue) => {
                let queue = queue.to_owned();
                self.refused(move |channel| {
                    let arguments = invalid("x-message-ttl");
                    let options = QueueDeclareOptions { durable: true, arguments, ..Default::default() };
                    channel.0.queue_declare(&*queue, options).map(drop)
                })
            }
            Right::Bind { queue, exchange } => {
                let (queue, exchange) = (queue.to_owned(), exchange.to_owned());
                // There is no such binding.
                let routing_key = Uuid::new_v4().to_string();
                self.refused(move |channel| {
                    channel.0.queue_unbind(&*queue, &*exchange, &*routing_key, FieldTable::new())
                })
            }
            Right::Consume(queue) => {
                let queue = queue.to_owned();
                self.refused(move |channel| {
                    let options = ConsumerOptions { arguments: invalid("x-priority"), ..Default::default() };
                    channel.start_consumer(&*queue, options).map(drop)
                })
            }
        }
    }

    /// Why a channel is closed with 403, if it is, when this is done on it.
    fn refused<A>(&self, attempt: A) -> Result<Option<String>, Error>
    where
        A: FnOnce(&Channel) -> Result<(), amiquip::Error> + Send + 'static,
    {
        self.ask(move |opener| match attempt(&opener.open_channel()?) {
            Err(error @ amiquip::Error::ServerClosedChannel { code: 403, .. }) => Ok(Some(explain(&error).to_string())),
            Ok(()) | Err(amiquip::Error::ServerClosedChannel { .. }) => Ok(None),
            Err(error) => Err(explain(&error)),
        })
    }

    fn refused_publishing(&self, exchange: &str) -> Result<Option<String>, Error> {
        let check = PublishCheck { exchange: exchange.to_owned().into(), routing_key: NOBODY.into(), bytes: 0 };
        match PublishChecker::on(&self.connection).check(&check).presence {
            Presence::Present | Presence::Missing => Ok(None),
            Presence::Denied(why) => Ok(Some(why)),
            Presence::Unanswered => Err(no_answer(&self.addresses)),
        }
    }

    /// Why the broker takes no messages, if so, which it tells whoever publishes; on a connection of its own, which is
    /// not read from then.
    pub(crate) fn alarm(&self) -> Result<Option<String>, Error> {
        let beside = self.connection.beside();
        let asked = bounded(BOUND, move |attempt| {
            let mut connection = beside.open("looking for alarms")?;
            attempt.hold(connection.socket());
            let (channel, blocked) = (connection.open_channel()?, connection.blocked().clone());
            let alarm = alarm(channel, &blocked);
            match &alarm {
                Ok(None) => drop(connection.close(BOUND)),
                // Whatever still waits on it ends.
                _ => attempt.give_up(),
            }
            alarm
        });
        asked.unwrap_or_else(|| Err(no_answer(&self.addresses)))
    }
}

fn alarm(on: Channel, blocked: &Receiver<BlockedNote>) -> Result<Option<String>, Error> {
    let (done, is_done) = channel(1);
    let publish = move || {
        let properties = AmqpProperties::default().with_expiration(NEVER.to_owned());
        let _ = on.0.basic_publish("", Publish::with_properties(b"", NOBODY, properties));
        // Any answer means that the message was read, whatever came of it.
        let _ = on.flush();
        let _ = done.send(());
    };
    thread::Builder::new()
        .name("guirpc-alarm".to_owned())
        .spawn(publish)
        .map_err(|error| Error::no_thread("to look for alarms", error))?;
    select! {
        recv(blocked) -> note => Ok(match note {
            Ok(BlockedNote::Blocked(why)) => Some(why),
            _ => None,
        }),
        recv(is_done) -> _ => Ok(None),
        default(BOUND) => {
            let message = "the broker neither takes a message nor says why";
            Err(Error::new(ErrorKind::Unreachable, message))
        }
    }
}

/// An argument with a value that it cannot have.
fn invalid(name: &str) -> FieldTable {
    [(name.to_owned(), AmqpValue::FieldTable(FieldTable::new()))].into_iter().collect()
}

/// What it means that a thing which is there can be declared so, or not.
fn declared(declared: Result<(), Error>) -> Result<Declared, Error> {
    match declared {
        Ok(()) => Ok(Declared::Alike),
        Err(error) if error.kind() == ErrorKind::Topology => Ok(Declared::Differently(error.to_string())),
        Err(error) if error.kind() == ErrorKind::Denied => Ok(Declared::Unknown(error.to_string())),
        Err(error) => Err(error),
    }
}
