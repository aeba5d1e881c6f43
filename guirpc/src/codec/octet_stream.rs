//! `application/octet-stream`: bytes as they are.

use serde::Serialize;
use serde::de::value::SeqDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Visitor};

use super::{Codec, DecodeError, EncodeError, message_pack};

/// Lets the MessagePack encoder find out whether the value is bytes, then takes them out of it.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, EncodeError> {
    // The markers are those of the MessagePack specification: nil, an empty array, bin 8, bin 16, bin 32.
    let mut encoded = message_pack::encode(value)?;
    let header = match encoded.first() {
        Some(0xc0 | 0x90) => 1,
        Some(0xc4) => 2,
        Some(0xc5) => 3,
        Some(0xc6) => 5,
        _ => return Err(EncodeError::new(Codec::OctetStream, "it is not bytes")),
    };
    Ok(encoded.split_off(header))
}

/// Any failure is one of the type, since there are no wrong bytes.
pub(super) fn decode<'de, S: DeserializeSeed<'de>>(seed: S, body: &'de [u8]) -> Result<S::Value, DecodeError> {
    seed.deserialize(Whole(body))
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
