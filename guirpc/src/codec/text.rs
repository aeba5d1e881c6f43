//! `text/plain`: one text, or one scalar in the form that `FromStr` reads and `Display` writes.

use serde::Serialize;
use serde::de::DeserializeSeed;
use serde_plain::Error;

use super::exact::{Exact, Writing};
use super::{Bounds, DecodeError};

pub(super) fn encode<T: Serialize + ?Sized>(value: &T, writing: &Writing) -> Result<Vec<u8>, String> {
    let text = value.serialize(Exact::new(serde_plain::Serializer, writing));
    text.map(String::into_bytes).map_err(|error| error.to_string())
}

pub(super) fn decode<'de, S: DeserializeSeed<'de>>(seed: S, body: &'de [u8]) -> Result<S::Value, DecodeError> {
    let text = std::str::from_utf8(body).map_err(|error| DecodeError::Invalid(error.to_string()))?;
    seed.deserialize(Bounds::new(body.len()).around(serde_plain::Deserializer::new(text))).map_err(
        |error| match error {
            Error::ImpossibleDeserialization(_) => DecodeError::Unsupported(format!("text/plain: {error}")),
            error => DecodeError::Invalid(error.to_string()),
        },
    )
}
