//! What travels: requests, replies, faults, statuses and headers.
//!
//! Data only: no I/O, and independent of codecs and of the broker.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

pub(crate) mod dead;
mod headers;
mod name;
mod reply;
#[cfg(test)]
mod tests;

pub use headers::{HeaderValue, Headers};
pub(crate) use name::Name;
pub use reply::Reply;

/// Header of a reply: the status as a signed 32-bit integer, as the Python original sends it.
pub(crate) const RESPONSE_STATUS: &str = "Response-Status";
/// Header of a request of the Python original's: the function's name.
pub(crate) const FAAS_NAME: &str = "FaaS-Name";
/// Header of a request: when the caller gives up, in milliseconds since the Unix epoch.
pub(crate) const DEADLINE: &str = "guirpc-deadline";
/// Header of a request: how long the caller was ready to wait when it sent the request, in milliseconds.
pub(crate) const TIMEOUT: &str = "guirpc-timeout";
/// Header of a request: for which contract its caller was made, by the hash of the document.
pub(crate) const CONTRACT: &str = "guirpc-contract";
/// Header of a request that was delivered before: how many deliveries came before this one whose function had,
/// or may have, begun. It is believed only where servers alone put requests, since a caller may write it, too.
///
/// In a refusal it says the same of the request that is refused: then the function may have run.
pub(crate) const ATTEMPTS: &str = "guirpc-attempts";
/// Header of a refusal for an expired request: the server's time, in milliseconds since the Unix epoch.
pub(crate) const TIME: &str = "guirpc-time";
/// Header of a reply: which arguments of the request its function does not take and did not get, as a sentence for people
/// that begins with the function's name and has no more than 300 bytes behind it.
pub(crate) const IGNORED_ARGUMENTS: &str = "guirpc-ignored-arguments";
/// What stands between the function's name, in backticks, and the arguments.
pub(crate) const IGNORED_ARGUMENTS_OF: &str = " has no argument ";
/// The reply address of a `send` in the dialect of the Python original: its consumer breaks on a message
/// without one, and gets it again for ever. A reply to a queue that is not there is lost without harm.
pub(crate) const NO_REPLY: &str = "guirpc.nobody";
/// The function that every service answers itself, without running any code of the user's.
///
/// Names that begin with `guirpc.` belong to guirpc; the attribute refuses them.
pub(crate) const PING: &str = "guirpc.ping";
/// What stands for functions that a service does not have, as OpenTelemetry names what has unbounded values.
pub(crate) const UNKNOWN_FUNCTION: &str = "_OTHER";
/// The property `type` of a message that holds several calls.
pub(crate) const CALLS: &str = "guirpc.calls";
/// The name of the queue, or the routing key, for such messages, beside that of single calls.
pub(crate) fn of_calls(name: &str) -> String {
    format!("{name}.calls")
}
/// The property `type` of a message that holds several replies.
pub(crate) const REPLIES: &str = "guirpc.replies";

/// The statuses that guirpc itself sends; they mean what they mean in HTTP.
pub mod status {
    /// The function returned a value.
    pub const OK: u16 = 200;
    /// The arguments could not be decoded; the function did not run.
    pub const BAD_REQUEST: u16 = 400;
    /// The service has no such function.
    pub const NOT_FOUND: u16 = 404;
    /// The deadline had passed before the function could run.
    pub const EXPIRED: u16 = 408;
    /// The function runs at most once (`ack = "early"`), and the request had been delivered before.
    pub const DELIVERED_BEFORE: u16 = 409;
    /// The request's body is larger than the server takes; it was not decoded.
    pub const TOO_LARGE: u16 = 413;
    /// The content type is unknown, or cannot carry the arguments of this function.
    pub const UNSUPPORTED_CONTENT_TYPE: u16 = 415;
    /// The function returned its own error.
    pub const FUNCTION_ERROR: u16 = 422;
    /// The function panicked, or returned a fault without a status of its own.
    pub const INTERNAL: u16 = 500;
}

/// How a message is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// guirpc's own: the function's name in the property `type`, the arguments in one of its codecs.
    #[default]
    Native,
    /// That of the Python package of the same name: the function's name in the header `FaaS-Name`, the body in base64.
    Python,
}

/// A request as it came off the queue: not yet decoded, nothing in it trusted.
#[derive(Clone, Default)]
pub struct Request {
    /// How it is written.
    pub dialect: Dialect,
    /// Name of the function, from the AMQP property `type`; in Python's dialect from the header `FaaS-Name`.
    pub function: String,
    /// Says how `body` is encoded; without one it is MessagePack. Python's dialect takes no notice of it.
    pub content_type: Option<String>,
    /// The arguments, encoded.
    pub body: Vec<u8>,
    /// How many bytes the body had, if it was too large to be kept; then `body` is empty.
    pub dropped: Option<u64>,
    /// The caller's name for this call, echoed in the reply.
    pub correlation_id: Option<String>,
    /// Where the reply goes; absent in a `send` (fire-and-forget).
    pub reply_to: Option<String>,
    /// The caller's own name for itself: its `app_id`.
    pub app_id: Option<String>,
    /// Everything else that the caller sent along.
    pub headers: Headers,
    /// Whether the broker has delivered this request before.
    pub redelivered: bool,
}

impl Request {
    /// The deadline, if the caller sent one.
    pub fn deadline(&self) -> Option<SystemTime> {
        deadline(self.headers.get(DEADLINE)?)
    }

    /// The caller's timeout when it sent the request, if it sent one.
    pub fn timeout(&self) -> Option<Duration> {
        let milliseconds = self.headers.get(TIMEOUT)?.as_integer()?;
        Some(Duration::from_millis(u64::try_from(milliseconds).ok()?))
    }

    /// How long ago its caller made it, by the clocks of both, in milliseconds; unknown without a deadline.
    pub(crate) fn age(&self, now: SystemTime) -> Option<Duration> {
        let made = self.deadline()?.checked_sub(self.timeout()?)?;
        // A clock that is behind the caller's makes it no younger than new.
        Some(now.duration_since(made).unwrap_or_default())
    }

    /// How many bytes the body has, or had.
    pub(crate) fn size(&self) -> u64 {
        self.dropped.unwrap_or(self.body.len() as u64)
    }

    /// Whether this is the same request, delivered again: whatever its answer may depend on is the same.
    ///
    /// It has the same reply address, so whoever makes up another's request is not answered in its place.
    pub(crate) fn is_same(&self, other: &Request) -> bool {
        self.correlation_id == other.correlation_id
            && self.reply_to == other.reply_to
            && self.dialect == other.dialect
            && self.function == other.function
            && self.content_type == other.content_type
            && self.app_id == other.app_id
            && self.is_awaited() == other.is_awaited()
            && self.dropped == other.dropped
            && self.body == other.body
            && self.lasting_headers().eq(other.lasting_headers())
    }

    /// The headers that are the same however often it is delivered or made.
    pub(crate) fn lasting_headers(&self) -> impl Iterator<Item = (&str, &HeaderValue)> {
        self.headers.iter().filter(|(name, _)| !is_passing(name))
    }

    /// Whether the caller waits for a reply.
    pub(crate) fn is_awaited(&self) -> bool {
        self.reply_address().is_some()
    }

    /// Where the caller waits for the reply; `None` after a `send`, also after one in Python's dialect.
    pub(crate) fn reply_address(&self) -> Option<&str> {
        self.reply_to.as_deref().filter(|address| *address != NO_REPLY)
    }

    /// How many deliveries came before this one whose function had, or may have, begun; see [`ATTEMPTS`].
    pub(crate) fn attempts(&self) -> u32 {
        let attempts = self.headers.get(ATTEMPTS).and_then(HeaderValue::as_integer).unwrap_or_default();
        u32::try_from(attempts).unwrap_or_default().saturating_add(self.redelivered.into())
    }
}

/// Whether a header differs when a request is made or delivered again.
fn is_passing(header: &str) -> bool {
    let passing = [DEADLINE, TIMEOUT];
    passing.contains(&header) || dead::ADDED.contains(&header) || dead::COUNTS.contains(&header)
}

/// Without the arguments, and of the headers only the names: they may hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("dialect", &self.dialect)
            .field("function", &self.function)
            .field("content_type", &self.content_type)
            .field("bytes", &self.size())
            .field("correlation_id", &self.correlation_id)
            .field("headers", &self.headers)
            .field("redelivered", &self.redelivered)
            .finish_non_exhaustive()
    }
}

/// Without what it carries.
impl fmt::Debug for EncodedReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedReply")
            .field("kind", &self.kind)
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("bytes", &self.body.len())
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// The moment that the header [`DEADLINE`] names.
pub(crate) fn deadline(header: &HeaderValue) -> Option<SystemTime> {
    let since_epoch = Duration::from_millis(u64::try_from(header.as_integer()?).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since_epoch)
}

/// Who made a reply: from this a caller derives whether the function ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyKind {
    /// The function returned a value.
    Output,
    /// The function returned its own, typed error.
    Error,
    /// The function returned a [`Fault`](crate::Fault), or panicked.
    Fault,
    /// The function was **not** run on this delivery of the request.
    Refusal,
}

impl ReplyKind {
    pub(crate) const ALL: [ReplyKind; 4] = [Self::Output, Self::Error, Self::Fault, Self::Refusal];

    /// The word that stands in the AMQP property `type` of the reply.
    pub fn as_str(self) -> &'static str {
        match self {
            ReplyKind::Output => "output",
            ReplyKind::Error => "error",
            ReplyKind::Fault => "fault",
            ReplyKind::Refusal => "refusal",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A reply as it travels: encoded, and with what a caller needs to decode it.
#[derive(Clone, PartialEq)]
pub struct EncodedReply {
    /// Who made it; `None` if the server did not send it (the Python original does not).
    pub kind: Option<ReplyKind>,
    /// 2xx and 3xx for an output, 4xx and 5xx otherwise.
    pub status: u16,
    /// Says how `body` is encoded.
    ///
    /// Empty if there is none, as with a Python pickle.
    pub content_type: Cow<'static, str>,
    /// The characters of a text, in Python's dialect only.
    pub content_encoding: Option<Cow<'static, str>>,
    /// What the function sent along; the status has a field of its own.
    pub headers: Headers,
    /// The output, the error, the fault or the refusal, encoded.
    pub body: Vec<u8>,
}

impl EncodedReply {
    /// What came of the request; in Python's dialect errors and faults look alike, and count as faults.
    pub(crate) fn outcome(&self) -> ReplyKind {
        match self.kind {
            Some(kind) => kind,
            None if self.status >= 400 => ReplyKind::Fault,
            None => ReplyKind::Output,
        }
    }

    /// Notes in a refusal how many deliveries came before whose function had, or may have, begun; see [`ATTEMPTS`].
    pub(crate) fn note_attempts(&mut self, attempts: u32) {
        if self.kind == Some(ReplyKind::Refusal) && attempts > 0 {
            self.headers.set_own(ATTEMPTS, i64::from(attempts));
        }
    }

    /// Whether the function may have run on this request, whatever this reply says of the last delivery.
    pub(crate) fn may_have_run(&self) -> bool {
        self.kind != Some(ReplyKind::Refusal) || self.headers.get(ATTEMPTS).is_some()
    }
}

/// A service's answer to a ping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceInfo {
    /// Its name.
    pub service: String,
    /// The version of guirpc that serves it.
    pub guirpc: String,
    /// The functions that it has.
    pub functions: Vec<String>,
}
