//! Publishing: replies by a server; calls and sends by a client, and what comes back for them.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use amiquip::{AmqpProperties, AmqpValue, ConsumerMessage, ConsumerOptions, Publish};
use crossbeam_channel::Receiver;

use super::connection::explain;
use super::reply_to::NOBODY;
use super::topology::Exchange;
use super::wire::PERSISTENT;
use super::{Channel, Connection, ReplyTo, inbox, wire};
use crate::codec::Format;
use crate::error::Error;
use crate::message::{EncodedReply, FAAS_NAME, Headers};

mod kept;

pub(crate) use kept::Kept;

/// "The broker has the message", or "it gave up on it".
pub(crate) use amiquip::Confirm as ConfirmNote;
/// A message for one of our queues of replies.
pub(crate) use amiquip::ConsumerMessage as ReplyNote;
/// "No queue takes this message."
pub(crate) use amiquip::Return as ReturnNote;

/// RabbitMQ's pseudo-queue: replies come straight to the channel that published the request.
const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";
/// AMQP's delivery mode of a message that does not.
const TRANSIENT: u8 = 1;
/// What a message has on the wire beside its body and its headers, roughly.
const PROPERTIES: usize = 320;
/// The part of a body that fits into a frame of the size that brokers and amiquip agree on.
const FRAME: usize = (128 << 10) - 8;

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
    /// How much it precedes others, in a queue that goes by that.
    pub(crate) priority: Option<u8>,
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

    /// How many bytes it is on the wire, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.size()).sum();
        self.body.len() + headers + PROPERTIES
    }

    /// How many frames it is: its method, its properties, its body.
    pub(crate) fn frames(&self) -> usize {
        2 + self.body.len().div_ceil(FRAME)
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
        if let Some(priority) = self.priority {
            properties = properties.with_priority(priority);
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

/// A channel for requests: publishes them, and brings back what comes for them.
pub(crate) struct Outbox {
    channel: Channel,
    published: u64,
    pub(crate) replies: Receiver<ReplyNote>,
    pub(crate) returns: Receiver<ReturnNote>,
    pub(crate) confirms: Receiver<ConfirmNote>,
}

impl Outbox {
    /// What opens one on this connection: it waits for the broker, so it is for a thread that can be given up.
    pub(crate) fn opener(connection: &Connection) -> impl FnOnce() -> Result<Self, Error> + Send + 'static {
        let opener = connection.opener();
        move || Outbox::on(opener.open_channel()?)
    }

    fn on(channel: Channel) -> Result<Self, Error> {
        channel.declare_exchange(&Exchange::default())?;
        let (confirms, returns) = channel.confirm()?;
        // RabbitMQ wants the consumer before the first request, on the same channel, without acknowledgements.
        let options = ConsumerOptions { no_ack: true, ..ConsumerOptions::default() };
        let consumer = channel.0.basic_consume(DIRECT_REPLY_TO, options).map_err(|error| explain(&error))?;
        let replies = consumer.receiver().clone();
        // It lives as long as the channel: cancelling it by dropping it here would end the replies.
        std::mem::forget(consumer);
        Ok(Outbox { channel, published: 0, replies, returns, confirms })
    }

    /// The number by which the broker will confirm the next message.
    pub(crate) fn next_tag(&self) -> u64 {
        self.published + 1
    }

    pub(crate) fn publish(&mut self, exchange: &str, request: Publish<'_>) -> Result<(), Error> {
        self.published += 1;
        self.channel.0.basic_publish(exchange, request).map_err(|error| explain(&error))
    }

    /// Publishes what no queue takes: its confirmation says that the broker has read everything before it.
    pub(crate) fn probe(&mut self) -> Result<(), Error> {
        self.publish("", Publish::new(&[], NOBODY))
    }
}

/// Why no more will come for the requests of an outbox.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) reason: String,
    /// Whether only its channel is closed: the connection lives.
    pub(crate) channel_only: bool,
}

/// What a note is: a reply and whose it is, or the reason why no more will come.
///
/// `whose` makes what it likes of the correlation id.
pub(crate) fn reply<T>(
    note: ReplyNote,
    whose: impl FnOnce(&str) -> Option<T>,
) -> Result<(Option<T>, EncodedReply), Ended> {
    match note {
        ConsumerMessage::Delivery(delivery) => {
            let whose = delivery.properties.correlation_id().as_deref().and_then(whose);
            Ok((whose, wire::reply(delivery)))
        }
        note => Err(Ended {
            reason: inbox::reason(&note),
            channel_only: matches!(note, ConsumerMessage::ServerClosedChannel(_) | ConsumerMessage::ServerCancelled),
        }),
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
