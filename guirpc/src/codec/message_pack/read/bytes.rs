//! Bytes that a type reads as a list of numbers.

use std::slice;

use serde::de::value::Error;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::Reader;

/// The bytes that are still to come.
pub(super) struct Bytes<'r, 'de> {
    reader: &'r mut Reader<'de>,
    bytes: slice::Iter<'de, u8>,
}

impl<'r, 'de> Bytes<'r, 'de> {
    pub(super) fn new(reader: &'r mut Reader<'de>, bytes: &'de [u8]) -> Self {
        Bytes { reader, bytes: bytes.iter() }
    }
}

impl<'de> SeqAccess<'de> for Bytes<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(byte) = self.bytes.next() else { return Ok(None) };
        seed.deserialize(Byte { reader: self.reader, byte: *byte }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.bytes.len())
    }
}

/// One of them, which is a value for who does not ask for a number.
struct Byte<'r, 'de> {
    reader: &'r mut Reader<'de>,
    byte: u8,
}

macro_rules! numbers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.visit_u8(self.byte)
        })*
    };
}

impl<'de> Deserializer<'de> for Byte<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.reader.count()?;
        visitor.visit_u8(self.byte)
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_ignored_any
    }

    serde::forward_to_deserialize_any! {
        bool char str string bytes byte_buf option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum
        identifier
    }
}
