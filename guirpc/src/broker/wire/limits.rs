//! What AMQP can carry, and for how long.

use std::time::{Duration, SystemTime};

use amiquip::{AmqpProperties, AmqpValue, FieldTable};

use crate::broker::Limits;
use crate::message::{DEADLINE, HeaderValue, Headers, TIMEOUT};

/// AMQP's short strings; amiquip would cut a longer one into a frame that kills the connection.
const SHORT_STRING_MAX: usize = 255;
/// What stands before the properties in their frame: class, weight, size of the body, and one bit for each property.
const BEFORE_PROPERTIES: usize = 14;
/// What a request grows by at most on its way, in bytes: the broker puts a short string for its reply address, and a server
/// the header with its count.
pub(in crate::broker) const GROWTH: usize = 300;
/// A byte before each short string, four before a long one or a table, and one for the type of a field.
const SHORT: usize = 1;
const LONG: usize = 4;
const TYPE: usize = 1;

/// The property `expiration`: milliseconds, as a text.
///
/// Nothing sooner than one, which would be "at once".
/// None later than 32 bits, 49 days, for which RabbitMQ closes the channel: then the headers below have the deadline,
/// by which servers go.
pub(in crate::broker) fn expiration(remaining: Duration) -> Option<String> {
    u32::try_from(remaining.as_millis()).ok().map(|remaining| remaining.max(1).to_string())
}

/// When whoever publishes now stops to wait, since the Unix epoch, and how long that is, in milliseconds.
///
/// The expiry above does not reach what a server has fetched ahead, so servers are told as well.
pub(in crate::broker) fn deadline(expires: Duration, now: SystemTime) -> [i64; 2] {
    let since_epoch = (now + expires).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    [since_epoch, expires].map(|duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

/// The same as headers.
pub(in crate::broker) fn deadline_headers(expires: Duration, now: SystemTime) -> [(String, AmqpValue); 2] {
    let [deadline, timeout] = deadline(expires, now);
    [(DEADLINE, deadline), (TIMEOUT, timeout)].map(|(name, time)| (name.to_owned(), AmqpValue::LongLongInt(time)))
}

/// Checks a value that travels as a short string.
pub(in crate::broker) fn check_short(what: &str, text: &str) -> Result<(), String> {
    if text.len() > SHORT_STRING_MAX {
        return Err(format!("{what} has {} bytes, AMQP allows {SHORT_STRING_MAX}", text.len()));
    }
    Ok(())
}

/// Checks that all properties of a message fit into one frame, as they must.
pub(in crate::broker) fn check_frame(properties: &AmqpProperties, limits: Limits) -> Result<(), String> {
    let (size, most) = (frame_size(properties), limits.frame);
    if size > most {
        return Err(format!(
            "the headers and properties take {size} bytes, at most {most} fit into a frame (the broker's `frame_max`)"
        ));
    }
    Ok(())
}

/// The size of the frame that these travel in, without what every frame has.
pub(in crate::broker) fn frame_size(properties: &AmqpProperties) -> usize {
    let short = |text: &Option<String>| text.as_ref().map_or(0, |text| SHORT + text.len());
    let texts = [
        properties.content_type(),
        properties.content_encoding(),
        properties.correlation_id(),
        properties.reply_to(),
        properties.expiration(),
        properties.message_id(),
        properties.type_(),
        properties.user_id(),
        properties.app_id(),
        properties.cluster_id(),
    ];
    let bytes = [properties.delivery_mode(), properties.priority()];
    BEFORE_PROPERTIES
        + texts.into_iter().map(short).sum::<usize>()
        + bytes.into_iter().flatten().count()
        + properties.timestamp().map_or(0, |_| 8)
        + properties.headers().as_ref().map_or(0, table_size)
}

fn table_size(table: &FieldTable) -> usize {
    LONG + table.iter().map(|(name, field)| SHORT + name.len() + field_size(field)).sum::<usize>()
}

fn field_size(field: &AmqpValue) -> usize {
    TYPE + match field {
        AmqpValue::Void => 0,
        AmqpValue::Boolean(_) | AmqpValue::ShortShortInt(_) | AmqpValue::ShortShortUInt(_) => 1,
        AmqpValue::ShortInt(_) | AmqpValue::ShortUInt(_) => 2,
        AmqpValue::LongInt(_) | AmqpValue::LongUInt(_) | AmqpValue::Float(_) => 4,
        AmqpValue::DecimalValue(_) => 5,
        AmqpValue::LongLongInt(_) | AmqpValue::Double(_) | AmqpValue::Timestamp(_) => 8,
        AmqpValue::LongString(text) => LONG + text.len(),
        AmqpValue::ByteArray(bytes) => LONG + bytes.len(),
        AmqpValue::FieldArray(fields) => LONG + fields.iter().map(field_size).sum::<usize>(),
        AmqpValue::FieldTable(table) => table_size(table),
    }
}

/// Checks that the names of headers are short strings.
pub(in crate::broker) fn check_header_names(headers: &Headers) -> Result<(), String> {
    headers.iter().try_for_each(|(name, value)| {
        check_short(&format!("the name of header `{name:.20}…`"), name)?;
        check_names_within(value)
    })
}

fn check_names_within(value: &HeaderValue) -> Result<(), String> {
    match value {
        HeaderValue::Table(headers) => check_header_names(headers),
        HeaderValue::List(values) => values.iter().try_for_each(check_names_within),
        _ => Ok(()),
    }
}
