//! `application/json`, by `serde_json`.

use serde::Serialize;
use serde::de::DeserializeSeed;

use super::exact::{Exact, Writing};
use super::{Bounds, Codec, DecodeError};

mod wide;

pub(super) fn encode<T: Serialize + ?Sized>(value: &T, writing: &Writing) -> Result<Vec<u8>, String> {
    debug_assert_eq!(writing.codec, Codec::Json);
    let mut body = Vec::with_capacity(128);
    let mut serializer = serde_json::Serializer::new(&mut body);
    value.serialize(Exact::new(&mut serializer, writing)).map_err(|error| error.to_string())?;
    Ok(body)
}

/// An integer of more than 64 bits is read by a type that has as many, and by no other.
pub(super) fn decode<'de, S: DeserializeSeed<'de>>(seed: S, body: &'de [u8]) -> Result<S::Value, DecodeError> {
    let invalid = |error: serde_json::Error| DecodeError::Invalid(error.to_string());
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let integers = wide::integers(body);
    let bounds = Bounds::with_wide(body.len(), &integers);
    let value = seed.deserialize(bounds.around(&mut deserializer)).map_err(invalid)?;
    deserializer.end().map_err(invalid)?;
    Ok(value)
}
