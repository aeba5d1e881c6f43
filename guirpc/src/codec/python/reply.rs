//! Replies as the original's consumer sends them.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use super::charset::ascii;
use super::{PythonOptions, PythonSerializer, PythonTextCodec, mime};
use crate::error::{Fault, Refusal};
use crate::message::{EncodedReply, Headers, status};

/// Header of a reply: the class that its body was written by, by which the original's clients read it.
pub(crate) const RESPONSE_SERIALIZER: &str = "Response-Serializer";

/// The status of a function's own error: the original has no 422.
const FUNCTION_ERROR: u16 = status::BAD_REQUEST;

/// The reply of a function that returned a value.
pub(crate) fn output<T: Serialize + ?Sized>(
    options: PythonOptions,
    status: u16,
    mut headers: Headers,
    value: &T,
) -> Result<EncodedReply, String> {
    let serializer = options.response;
    let body = options.encode_output(value)?;
    headers.set_own(RESPONSE_SERIALIZER, serializer.class());
    let content_encoding = (serializer != PythonSerializer::Binary).then_some(options.response_codec.name());
    Ok(EncodedReply {
        kind: None,
        status,
        content_type: serializer.content_type().unwrap_or_default().into(),
        content_encoding: content_encoding.map(Cow::Borrowed),
        headers,
        body,
    })
}

/// Something that went wrong, in words.
///
/// The original's clients read every text as ASCII, so that what is none is escaped.
/// They unpickle every reply of a function of pickles, so that its errors are those of a function of texts.
fn failure(serializer: PythonSerializer, status: u16, message: &str) -> EncodedReply {
    let serializer = if serializer == PythonSerializer::Binary { PythonSerializer::Text } else { serializer };
    let mut headers = Headers::new();
    headers.set_own(RESPONSE_SERIALIZER, serializer.class());
    EncodedReply {
        kind: None,
        status,
        content_type: "text/plain".into(),
        content_encoding: Some(PythonTextCodec::Ascii.name().into()),
        headers,
        body: mime::encode(ascii(message).as_bytes()),
    }
}

/// The reply of a function that returned a fault.
pub(crate) fn fault(options: PythonOptions, fault: &Fault) -> EncodedReply {
    failure(options.response, fault.status(), fault.message())
}

/// The reply of a function that returned its own error.
pub(crate) fn function_error(options: PythonOptions, error: &impl fmt::Display) -> EncodedReply {
    failure(options.response, FUNCTION_ERROR, &error.to_string())
}

/// The reply for arguments that do not fit the function.
pub(crate) fn invalid(options: PythonOptions, message: &str) -> EncodedReply {
    failure(options.response, status::BAD_REQUEST, &format!("[ValidationError] {message}"))
}

/// The reply for a function that is not there.
pub(crate) fn not_registered(name: &str) -> EncodedReply {
    let message = format!("[RequestError] FaaS with name '{name}' is not registered");
    failure(PythonSerializer::Text, status::BAD_REQUEST, &message)
}

/// The reply for a request that was not let through to a function.
pub(crate) fn refused(refusal: &Refusal) -> EncodedReply {
    failure(PythonSerializer::Text, refusal.status(), &format!("[RequestError] {}", refusal.message()))
}

/// The reply where the original would have met an exception.
pub(crate) fn unexpected(class: &str, text: &str) -> EncodedReply {
    let message =
        format!("[ServerError] An unexpected error occurred while processing the request message: '{class} -> {text}'");
    failure(PythonSerializer::Text, status::INTERNAL, &message)
}

/// The text of a failure, if it is one of this dialect.
pub(crate) fn message(reply: &EncodedReply) -> Option<String> {
    reply.headers.get(RESPONSE_SERIALIZER)?;
    // What is not base64 is the text itself.
    let bytes = mime::decode(&reply.body).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
