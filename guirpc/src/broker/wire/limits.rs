//! What AMQP can carry, and for how long.

use std::time::{Duration, SystemTime};

use amiquip::AmqpValue;

use crate::message::{DEADLINE, HeaderValue, Headers, TIMEOUT};

/// AMQP's short strings; amiquip would cut a longer one into a frame that kills the connection.
const SHORT_STRING_MAX: usize = 255;
/// All properties travel in one frame, of at most 128 KiB in RabbitMQ; this leaves room for those that are not headers.
pub(super) const HEADERS_MAX: usize = 120 << 10;

/// The property `expiration`: milliseconds, as a text.
///
/// Nothing sooner than one, which would be "at once".
/// None later than 32 bits, 49 days, for which RabbitMQ closes the channel: then the headers below have the deadline,
/// by which servers go.
pub(in crate::broker) fn expiration(remaining: Duration) -> Option<String> {
    u32::try_from(remaining.as_millis()).ok().map(|remaining| remaining.max(1).to_string())
}

/// When whoever publishes now stops to wait, as headers.
///
/// The expiry above does not reach what a server has fetched ahead, so servers are told as well.
pub(in crate::broker) fn deadline_headers(expires: Duration, now: SystemTime) -> [(String, AmqpValue); 2] {
    let since_epoch = (now + expires).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    [(DEADLINE, since_epoch), (TIMEOUT, expires)].map(|(name, duration)| {
        let milliseconds = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        (name.to_owned(), AmqpValue::LongLongInt(milliseconds))
    })
}

/// Checks a value that travels as a short string.
pub(in crate::broker) fn check_short(what: &str, text: &str) -> Result<(), String> {
    if text.len() > SHORT_STRING_MAX {
        return Err(format!("{what} has {} bytes, AMQP allows {SHORT_STRING_MAX}", text.len()));
    }
    Ok(())
}

/// Checks that the headers fit into one frame, and their names into short strings.
pub(in crate::broker) fn check_headers(headers: &Headers) -> Result<(), String> {
    check_names(headers)?;
    let size: usize = headers.iter().map(|(name, value)| name.len() + value.size()).sum();
    if size > HEADERS_MAX {
        return Err(format!("the headers have {size} bytes, at most {HEADERS_MAX} fit into a frame"));
    }
    Ok(())
}

fn check_names(headers: &Headers) -> Result<(), String> {
    headers.iter().try_for_each(|(name, value)| {
        check_short(&format!("the name of header `{name:.20}…`"), name)?;
        check_names_within(value)
    })
}

fn check_names_within(value: &HeaderValue) -> Result<(), String> {
    match value {
        HeaderValue::Table(headers) => check_names(headers),
        HeaderValue::List(values) => values.iter().try_for_each(check_names_within),
        _ => Ok(()),
    }
}
