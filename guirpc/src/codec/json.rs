//! `application/json`, by `serde_json`.

use serde::Serialize;
use serde::de::DeserializeSeed;

use super::{Codec, DecodeError, EncodeError};

pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, EncodeError> {
    serde_json::to_vec(value).map_err(|error| EncodeError::new(Codec::Json, error))
}

pub(super) fn decode<'de, S: DeserializeSeed<'de>>(seed: S, body: &'de [u8]) -> Result<S::Value, DecodeError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = seed.deserialize(&mut deserializer).map_err(|error| DecodeError::Invalid(error.to_string()))?;
    deserializer.end().map_err(|error| DecodeError::Invalid(error.to_string()))?;
    Ok(value)
}
