//! `application/msgpack`: what JSON says, in fewer bytes; written by rmp-serde.

use serde::Serialize;
use serde::de::DeserializeSeed;

use super::exact::{Exact, Writing};
use super::{Codec, DecodeError};

mod read;

pub(super) use read::{Head, Reader};

/// The body of a usual call fits without growing.
const USUAL_LENGTH: usize = 128;

/// Structs become maps, so that a field can be added without breaking anyone; only what serde calls bytes becomes `bin`.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T, writing: &Writing) -> Result<Vec<u8>, String> {
    debug_assert_eq!(writing.codec, Codec::MessagePack);
    let mut body = Vec::with_capacity(USUAL_LENGTH);
    let mut serializer = rmp_serde::Serializer::new(&mut body).with_struct_map();
    value.serialize(Exact::new(&mut serializer, writing)).map_err(|error| error.to_string())?;
    Ok(body)
}

pub(super) fn decode<'de, S: DeserializeSeed<'de>>(seed: S, body: &'de [u8]) -> Result<S::Value, DecodeError> {
    let mut reader = Reader::new(body);
    let value = seed.deserialize(&mut reader).map_err(|error| DecodeError::Invalid(error.to_string()))?;
    reader.end().map_err(|error| DecodeError::Invalid(error.to_string()))?;
    Ok(value)
}
