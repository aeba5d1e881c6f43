//! `application/octet-stream`: bytes as they are.

use serde::Serialize;
use serde::de::value::SeqDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Visitor};

use super::{Bounds, DecodeError};

mod only_bytes;

pub(super) use only_bytes::OnlyBytes;

/// Nothing at all is no bytes; an `Option` is refused, since its `None` would be no bytes as well.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let writer = OnlyBytes { bytes: &mut bytes, one: false };
    value.serialize(writer).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Any failure is one of the type, since there are no wrong bytes.
pub(super) fn decode<'de, S: DeserializeSeed<'de>>(seed: S, body: &'de [u8]) -> Result<S::Value, DecodeError> {
    seed.deserialize(Bounds::new(body.len()).around(Whole(body)))
        .map_err(|error: Error| DecodeError::Unsupported(format!("application/octet-stream carries bytes: {error}")))
}

type Error = serde::de::value::Error;

/// The whole body as one value.
struct Whole<'de>(&'de [u8]);

impl<'de> Deserializer<'de> for Whole<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_bytes(self.0)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(SeqDeserializer::new(self.0.iter().copied()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_empty() { visitor.visit_unit() } else { self.deserialize_any(visitor) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit_struct tuple_struct map struct enum identifier ignored_any
    }
}
