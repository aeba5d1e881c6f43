//! A request on its way out: what it is made of, and the message that it becomes.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use amiquip::{AmqpProperties, AmqpValue, Publish};

use super::Limits;
use super::reply_to::NOBODY;
use super::request_channel::DIRECT_REPLY_TO;
use super::wire::{self, PERSISTENT};
use crate::codec::coalesced::{CoalescedCall, encode_calls};
use crate::codec::{Codec, Format};
use crate::message::{CALLS, FAAS_NAME, Headers, Name, of_calls};

/// AMQP's delivery mode of a message that does not survive a restart of the broker.
const TRANSIENT: u8 = 1;
/// What a message has on the wire beside its body and its headers, roughly.
const PROPERTIES: u64 = 320;
/// No properties but headers ever take more than this, in the frame that they share.
const MOST_PROPERTIES: usize = 1200;
/// As long as any of ours.
const CORRELATION_ID: &str = "AAAAAAAAAAAAAAAAAAAAAA-18446744073709551615";

/// A request that owns what it is made of, so that it can wait, and be published again.
#[derive(Clone)]
pub(crate) struct Outbound {
    pub(crate) exchange: Name,
    pub(crate) routing_key: Name,
    pub(crate) function: Name,
    pub(crate) format: Format,
    pub(crate) body: Vec<u8>,
    pub(crate) app_id: Option<Name>,
    /// How much it precedes others, in a queue that goes by that.
    pub(crate) priority: Option<u8>,
    pub(crate) headers: Arc<Headers>,
    /// Whether its caller waits for a reply; else it is a send, which is to be kept.
    pub(crate) wants_reply: bool,
}

/// Without the arguments.
impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("routing_key", &self.routing_key)
            .field("function", &self.function)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Where a server takes calls that travel together, beside where it takes them singly; `None` if AMQP has no such name.
pub(crate) fn coalesced_routing_key(routing_key: &str) -> Option<Name> {
    let key = of_calls(routing_key);
    wire::check_short("the routing key", &key).ok().map(|()| key.into())
}

/// A call that travels with others, and how long it is waited for.
pub(crate) struct Coalescable<'a> {
    pub(crate) correlation_id: String,
    pub(crate) request: &'a Outbound,
    pub(crate) remaining: Duration,
}

impl Coalescable<'_> {
    fn coalesced(&self, now: SystemTime) -> CoalescedCall<'_> {
        self.request.as_coalesced(&self.correlation_id, Some(wire::deadline(self.remaining, now)))
    }
}

/// A request as a message, ready to be handed over.
pub(crate) struct OutboundMessage<'a>(pub(super) Publish<'a>);

/// How much room a message takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) bytes: u64,
    pub(crate) frames: u64,
}

impl Size {
    /// That of a message with a body of so many bytes on a connection with these limits: its frames are its method, its
    /// properties, and its body's.
    pub(crate) fn of(body: usize, limits: Limits) -> Self {
        Size { bytes: body as u64 + PROPERTIES, frames: 2 + body.div_ceil(limits.frame) as u64 }
    }
}

impl Outbound {
    /// The message of several calls of one queue, with the same properties, and when the last of them expires.
    pub(crate) fn coalesced(calls: &[Coalescable<'_>], now: SystemTime) -> (Self, Duration) {
        let body = encode_calls(&calls.iter().map(|call| call.coalesced(now)).collect::<Vec<_>>());
        let first = calls[0].request;
        let request = Outbound {
            exchange: first.exchange.clone(),
            routing_key: coalesced_routing_key(&first.routing_key).expect("it was looked at before"),
            function: CALLS.into(),
            format: Format::Native(Codec::MessagePack),
            body,
            app_id: first.app_id.clone(),
            priority: first.priority,
            headers: Arc::default(),
            wants_reply: true,
        };
        (request, calls.iter().map(|call| call.remaining).max().unwrap_or_default())
    }

    fn as_coalesced<'a>(&'a self, id: &'a str, deadline: Option<[i64; 2]>) -> CoalescedCall<'a> {
        let content_type = match self.format {
            Format::Native(Codec::MessagePack) | Format::Python(_) => None,
            Format::Native(codec) => Some(codec.content_type()),
        };
        let [deadline, timeout] = deadline.map_or([None; 2], |deadline| deadline.map(Some));
        let (function, headers, body) = (&*self.function, Cow::Borrowed(&*self.headers), &*self.body);
        CoalescedCall { id, function, content_type, deadline, timeout, headers, body }
    }

    /// How many bytes it takes in a message of several calls, at most.
    pub(crate) fn coalesced_bytes(&self) -> usize {
        self.as_coalesced(CORRELATION_ID, None).size()
    }

    /// Whether AMQP can carry it.
    pub(crate) fn check(&self) -> Result<(), String> {
        wire::check_short("the name of the exchange", &self.exchange)?;
        wire::check_short("the name of the service", &self.routing_key)?;
        wire::check_short("the name of the function", &self.function)?;
        if matches!(self.format, Format::Python(_)) && !self.function.is_ascii() {
            // The original's consumer breaks on the message, and gets it again for ever.
            return Err(format!("the name `{}` is not ASCII, which a consumer in Python cannot answer", self.function));
        }
        wire::check_short("the application's id", self.app_id.as_deref().unwrap_or_default())?;
        wire::check_header_names(&self.headers)
    }

    /// Whether a connection with these limits can carry it, to a server and back into a queue.
    pub(crate) fn check_fits(&self, limits: Limits) -> Result<(), String> {
        let limits = Limits { frame: limits.frame.saturating_sub(wire::GROWTH), ..limits };
        if self.headers.size() + MOST_PROPERTIES <= limits.frame {
            return Ok(());
        }
        let message = self.message(CORRELATION_ID.to_owned(), Some(Duration::from_secs(u32::MAX.into())));
        wire::check_frame(&message.0.properties, limits)
    }

    /// Its size on the wire, roughly.
    pub(crate) fn bytes(&self) -> u64 {
        (self.body.len() + self.headers.size()) as u64 + PROPERTIES
    }

    /// Its size on a connection with these limits.
    pub(crate) fn size(&self, limits: Limits) -> Size {
        Size { bytes: self.bytes(), ..Size::of(self.body.len(), limits) }
    }

    /// Whether it asks for no function.
    fn is_bare(&self) -> bool {
        self.function.is_empty()
    }

    /// The message, complete: after `expires` the broker drops it from the queue, and a server does not run it.
    pub(crate) fn message(&self, correlation_id: String, expires: Option<Duration>) -> OutboundMessage<'_> {
        let mut properties = self.addressed().with_correlation_id(correlation_id);
        // Calls that travel together have a deadline each.
        let deadline = expires.filter(|_| &*self.function != CALLS);
        let mut headers = wire::request_headers(&self.headers, deadline, SystemTime::now());
        match self.format {
            Format::Native(codec) if self.is_bare() => {
                properties = properties.with_content_type(codec.content_type().to_owned());
                // A consumer in Python breaks on a message without headers, and gets it again for ever.
                headers.insert(FAAS_NAME.to_owned(), AmqpValue::LongString(String::new()));
            }
            Format::Native(codec) => {
                properties =
                    properties.with_type_(self.function.to_string()).with_content_type(codec.content_type().to_owned());
            }
            Format::Python(options) => {
                headers.insert(FAAS_NAME.to_owned(), AmqpValue::LongString(self.function.to_string()));
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
        if let Some(expiration) = expires.and_then(wire::expiration) {
            properties = properties.with_expiration(expiration);
        }
        if !headers.is_empty() {
            properties = properties.with_headers(headers);
        }
        let publish = Publish::with_properties(&self.body, &*self.routing_key, properties);
        OutboundMessage(Publish { mandatory: true, ..publish })
    }

    /// Where its reply goes, and whether it outlives the broker: a call need not, but the Python original's do.
    fn addressed(&self) -> AmqpProperties {
        let is_python = matches!(self.format, Format::Python(_));
        let mode = if self.wants_reply && !is_python { TRANSIENT } else { PERSISTENT };
        let properties = AmqpProperties::default().with_delivery_mode(mode);
        if self.wants_reply {
            properties.with_reply_to(DIRECT_REPLY_TO.to_owned())
        } else if is_python || self.is_bare() {
            properties.with_reply_to(NOBODY.to_owned())
        } else {
            properties
        }
    }

    /// Who calls; a consumer in Python is always told something.
    fn app_id(&self) -> Option<&str> {
        match self.format {
            Format::Native(_) => self.app_id.as_deref(),
            Format::Python(_) => self.app_id.as_deref().or(Some("Unknown")),
        }
    }
}
