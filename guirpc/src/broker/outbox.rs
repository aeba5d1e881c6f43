//! Publishing: replies by a server; calls and sends by a client, and what comes back for them.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use amiquip::{AmqpProperties, AmqpValue, ConsumerMessage, ConsumerOptions, Publish};
use crossbeam_channel::Receiver;

use super::connection::explain;
use super::topology::Exchange;
use super::{Channel, Connection, ReplyTo, inbox, wire};
use crate::codec::Format;
use crate::error::Error;
use crate::message::{EncodedReply, FAAS_NAME, Headers};

/// "The broker has the message", or "it gave up on it".
pub(crate) use amiquip::Confirm as ConfirmNote;
/// A message for one of our queues of replies.
pub(crate) use amiquip::ConsumerMessage as ReplyNote;
/// "No queue takes this message."
pub(crate) use amiquip::Return as ReturnNote;

/// RabbitMQ's pseudo-queue: replies come straight to the channel that published the request.
const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";
/// The original's consumer breaks on a message that wants no reply, and gets it again for ever: one sent to a queue
/// that is not there is lost without harm.
const NOBODY: &str = "guirpc.nobody";
/// AMQP's delivery mode of a message that survives a restart of the broker, in a durable queue.
const PERSISTENT: u8 = 2;
const TRANSIENT: u8 = 1;

impl Channel {
    /// Publishes a reply to the address that the request named.
    ///
    /// # Errors
    /// The outer one: the channel is unusable. The inner one: this reply cannot be sent, for the reason given.
    pub(crate) fn publish_reply(
        &self,
        address: &ReplyTo,
        correlation_id: Option<String>,
        reply: &EncodedReply,
    ) -> Result<Result<(), String>, Error> {
        if let Err(why) = wire::check_headers(&reply.headers) {
            return Ok(Err(why));
        }
        let properties = wire::reply_properties(reply, correlation_id);
        // Not mandatory: a live direct reply-to address would be returned all the same.
        let publish = Publish::with_properties(&reply.body, address.as_str(), properties);
        self.0.basic_publish("", publish).map(Ok).map_err(|error| explain(&error))
    }
}

/// A request on its way out.
#[derive(Debug)]
pub(crate) struct Outbound<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) routing_key: Cow<'a, str>,
    pub(crate) function: &'a str,
    pub(crate) format: Format,
    pub(crate) body: &'a [u8],
    pub(crate) app_id: Option<&'a str>,
    pub(crate) headers: &'a Headers,
    /// After which it is of no use: the broker drops it from the queue, and a server does not run it.
    pub(crate) expires: Option<Duration>,
}

impl Outbound<'_> {
    /// Whether AMQP can carry it.
    pub(crate) fn check(&self) -> Result<(), String> {
        wire::check_short("the name of the exchange", self.exchange)?;
        wire::check_short("the name of the service", &self.routing_key)?;
        wire::check_short("the name of the function", self.function)?;
        if matches!(self.format, Format::Python(_)) && !self.function.is_ascii() {
            // The original's consumer breaks on the message, and gets it again for ever.
            return Err(format!("the name `{}` is not ASCII, which a consumer in Python cannot answer", self.function));
        }
        wire::check_short("the application's id", self.app_id.unwrap_or_default())?;
        wire::check_headers(self.headers)
    }

    /// Whether it asks for no function.
    fn is_bare(&self) -> bool {
        self.function.is_empty()
    }

    /// The message, complete: what is left to do under a lock is to hand it over.
    fn message(&self, correlation_id: String, properties: AmqpProperties) -> Publish<'_> {
        let mut properties = properties.with_correlation_id(correlation_id);
        let mut headers = wire::request_headers(self.headers, self.expires, SystemTime::now());
        match self.format {
            Format::Native(codec) if self.is_bare() => {
                properties = properties.with_content_type(codec.content_type().to_owned());
                // A consumer in Python breaks on a message without headers, and gets it again for ever.
                headers.insert(FAAS_NAME.to_owned(), AmqpValue::LongString(String::new()));
            }
            Format::Native(codec) => {
                properties =
                    properties.with_type_(self.function.to_owned()).with_content_type(codec.content_type().to_owned());
            }
            Format::Python(options) => {
                headers.insert(FAAS_NAME.to_owned(), AmqpValue::LongString(self.function.to_owned()));
                if let Some(content_type) = options.request.content_type() {
                    properties = properties.with_content_type(content_type.to_owned());
                }
                if let Some(encoding) = options.request_encoding() {
                    properties = properties.with_content_encoding(encoding.to_owned());
                }
            }
        }
        if let Some(app_id) = self.app_id() {
            properties = properties.with_app_id(app_id.to_owned());
        }
        if let Some(expires) = self.expires {
            properties = properties.with_expiration(wire::expiration(expires));
        }
        if !headers.is_empty() {
            properties = properties.with_headers(headers);
        }
        Publish { mandatory: true, ..Publish::with_properties(self.body, &*self.routing_key, properties) }
    }

    /// Who calls; a consumer in Python is always told something.
    fn app_id(&self) -> Option<&str> {
        match self.format {
            Format::Native(_) => self.app_id,
            Format::Python(_) => self.app_id.or(Some("Unknown")),
        }
    }

    /// As a call: it wants a reply, and need not outlive the broker; the Python original has its calls do so.
    pub(crate) fn call(&self, correlation_id: String) -> Publish<'_> {
        let delivery_mode = match self.format {
            Format::Native(_) => TRANSIENT,
            Format::Python(_) => PERSISTENT,
        };
        let properties = AmqpProperties::default().with_reply_to(DIRECT_REPLY_TO.to_owned());
        self.message(correlation_id, properties.with_delivery_mode(delivery_mode))
    }

    /// As a send: it wants no reply, and to be kept.
    pub(crate) fn send(&self, correlation_id: String) -> Publish<'_> {
        let mut properties = AmqpProperties::default().with_delivery_mode(PERSISTENT);
        if matches!(self.format, Format::Python(_)) || self.is_bare() {
            properties = properties.with_reply_to(NOBODY.to_owned());
        }
        self.message(correlation_id, properties)
    }
}

/// A channel for calls: publishes requests and receives their replies.
pub(crate) struct ReplyQueue {
    channel: Channel,
    pub(crate) replies: Receiver<ReplyNote>,
    pub(crate) returns: Receiver<ReturnNote>,
}

impl ReplyQueue {
    pub(crate) fn open(connection: &mut Connection) -> Result<Self, Error> {
        let channel = connection.open_channel()?;
        channel.declare_exchange(&Exchange::default())?;
        let returns = channel.0.listen_for_returns().map_err(|error| explain(&error))?;
        // RabbitMQ wants the consumer before the first request, on the same channel, without acknowledgements.
        let options = ConsumerOptions { no_ack: true, ..ConsumerOptions::default() };
        let consumer = channel.0.basic_consume(DIRECT_REPLY_TO, options).map_err(|error| explain(&error))?;
        let replies = consumer.receiver().clone();
        // It lives as long as the channel: cancelling it by dropping it here would end the replies.
        std::mem::forget(consumer);
        Ok(ReplyQueue { channel, replies, returns })
    }

    pub(crate) fn publish(&self, exchange: &str, call: Publish<'_>) -> Result<(), Error> {
        self.channel.0.basic_publish(exchange, call).map_err(|error| explain(&error))
    }
}

/// A channel for sends: publishes requests that nobody waits for and learns whether the broker has them.
pub(crate) struct Sends {
    channel: Channel,
    published: u64,
    pub(crate) confirms: Receiver<ConfirmNote>,
    pub(crate) returns: Receiver<ReturnNote>,
}

impl Sends {
    pub(crate) fn open(connection: &mut Connection) -> Result<Self, Error> {
        let channel = connection.open_channel()?;
        let returns = channel.0.listen_for_returns().map_err(|error| explain(&error))?;
        let confirms = channel.0.listen_for_publisher_confirms().map_err(|error| explain(&error))?;
        channel.0.enable_publisher_confirms().map_err(|error| explain(&error))?;
        Ok(Sends { channel, published: 0, confirms, returns })
    }

    /// The number by which the broker will confirm the next message.
    pub(crate) fn next_tag(&self) -> u64 {
        self.published + 1
    }

    pub(crate) fn publish(&mut self, exchange: &str, send: Publish<'_>) -> Result<(), Error> {
        self.published += 1;
        self.channel.0.basic_publish(exchange, send).map_err(|error| explain(&error))
    }
}

/// What a reply consumer's message is: a reply and whose it is, or the reason why no more will come.
///
/// `whose` makes what it likes of the correlation id.
pub(crate) fn reply<T>(
    note: ReplyNote,
    whose: impl FnOnce(&str) -> Option<T>,
) -> Result<(Option<T>, EncodedReply), String> {
    match note {
        ConsumerMessage::Delivery(delivery) => {
            let whose = delivery.properties.correlation_id().as_deref().and_then(whose);
            Ok((whose, wire::reply(delivery)))
        }
        note => Err(inbox::reason(&note)),
    }
}

/// Which request was returned, by its correlation id.
pub(crate) fn returned(note: &ReturnNote) -> Option<&str> {
    note.properties.correlation_id().as_deref()
}

/// Up to which delivery tag the broker has decided: the tag, whether all before it as well, and whether it took them.
pub(crate) fn confirmed(note: ConfirmNote) -> (u64, bool, bool) {
    let (payload, taken) = match note {
        ConfirmNote::Ack(payload) => (payload, true),
        ConfirmNote::Nack(payload) => (payload, false),
    };
    (payload.delivery_tag, payload.multiple, taken)
}
