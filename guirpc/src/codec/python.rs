//! The Python original's way to write requests and replies: a text or a pickle, wrapped in base64.
//!
//! Input is read into one tree of data, and output is written from one;
//! it is independent of clients and servers.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Bounds, Codec};
use crate::arguments::{ArgumentsOf, Signature};
use crate::message::EncodedReply;

mod arguments;
mod charset;
mod error;
mod json;
mod keys;
mod mime;
mod number;
mod pickle;
mod receive;
mod reply;
mod send;
#[cfg(test)]
mod tests;
mod text;
mod value;
#[cfg(test)]
mod vectors;

pub(crate) use reply::{
    RESPONSE_SERIALIZER, fault, function_error, invalid, message, not_registered, output, refused, unexpected,
};

pub(crate) use error::Unreadable;
use value::Value;

/// How the Python original writes an object: one of its classes `JsonSerializer`, `TextSerializer`, `BinarySerializer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PythonSerializer {
    /// As `json.dumps` does: ASCII only, `NaN` and `Infinity`, integers of any size.
    #[default]
    Json,
    /// As `str` does: one text or one number.
    Text,
    /// As `pickle.dumps` does: read as data only, since a pickle can be a program; nothing in it is ever run.
    Binary,
}

impl PythonSerializer {
    /// The class in the original, which the header `Response-Serializer` names.
    pub const fn class(self) -> &'static str {
        match self {
            PythonSerializer::Json => "JsonSerializer",
            PythonSerializer::Text => "TextSerializer",
            PythonSerializer::Binary => "BinarySerializer",
        }
    }

    pub(crate) fn from_class(class: &str) -> Option<Self> {
        [PythonSerializer::Json, PythonSerializer::Text, PythonSerializer::Binary]
            .into_iter()
            .find(|known| known.class() == class)
    }

    /// The property `content_type`; a pickle has none.
    pub const fn content_type(self) -> Option<&'static str> {
        match self {
            PythonSerializer::Json => Some("application/json"),
            PythonSerializer::Text => Some("text/plain"),
            PythonSerializer::Binary => None,
        }
    }
}

/// The characters that a text may have, and the bytes that they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PythonTextCodec {
    /// The first 128 characters: what the original's clients can read.
    #[default]
    Ascii,
    /// All characters.
    Utf8,
    /// The first 256 characters, a byte each.
    Latin1,
}

impl PythonTextCodec {
    /// Python's name of it, as it stands in the property `content_encoding`.
    pub const fn name(self) -> &'static str {
        match self {
            PythonTextCodec::Ascii => "ascii",
            PythonTextCodec::Utf8 => "utf-8",
            PythonTextCodec::Latin1 => "latin-1",
        }
    }

    /// The codec of a reply; one that is unknown is taken for UTF-8, of which ASCII is a part.
    fn from_name(name: &str) -> Self {
        [PythonTextCodec::Ascii, PythonTextCodec::Latin1]
            .into_iter()
            .find(|codec| codec.name() == name)
            .unwrap_or(PythonTextCodec::Utf8)
    }
}

/// How a function's requests and replies are written where the Python original is at the other end.
///
/// The attribute's option `python(…)` makes one; without it both are JSON in ASCII.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PythonOptions {
    /// How the request is written.
    pub request: PythonSerializer,
    /// How the reply is written.
    pub response: PythonSerializer,
    /// The characters of the request.
    pub request_codec: PythonTextCodec,
    /// The characters of the reply; the original's clients read ASCII, even if it names others.
    pub response_codec: PythonTextCodec,
}

impl PythonOptions {
    /// JSON in ASCII, both ways.
    pub const fn new() -> Self {
        PythonOptions {
            request: PythonSerializer::Json,
            response: PythonSerializer::Json,
            request_codec: PythonTextCodec::Ascii,
            response_codec: PythonTextCodec::Ascii,
        }
    }

    /// Whether requests or replies are pickles.
    pub(crate) fn pickles(self) -> bool {
        self.request == PythonSerializer::Binary || self.response == PythonSerializer::Binary
    }

    /// The property `content_encoding` of a request; a pickle has none.
    pub fn request_encoding(self) -> Option<&'static str> {
        (self.request != PythonSerializer::Binary).then_some(self.request_codec.name())
    }

    /// How a reply of the original's is written, if it is one.
    pub(crate) fn of_reply(reply: &EncodedReply) -> Option<Self> {
        let response = PythonSerializer::from_class(reply.headers.get(RESPONSE_SERIALIZER)?.as_str()?)?;
        let encoding = reply.content_encoding.as_deref().unwrap_or_default();
        Some(PythonOptions { response, response_codec: PythonTextCodec::from_name(encoding), ..PythonOptions::new() })
    }

    /// The body of a request: an object of the arguments by name, or the only argument as it is.
    pub(crate) fn encode_arguments<F: Signature>(self, arguments: &ArgumentsOf<'_, F>) -> Result<Vec<u8>, String> {
        write(self.request, self.request_codec, &arguments::value::<F>(arguments)?)
    }

    /// The body of a request that is one object, for any function.
    pub(crate) fn encode_object<T: Serialize + ?Sized>(self, object: &T) -> Result<Vec<u8>, String> {
        let value = object.serialize(send::ToValue::default()).map_err(|error| error.to_string())?;
        write(self.request, self.request_codec, &value)
    }

    /// The body of a request that is an object in JSON, for any function.
    pub(crate) fn encode_json_text(self, text: &str) -> Result<Vec<u8>, String> {
        write(self.request, self.request_codec, &json::read(text)?)
    }

    /// The value from the body of a reply that carries one, in JSON; what is not JSON in it as Python writes it.
    pub(crate) fn decode_json_text(self, body: &[u8]) -> Result<String, String> {
        let value = read(self.response, self.response_codec, body).map_err(|error| error.reason())?;
        let text = json::write(&value)?;
        let plain = Codec::Json.decode::<serde_json::Value>(text.as_bytes());
        Ok(plain.map_or(text, |value| value.to_string()))
    }

    /// The arguments from the body of a request.
    pub(crate) fn decode_arguments<'a, F: Signature>(self, body: &[u8]) -> Result<ArgumentsOf<'a, F>, Unreadable> {
        let value = read(self.request, self.request_codec, body)?;
        arguments::read::<F>(self.request, &value, body.len())
    }

    /// The value from the body of a reply that carries one.
    pub(crate) fn decode_output<T: DeserializeOwned>(self, body: &[u8]) -> Result<T, String> {
        let value = read(self.response, self.response_codec, body).map_err(|error| error.reason())?;
        self.response.receive(&value, body.len()).map_err(|error| error.to_string())
    }

    fn encode_output<T: Serialize + ?Sized>(self, value: &T) -> Result<Vec<u8>, String> {
        write(
            self.response,
            self.response_codec,
            &value.serialize(send::ToValue::default()).map_err(|error| error.to_string())?,
        )
    }
}

impl PythonSerializer {
    /// The value from so many bytes as a type: a text may hold a number, anything else is what it is.
    fn receive<'de, T: serde::Deserialize<'de>>(self, value: &Value, bytes: usize) -> Result<T, error::Error> {
        let bounds = Bounds::new(bytes);
        match (self, value) {
            (PythonSerializer::Text, Value::Str(text)) => T::deserialize(bounds.around(text::Plain(text))),
            _ => T::deserialize(bounds.around(value)),
        }
    }
}

/// From a tree of data to a body.
fn write(serializer: PythonSerializer, codec: PythonTextCodec, value: &Value) -> Result<Vec<u8>, String> {
    let bytes = match serializer {
        PythonSerializer::Json => codec.encode(&json::write(value)?)?,
        PythonSerializer::Text => codec.encode(&text::write(value)?)?,
        PythonSerializer::Binary => pickle::write(value),
    };
    Ok(mime::encode(&bytes))
}

/// From a body to a tree of data.
fn read(serializer: PythonSerializer, codec: PythonTextCodec, body: &[u8]) -> Result<Value, Unreadable> {
    let bytes = mime::decode(body).map_err(|text| Unreadable::new("Error", text))?;
    match serializer {
        PythonSerializer::Json => {
            let text = decode_text(codec, &bytes)?;
            json::read(&text).map_err(|reason| Unreadable::deserialization(&text, serializer, reason))
        }
        PythonSerializer::Text => decode_text(codec, &bytes).map(|text| Value::Str(text.into_owned())),
        PythonSerializer::Binary => pickle::read(&bytes).map_err(|text| Unreadable::new("UnpicklingError", text)),
    }
}

fn decode_text(codec: PythonTextCodec, bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>, Unreadable> {
    codec.decode(bytes).ok_or_else(|| Unreadable::content(bytes, codec))
}
