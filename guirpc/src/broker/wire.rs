//! Messages of ours as AMQP properties and headers, and back.

use std::time::SystemTime;

use amiquip::{AmqpProperties, AmqpValue, Delivery, FieldTable};

use crate::codec::Codec;
use crate::message::{
    Dialect, EncodedReply, FAAS_NAME, HeaderValue, Headers, REPLIES, RESPONSE_STATUS, ReplyKind, Request,
};

/// AMQP's delivery mode of a message that survives a restart of the broker, in a durable queue.
pub(super) const PERSISTENT: u8 = 2;

mod limits;
mod republish;
#[cfg(test)]
mod tests;

pub(super) use limits::{GROWTH, check_frame, check_header_names, check_short, deadline, deadline_headers, expiration};
pub(super) use republish::{COPIES, as_attempt, as_dead_letter, copy};

/// Takes the request out of a delivery, which keeps its properties.
pub(super) fn take_request(delivery: &mut Delivery) -> Request {
    let body = std::mem::take(&mut delivery.body);
    request(&delivery.properties, body, delivery.redelivered)
}

/// The request that a message is.
pub(super) fn request(properties: &AmqpProperties, body: Vec<u8>, redelivered: bool) -> Request {
    let (dialect, function) = addressee(properties);
    Request {
        dialect,
        function,
        content_type: properties.content_type().clone(),
        body,
        dropped: None,
        correlation_id: properties.correlation_id().clone(),
        reply_to: properties.reply_to().clone(),
        app_id: properties.app_id().clone(),
        headers: properties.headers().as_ref().map(headers).unwrap_or_default(),
        redelivered,
    }
}

/// The dialect of a request, and the function that it names.
///
/// A native request has the property `type`, which wins; one of the Python original's has the header `FaaS-Name`.
/// What has neither is the original's too, which has its clients told that there is no function `None`,
/// unless its content type is one that the original never sends.
fn addressee(properties: &AmqpProperties) -> (Dialect, String) {
    if let Some(function) = properties.type_() {
        return (Dialect::Native, function.clone());
    }
    let name = properties.headers().as_ref().and_then(|headers| headers.get(FAAS_NAME));
    let content_type = properties.content_type().as_deref().unwrap_or_default();
    match (name, Codec::from_content_type(content_type)) {
        (None, Some(Codec::MessagePack | Codec::OctetStream)) => (Dialect::Native, String::new()),
        (name, _) => (Dialect::Python, name.map_or("None".to_owned(), |name| value(name).python_text())),
    }
}

/// The reply that a message is.
pub(super) fn reply(properties: &AmqpProperties, body: Vec<u8>) -> EncodedReply {
    let table = properties.headers().as_ref();
    let status = table.and_then(|table| table.get(RESPONSE_STATUS)).map(value).and_then(|status| status.as_integer());
    let content_type = properties.content_type().as_deref().unwrap_or_default();
    EncodedReply {
        kind: properties.type_().as_deref().and_then(ReplyKind::from_name),
        // Out of range is not a status; neither is none at all.
        status: status.and_then(|status| u16::try_from(status).ok()).unwrap_or_default(),
        content_encoding: properties.content_encoding().clone().map(Into::into),
        content_type: match Codec::from_content_type(content_type) {
            Some(codec) => codec.content_type().into(),
            None => content_type.to_owned().into(),
        },
        headers: table
            .map(|table| headers(table.iter().filter(|(name, _)| *name != RESPONSE_STATUS)))
            .unwrap_or_default(),
        body,
    }
}

/// The properties of a reply.
pub(super) fn reply_properties(reply: &EncodedReply, correlation_id: Option<String>) -> AmqpProperties {
    let field = if reply.kind.is_some() { field } else { field_for_python };
    let mut table: FieldTable = reply.headers.iter().map(|(name, value)| (name.to_owned(), field(value))).collect();
    // Signed, 32 bits wide: the Python original understands no other width.
    table.insert(RESPONSE_STATUS.to_owned(), AmqpValue::LongInt(reply.status.into()));
    let mut properties = AmqpProperties::default().with_headers(table);
    if !reply.content_type.is_empty() {
        properties = properties.with_content_type(reply.content_type.to_string());
    }
    if let Some(encoding) = &reply.content_encoding {
        properties = properties.with_content_encoding(encoding.to_string());
    }
    if let Some(kind) = reply.kind {
        properties = properties.with_type_(kind.as_str().to_owned());
    }
    match correlation_id {
        Some(correlation_id) => properties.with_correlation_id(correlation_id),
        None => properties,
    }
}

/// A header as the original's clients can read it: the pika that it pins gives up at 64 bits and at floats.
fn field_for_python(value: &HeaderValue) -> AmqpValue {
    match value {
        HeaderValue::Integer(integer) => match i32::try_from(*integer) {
            Ok(integer) => AmqpValue::LongInt(integer),
            Err(_) => AmqpValue::LongString(integer.to_string()),
        },
        HeaderValue::Float(number) => AmqpValue::LongString(number.to_string()),
        HeaderValue::List(values) => AmqpValue::FieldArray(values.iter().map(field_for_python).collect()),
        HeaderValue::Table(headers) => AmqpValue::FieldTable(
            headers.iter().map(|(name, value)| (name.to_owned(), field_for_python(value))).collect(),
        ),
        value => field(value),
    }
}

/// The headers of a request: the caller's own, and when it stops to wait.
pub(super) fn request_headers(headers: &Headers, expires: Option<std::time::Duration>, now: SystemTime) -> FieldTable {
    let mut table = table(headers);
    table.extend(expires.into_iter().flat_map(|expires| deadline_headers(expires, now)));
    table
}

/// The properties of a call that came with others in a message of these properties, as it has them alone.
pub(super) fn call_properties(request: &Request, message: &AmqpProperties) -> AmqpProperties {
    let mut properties = AmqpProperties::default().with_type_(request.function.clone());
    if let Some(content_type) = &request.content_type {
        properties = properties.with_content_type(content_type.clone());
    }
    if let Some(correlation_id) = &request.correlation_id {
        properties = properties.with_correlation_id(correlation_id.clone());
    }
    if let Some(reply_to) = &request.reply_to {
        properties = properties.with_reply_to(reply_to.clone());
    }
    if let Some(app_id) = &request.app_id {
        properties = properties.with_app_id(app_id.clone());
    }
    if let Some(delivery_mode) = message.delivery_mode() {
        properties = properties.with_delivery_mode(*delivery_mode);
    }
    if let Some(priority) = message.priority() {
        properties = properties.with_priority(*priority);
    }
    if let Some(expiration) = message.expiration() {
        properties = properties.with_expiration(expiration.clone());
    }
    if request.headers.is_empty() { properties } else { properties.with_headers(table(&request.headers)) }
}

/// The properties of a message that holds several replies.
pub(super) fn replies_properties() -> AmqpProperties {
    let content_type = Codec::MessagePack.content_type().to_owned();
    AmqpProperties::default().with_type_(REPLIES.to_owned()).with_content_type(content_type)
}

fn headers<'a>(fields: impl IntoIterator<Item = (&'a String, &'a AmqpValue)>) -> Headers {
    fields.into_iter().map(|(name, field)| (name.clone(), value(field))).collect()
}

fn value(field: &AmqpValue) -> HeaderValue {
    match field {
        AmqpValue::Boolean(value) => HeaderValue::Bool(*value),
        AmqpValue::ShortShortInt(integer) => HeaderValue::Integer((*integer).into()),
        AmqpValue::ShortShortUInt(integer) => HeaderValue::Integer((*integer).into()),
        AmqpValue::ShortInt(integer) => HeaderValue::Integer((*integer).into()),
        AmqpValue::ShortUInt(integer) => HeaderValue::Integer((*integer).into()),
        AmqpValue::LongInt(integer) => HeaderValue::Integer((*integer).into()),
        AmqpValue::LongUInt(integer) => HeaderValue::Integer((*integer).into()),
        AmqpValue::LongLongInt(integer) => HeaderValue::Integer(*integer),
        AmqpValue::Float(number) => HeaderValue::Float((*number).into()),
        AmqpValue::Double(number) => HeaderValue::Float(*number),
        AmqpValue::DecimalValue(decimal) => {
            HeaderValue::Float(f64::from(decimal.value) / 10_f64.powi(decimal.scale.into()))
        }
        AmqpValue::LongString(text) => HeaderValue::Text(text.clone()),
        AmqpValue::FieldArray(values) => HeaderValue::List(values.iter().map(value).collect()),
        AmqpValue::Timestamp(seconds) => HeaderValue::Timestamp(*seconds),
        AmqpValue::FieldTable(table) => HeaderValue::Table(headers(table)),
        AmqpValue::ByteArray(bytes) => HeaderValue::Bytes(bytes.clone()),
        AmqpValue::Void => HeaderValue::Void,
    }
}

fn table(headers: &Headers) -> FieldTable {
    headers.iter().map(|(name, value)| (name.to_owned(), field(value))).collect()
}

fn field(value: &HeaderValue) -> AmqpValue {
    match value {
        HeaderValue::Bool(value) => AmqpValue::Boolean(*value),
        HeaderValue::Integer(integer) => AmqpValue::LongLongInt(*integer),
        HeaderValue::Float(number) => AmqpValue::Double(*number),
        HeaderValue::Text(text) => AmqpValue::LongString(text.clone()),
        HeaderValue::Bytes(bytes) => AmqpValue::ByteArray(bytes.clone()),
        HeaderValue::Timestamp(seconds) => AmqpValue::Timestamp(*seconds),
        HeaderValue::Void => AmqpValue::Void,
        HeaderValue::List(values) => AmqpValue::FieldArray(values.iter().map(field).collect()),
        HeaderValue::Table(headers) => AmqpValue::FieldTable(table(headers)),
    }
}
