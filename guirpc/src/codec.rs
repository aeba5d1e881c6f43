//! Content types: bytes to arguments and outputs, and back. One file for each.
//!
//! Whatever is sent arrives as itself, or is refused before it is sent.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{DeserializeOwned, DeserializeSeed};
use serde_json::value::RawValue;

use crate::arguments::{
    Alone, AloneSeed, ArgumentsOf, Compact, Named, NamedSeed, Signature, TrackedSeed, UnknownNames, argument_place,
    not_one,
};
use crate::message::{Dialect, EncodedReply};

mod bounds;
pub(crate) mod coalesced;
mod exact;
mod failure;
#[cfg(test)]
mod golden;
mod json;
mod message_pack;
mod octet_stream;
mod python;
mod reply;
#[cfg(test)]
mod round_trips;
#[cfg(test)]
mod sweep;
mod text;

pub use python::{PythonOptions, PythonSerializer, PythonTextCodec};

use bounds::{Bounds, Depth, MAX_DEPTH, most_values, too_many_values};
use exact::Writing;
pub(crate) use failure::{DecodeError, EncodeError};
pub(crate) use python::{RESPONSE_SERIALIZER, Unreadable};
pub(crate) use reply::{
    decode_failure, failure_message, fault, function_error, invalid_arguments, not_registered, output, refusal,
    unexpected,
};

/// How arguments and outputs are encoded; a reply is encoded as its request was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Codec {
    /// `application/msgpack`: what JSON says in fewer bytes, and beside that bytes, NaN and infinities.
    ///
    /// A `&[u8]` argument, an argument or output that is exactly `Vec<u8>`, and what a crate like `serde_bytes` writes
    /// travel as bytes; any other `Vec<u8>` as the list of numbers that it is in JSON.
    /// The page [`types`](crate::types) has the rest.
    #[default]
    MessagePack,
    /// `application/json`: readable everywhere; it has integers of 128 bits, and neither NaN nor infinities.
    Json,
    /// `text/plain`: for functions of at most one argument, which is a text or a number; so is the output.
    /// For an `Option` an empty text is `None`.
    Text,
    /// `application/octet-stream`: for functions of at most one argument, which is bytes; so is the output.
    /// An `Option` is not sent.
    OctetStream,
}

/// How one message is written: in one of our codecs, or as the Python original writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// In the codec that the content type names.
    Native(Codec),
    /// As the option `python(…)` of the function declares.
    Python(PythonOptions),
}

impl Format {
    /// How a reply is written: one from Python has a header for it.
    ///
    /// # Errors
    /// The header has an unknown value.
    pub(crate) fn of(reply: &EncodedReply) -> Result<Self, String> {
        match reply.headers.get(RESPONSE_SERIALIZER) {
            Some(serializer) => PythonOptions::of_reply(reply)
                .map(Format::Python)
                .ok_or_else(|| format!("the unknown serializer `{}`", serializer.python_text())),
            None => Codec::from_content_type(&reply.content_type)
                .map(Format::Native)
                .ok_or_else(|| format!("the unknown content type `{}`", reply.content_type)),
        }
    }

    /// Encodes one object that stands for all arguments, for callers that have only the function's name.
    pub(crate) fn encode_object<T: Serialize + ?Sized>(self, object: &T) -> Result<Vec<u8>, EncodeError> {
        match self {
            Format::Native(codec) => codec.encode(object, &Writing::new(codec)),
            Format::Python(options) => {
                options.encode_object(object).map_err(|error| EncodeError::python(options.request, error))
            }
        }
    }

    /// Encodes JSON, which stands for all arguments, digit for digit.
    pub(crate) fn encode_json_text(self, json: &str) -> Result<Vec<u8>, EncodeError> {
        let no_json = |error: &dyn fmt::Display| EncodeError::no_json(error);
        match self {
            Format::Native(codec) => {
                let raw: &RawValue = serde_json::from_str(json).map_err(|error| no_json(&error))?;
                codec.encode(raw, &Writing::new(codec))
            }
            Format::Python(options) => options.encode_json_text(json).map_err(|error| no_json(&error)),
        }
    }

    /// The JSON of a value, digit for digit.
    pub(crate) fn decode_json_text(self, body: &[u8]) -> Result<String, DecodeError> {
        match self {
            Format::Native(Codec::Json) => {
                self.decode::<Box<RawValue>>(body).map(|raw| String::from(Box::<str>::from(raw)))
            }
            Format::Native(_) => self.decode::<serde_json::Value>(body).map(|value| value.to_string()),
            Format::Python(options) => options.decode_json_text(body).map_err(DecodeError::Invalid),
        }
    }

    /// What any caller of a dialect can read: a text.
    pub(crate) fn readable(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Native => Format::Native(Codec::Text),
            Dialect::Python => Format::Python(PythonOptions::new()),
        }
    }

    /// Encodes the arguments of a call.
    pub(crate) fn encode_arguments<F: Signature>(self, arguments: &ArgumentsOf<'_, F>) -> Result<Vec<u8>, EncodeError> {
        match self {
            Format::Native(codec) => codec.encode_arguments::<F>(arguments),
            Format::Python(options) => {
                options.encode_arguments::<F>(arguments).map_err(|error| EncodeError::python(options.request, error))
            }
        }
    }

    /// Decodes one value: an output or an error. The error names the place inside the value.
    pub(crate) fn decode<T: DeserializeOwned>(self, body: &[u8]) -> Result<T, DecodeError> {
        match self {
            Format::Native(codec) => codec.decode(body),
            Format::Python(options) => options.decode_output(body).map_err(DecodeError::Invalid),
        }
    }
}

impl Codec {
    /// Every codec, in the order in which error messages name them.
    const ALL: [Codec; 4] = [Codec::MessagePack, Codec::Json, Codec::Text, Codec::OctetStream];

    /// The content type that stands in the message.
    pub const fn content_type(self) -> &'static str {
        match self {
            Codec::MessagePack => "application/msgpack",
            Codec::Json => "application/json",
            Codec::Text => "text/plain",
            Codec::OctetStream => "application/octet-stream",
        }
    }

    /// The codec of a content type; upper case and parameters (`; charset=utf-8`) make no difference.
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        // The names in use before `application/msgpack` was registered, and its vendor tree.
        if ["application/x-msgpack", "application/vnd.msgpack"].iter().any(|old| essence.eq_ignore_ascii_case(old)) {
            return Some(Codec::MessagePack);
        }
        Codec::ALL.into_iter().find(|codec| essence.eq_ignore_ascii_case(codec.content_type()))
    }

    /// All content types, for an error message that must name the valid choices.
    pub(crate) fn choices() -> String {
        Codec::ALL.map(Codec::content_type).join(", ")
    }

    /// Encodes one value; what is noteworthy of it is in `writing`.
    fn encode<T: Serialize + ?Sized>(self, value: &T, writing: &Writing) -> Result<Vec<u8>, EncodeError> {
        self.write(value, writing).map_err(|error| EncodeError::new(self, placed(writing.place(), &error)))
    }

    fn write<T: Serialize + ?Sized>(self, value: &T, writing: &Writing) -> Result<Vec<u8>, String> {
        match self {
            Codec::MessagePack => message_pack::encode(value, writing),
            Codec::Json => json::encode(value, writing),
            Codec::Text => text::encode(value, writing),
            Codec::OctetStream => octet_stream::encode(value),
        }
    }

    /// Encodes one value: an output or an error.
    pub(crate) fn encode_value<T: Serialize + DeserializeOwned>(self, value: &T) -> Result<Vec<u8>, EncodeError> {
        self.checked(
            |codec, writing| codec.encode(&Compact(value), writing),
            |body, codec, writing| Ok(codec.encode(&Compact(&self.decode::<T>(body)?), writing)),
        )
    }

    /// Encodes, and if there is a doubt reads back what was encoded: it is sent if it is the same when it is encoded again.
    ///
    /// What is kept in no particular order may be in another one then.
    fn checked(
        self,
        encode: impl Fn(Codec, &Writing) -> Result<Vec<u8>, EncodeError>,
        again: impl FnOnce(&[u8], Codec, &Writing) -> Result<Result<Vec<u8>, EncodeError>, DecodeError>,
    ) -> Result<Vec<u8>, EncodeError> {
        let writing = Writing::new(self);
        let body = encode(self, &writing)?;
        match self {
            Codec::MessagePack | Codec::Json if writing.is_certain() => Ok(body),
            Codec::MessagePack | Codec::Json => {
                self.compared(&body, &writing, &encode, |again_writing| again(&body, self, again_writing))?;
                Ok(body)
            }
            // In these a number is no other than its digits, and nothing at all is an empty text.
            Codec::Text | Codec::OctetStream => {
                let codec = Codec::MessagePack;
                let writing = Writing::new(codec);
                let other = encode(codec, &writing)?;
                self.compared(&other, &writing, &encode, |again_writing| again(&body, codec, again_writing))?;
                Ok(body)
            }
        }
    }

    /// Whether a value is the same when it has been read back.
    fn compared(
        self,
        body: &[u8],
        writing: &Writing,
        encode: impl Fn(Codec, &Writing) -> Result<Vec<u8>, EncodeError>,
        again: impl FnOnce(&Writing) -> Result<Result<Vec<u8>, EncodeError>, DecodeError>,
    ) -> Result<(), EncodeError> {
        let second = Writing::new(writing.codec);
        let (doubt, why) = match again(&second) {
            Ok(same) => {
                if is_same(body, same?) && second.doubts() == writing.doubts() {
                    return Ok(());
                }
                (writing.differs(Some(&second)), "it would arrive as another value".to_owned())
            }
            Err(error) => (writing.differs(None), format!("it could not be read: {error}")),
        };
        // Only now is it worth the time to find out where that is.
        let place = doubt.and_then(|doubt| encode(self, &Writing::refusing(self, doubt)).err());
        Err(place.unwrap_or_else(|| EncodeError::new(self, why)))
    }

    /// Decodes with a seed: a list of arguments, or a type.
    pub(crate) fn decode_seed<'de, S: DeserializeSeed<'de>>(
        self,
        seed: S,
        body: &'de [u8],
    ) -> Result<S::Value, DecodeError> {
        match self {
            Codec::MessagePack => message_pack::decode(seed, body),
            Codec::Json => json::decode(seed, body),
            Codec::Text => text::decode(seed, body),
            Codec::OctetStream => octet_stream::decode(seed, body),
        }
    }

    /// Encodes the arguments of a call.
    pub(crate) fn encode_arguments<F: Signature>(self, arguments: &ArgumentsOf<'_, F>) -> Result<Vec<u8>, EncodeError> {
        self.checked(
            |codec, writing| codec.write_arguments::<F>(arguments, writing),
            |body, codec, writing| {
                let arguments = self.decode_arguments::<F>(body, &mut UnknownNames::default())?;
                Ok(codec.write_arguments::<F>(&arguments, writing))
            },
        )
    }

    fn write_arguments<F: Signature>(
        self,
        arguments: &ArgumentsOf<'_, F>,
        writing: &Writing,
    ) -> Result<Vec<u8>, EncodeError> {
        let written = match self {
            Codec::MessagePack | Codec::Json => self.write(&Named::<F>::compact(arguments), writing),
            Codec::Text | Codec::OctetStream => self.write(&Alone::<F>(arguments), writing),
        };
        written.map_err(|error| {
            let (argument, inside) = writing.place();
            let place = argument.map(|argument| argument_place(&argument, &inside) + ": ");
            EncodeError::new(self, format!("{}{error}", place.unwrap_or_default()))
        })
    }

    /// Decodes the arguments of a call, and notes what is none. The error names the argument and the place inside it.
    pub(crate) fn decode_arguments<'a, F: Signature>(
        self,
        body: &'a [u8],
        unknown: &mut UnknownNames,
    ) -> Result<ArgumentsOf<'a, F>, DecodeError> {
        match self {
            Codec::MessagePack | Codec::Json => {
                self.decode_seed(NamedSeed::<F>::new(unknown), body).map_err(|error| {
                    // Only now is it worth the time to keep track of where in the arguments we are.
                    let mut place = None;
                    let error = self.decode_seed(TrackedSeed::<F>::new(&mut place), body).err().unwrap_or(error);
                    error.at(place).beside(unknown)
                })
            }
            // No bytes of these types could be several arguments.
            Codec::Text | Codec::OctetStream if F::PARAMETERS.len() > 1 => {
                Err(DecodeError::Unsupported(not_one(F::PARAMETERS)))
            }
            Codec::Text | Codec::OctetStream => self.decode_seed(AloneSeed::<F>::default(), body),
        }
    }

    /// Decodes one value: an output or an error. The error names the place inside the value.
    pub(crate) fn decode<T: DeserializeOwned>(self, body: &[u8]) -> Result<T, DecodeError> {
        self.decode_seed(PhantomData::<T>, body).map_err(|error| {
            // Only now is it worth the time to keep track of where in the value we are.
            self.decode_seed(Tracked(PhantomData::<T>), body).err().unwrap_or(error)
        })
    }
}

/// An error behind the place in a value that it is at.
fn placed((outermost, inside): (Option<String>, String), error: &str) -> String {
    let outermost = outermost.unwrap_or_default();
    let dot = if outermost.is_empty() || inside.is_empty() || inside.starts_with('[') { "" } else { "." };
    if outermost.is_empty() && inside.is_empty() {
        return error.to_owned();
    }
    format!("`{outermost}{dot}{inside}`: {error}")
}

/// Whether two bodies say the same, in whatever order.
fn is_same(body: &[u8], mut other: Vec<u8>) -> bool {
    body == other || {
        let mut body = body.to_owned();
        body.sort_unstable();
        other.sort_unstable();
        body == other
    }
}

/// A seed that puts the place inside the value in front of the error.
struct Tracked<T>(PhantomData<T>);

impl<'de, T: serde::Deserialize<'de>> DeserializeSeed<'de> for Tracked<T> {
    type Value = T;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let mut track = serde_path_to_error::Track::new();
        T::deserialize(serde_path_to_error::Deserializer::new(deserializer, &mut track)).map_err(|error| {
            match track.path().to_string().as_str() {
                "." => error,
                path => serde::de::Error::custom(format_args!("`{path}`: {error}")),
            }
        })
    }
}
