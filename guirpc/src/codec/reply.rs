//! Outputs, errors, faults and refusals as encoded replies, and failures back from them.

use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Codec, EncodeError, Format, PythonOptions, Unreadable, Writing, python};
use crate::error::{CallError, Fault, Refusal};
use crate::log::warn;
use crate::message::{EncodedReply, Headers, ReplyKind, status};

/// How a fault and a refusal look on the wire, in the codecs that have maps.
#[derive(Serialize, Deserialize)]
struct FaultBody<'a> {
    message: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    details: Option<Value>,
}

/// Details that are there are there, also if they are `null`.
fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// As much of it as can be read in any case.
#[derive(Deserialize)]
struct Message {
    message: String,
}

fn reply(kind: ReplyKind, codec: Codec, status: u16, body: Vec<u8>) -> EncodedReply {
    let content_type = Cow::Borrowed(codec.content_type());
    let headers = Headers::new();
    EncodedReply { kind: Some(kind), status, content_type, content_encoding: None, headers, body }
}

/// The reply of a function that returned a value.
pub(crate) fn output<T: Serialize + DeserializeOwned>(
    format: Format,
    status: u16,
    headers: Headers,
    value: &T,
) -> Result<EncodedReply, EncodeError> {
    match format {
        Format::Native(codec) => {
            Ok(EncodedReply { headers, ..reply(ReplyKind::Output, codec, status, codec.encode_value(value)?) })
        }
        Format::Python(options) => python::output(options, status, headers, value)
            .map_err(|error| EncodeError::python(options.response, error)),
    }
}

/// The reply of a function that returned its own error: typed where the codec can carry the type, else as text.
pub(crate) fn function_error<E: Serialize + DeserializeOwned + fmt::Display>(
    format: Format,
    error: &E,
) -> Result<EncodedReply, EncodeError> {
    let encoded = match format {
        Format::Python(options) => python::function_error(options, error),
        Format::Native(codec @ (Codec::MessagePack | Codec::Json)) => {
            reply(ReplyKind::Error, codec, status::FUNCTION_ERROR, codec.encode_value(error)?)
        }
        Format::Native(Codec::Text | Codec::OctetStream) => {
            reply(ReplyKind::Error, Codec::Text, status::FUNCTION_ERROR, error.to_string().into_bytes())
        }
    };
    Ok(encoded)
}

/// The reply of a function that returned a fault.
pub(crate) fn fault(format: Format, fault: &Fault) -> EncodedReply {
    match format {
        Format::Native(codec) => failure(ReplyKind::Fault, codec, fault.status(), fault.message(), fault.details()),
        Format::Python(options) => python::fault(options, fault),
    }
}

/// The reply to a panic, or in place of an output that cannot be sent.
///
/// `class` is what Python would call the exception; the message is complete without it.
pub(crate) fn unexpected(format: Format, class: &str, message: &str) -> EncodedReply {
    match format {
        Format::Native(_) => fault(format, &Fault::new(status::INTERNAL, message)),
        Format::Python(_) => python::unexpected(class, message),
    }
}

/// The reply for a request whose function was not run.
pub(crate) fn refusal(format: Format, refusal: &Refusal) -> EncodedReply {
    match format {
        Format::Native(codec) => failure(ReplyKind::Refusal, codec, refusal.status, &refusal.message, None),
        Format::Python(_) => python::refused(refusal),
    }
}

/// The reply for a request of the Python original's that names no function of ours.
pub(crate) fn not_registered(name: &str) -> EncodedReply {
    python::not_registered(name)
}

/// The reply for a request of the Python original's that could not become arguments.
pub(crate) fn invalid_arguments(options: PythonOptions, why: &Unreadable) -> EncodedReply {
    match why {
        Unreadable::Invalid(message) => python::invalid(options, message),
        Unreadable::Unexpected { class, text, .. } => python::unexpected(class, text),
    }
}

fn failure(kind: ReplyKind, codec: Codec, status: u16, message: &str, details: Option<&Value>) -> EncodedReply {
    if matches!(codec, Codec::Text | Codec::OctetStream) {
        return reply(kind, Codec::Text, status, message.as_bytes().to_vec());
    }
    let encode = |message, details| codec.encode(&FaultBody { message, details }, &Writing::new(codec));
    let body = encode(Cow::Borrowed(message), details.cloned()).or_else(|error| {
        // The message is worth more than the details.
        warn!("the details of a fault are left out: {error}");
        encode(Cow::Owned(format!("{message} (its details {error})")), None)
    });
    reply(kind, codec, status, body.expect("a text can be sent"))
}

/// The error that a fault or a refusal is to its caller.
pub(crate) fn decode_failure<E>(reply: &EncodedReply) -> CallError<E> {
    let (message, details) = failure_parts(reply);
    if reply.kind == Some(ReplyKind::Refusal) {
        let may_have_run = reply.may_have_run();
        return CallError::Refused(Refusal { status: reply.status, message, may_have_run, idempotent: false });
    }
    let fault = Fault::new(reply.status, message);
    CallError::Fault(match details {
        Some(details) => fault.with_details(details),
        None => fault,
    })
}

/// The text of a fault or a refusal, for a log.
pub(crate) fn failure_message(reply: &EncodedReply) -> String {
    failure_parts(reply).0
}

fn failure_parts(reply: &EncodedReply) -> (String, Option<Value>) {
    if let Some(message) = python::message(reply) {
        return (message, None);
    }
    let as_text = || (String::from_utf8_lossy(&reply.body).into_owned(), None);
    let Some(codec @ (Codec::MessagePack | Codec::Json)) = Codec::from_content_type(&reply.content_type) else {
        return as_text();
    };
    match codec.decode::<FaultBody<'static>>(&reply.body) {
        Ok(body) => (body.message.into_owned(), body.details),
        Err(error) => match codec.decode::<Message>(&reply.body) {
            Ok(Message { message }) => (format!("{message} (its details cannot be read: {error})"), None),
            Err(_) => as_text(),
        },
    }
}
