//! One function for each parser of foreign bytes, for the targets in `tests/fuzz`; compiled for them only.
//!
//! Each takes any bytes, and panics where a promise is broken.

use crate::broker::fuzzing as broker;
pub use crate::client::fuzzing::outcome;
use crate::codec;
pub use crate::config::fuzzing::settings;
pub use crate::embedded::fuzzing::frames as embedded_frames;
use crate::message::{EncodedReply, Request};

/// Frames of a broker.
pub fn frames(bytes: &[u8]) {
    broker::frames(bytes);
}

/// A request off the wire: the size of its properties in two bytes, the properties, the body.
pub fn request(bytes: &[u8]) -> Option<Request> {
    broker::request(bytes)
}

/// A reply off the wire, as a request is.
pub fn reply(bytes: &[u8]) -> Option<EncodedReply> {
    broker::reply(bytes)
}

/// The bodies of several calls, and of several replies, in one message.
pub fn coalesced(bytes: &[u8]) {
    codec::coalesced::fuzz(bytes);
}

/// The URIs of brokers.
pub fn uris(text: &str) {
    broker::uris(text);
}
