//! Reads MessagePack as JSON is read: nothing becomes another type on the way.
//!
//! rmp-serde's own reader takes `bin` for a text and a text for bytes, sixteen bytes for an integer, a number for a
//! variant, and counts no levels of enums.

use std::fmt;

use rmp::Marker;
use serde::de::value::Error;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};

use crate::arguments::BYTES;
use crate::codec::{Depth, most_values, too_many_values};

mod bytes;
mod key;

use bytes::Bytes;
use key::Key;

/// What is still to be read.
pub(in crate::codec) struct Reader<'de> {
    rest: &'de [u8],
    depth: Depth,
    /// How many values it may hold, and how many of them are still to come.
    most_values: usize,
    left: usize,
    /// Whether `bin` is for a type that takes bytes and no text.
    wants_bytes: bool,
}

/// A value, as far as it is one; what is in it follows.
#[derive(Clone, Copy)]
pub(in crate::codec) enum Head<'de> {
    Nil,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    F32(f32),
    F64(f64),
    Text(&'de str),
    Bytes(&'de [u8]),
    List(usize),
    Map(usize),
    Extension(i8, &'de [u8]),
}

impl Head<'_> {
    pub(in crate::codec) fn unexpected(&self) -> Unexpected<'_> {
        match *self {
            Head::Nil => Unexpected::Unit,
            Head::Bool(value) => Unexpected::Bool(value),
            Head::Unsigned(integer) => Unexpected::Unsigned(integer),
            Head::Signed(integer) => Unexpected::Signed(integer),
            Head::F32(number) => Unexpected::Float(number.into()),
            Head::F64(number) => Unexpected::Float(number),
            Head::Text(text) => Unexpected::Str(text),
            Head::Bytes(bytes) => Unexpected::Bytes(bytes),
            Head::List(_) => Unexpected::Seq,
            Head::Map(_) => Unexpected::Map,
            Head::Extension(..) => Unexpected::Other("an extension type"),
        }
    }
}

fn cut_short() -> Error {
    Error::custom("the MessagePack value is cut short")
}

impl<'de> Reader<'de> {
    pub(in crate::codec) fn new(body: &'de [u8]) -> Self {
        let most_values = most_values(body.len());
        Reader { rest: body, depth: Depth::default(), most_values, left: most_values, wants_bytes: false }
    }

    /// # Errors
    /// There is something left.
    pub(in crate::codec) fn end(&self) -> Result<(), Error> {
        if self.rest.is_empty() { Ok(()) } else { Err(Error::custom("there is more after the MessagePack value")) }
    }

    fn number<const BYTES: usize>(&mut self) -> Result<[u8; BYTES], Error> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// A length of so many bytes.
    fn length<const BYTES: usize>(&mut self) -> Result<usize, Error> {
        let length = self.number::<BYTES>()?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        usize::try_from(length).map_err(|_| cut_short())
    }

    fn bytes(&mut self, length: usize) -> Result<&'de [u8], Error> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn text(&mut self, length: usize) -> Result<Head<'de>, Error> {
        std::str::from_utf8(self.bytes(length)?)
            .map(Head::Text)
            .map_err(|error| Error::custom(format_args!("a text that is no UTF-8: {error}")))
    }

    fn extension(&mut self, length: usize) -> Result<Head<'de>, Error> {
        let [kind] = self.number()?;
        Ok(Head::Extension(i8::from_be_bytes([kind]), self.bytes(length)?))
    }

    pub(in crate::codec) fn head(&mut self) -> Result<Head<'de>, Error> {
        let [marker] = self.number()?;
        Ok(match Marker::from_u8(marker) {
            Marker::Null => Head::Nil,
            Marker::True => Head::Bool(true),
            Marker::False => Head::Bool(false),
            Marker::FixPos(integer) => Head::Unsigned(integer.into()),
            Marker::FixNeg(integer) => Head::Signed(integer.into()),
            Marker::U8 => Head::Unsigned(u8::from_be_bytes(self.number()?).into()),
            Marker::U16 => Head::Unsigned(u16::from_be_bytes(self.number()?).into()),
            Marker::U32 => Head::Unsigned(u32::from_be_bytes(self.number()?).into()),
            Marker::U64 => Head::Unsigned(u64::from_be_bytes(self.number()?)),
            Marker::I8 => Head::Signed(i8::from_be_bytes(self.number()?).into()),
            Marker::I16 => Head::Signed(i16::from_be_bytes(self.number()?).into()),
            Marker::I32 => Head::Signed(i32::from_be_bytes(self.number()?).into()),
            Marker::I64 => Head::Signed(i64::from_be_bytes(self.number()?)),
            Marker::F32 => Head::F32(f32::from_be_bytes(self.number()?)),
            Marker::F64 => Head::F64(f64::from_be_bytes(self.number()?)),
            Marker::FixStr(length) => self.text(length.into())?,
            Marker::Str8 => self.length::<1>().and_then(|length| self.text(length))?,
            Marker::Str16 => self.length::<2>().and_then(|length| self.text(length))?,
            Marker::Str32 => self.length::<4>().and_then(|length| self.text(length))?,
            Marker::Bin8 => Head::Bytes(self.length::<1>().and_then(|length| self.bytes(length))?),
            Marker::Bin16 => Head::Bytes(self.length::<2>().and_then(|length| self.bytes(length))?),
            Marker::Bin32 => Head::Bytes(self.length::<4>().and_then(|length| self.bytes(length))?),
            Marker::FixArray(count) => Head::List(count.into()),
            Marker::Array16 => Head::List(self.length::<2>()?),
            Marker::Array32 => Head::List(self.length::<4>()?),
            Marker::FixMap(count) => Head::Map(count.into()),
            Marker::Map16 => Head::Map(self.length::<2>()?),
            Marker::Map32 => Head::Map(self.length::<4>()?),
            Marker::Reserved => return Err(Error::custom("found a byte that MessagePack does not use")),
            Marker::FixExt1 => self.extension(1)?,
            Marker::FixExt2 => self.extension(2)?,
            Marker::FixExt4 => self.extension(4)?,
            Marker::FixExt8 => self.extension(8)?,
            Marker::FixExt16 => self.extension(16)?,
            Marker::Ext8 => self.length::<1>().and_then(|length| self.extension(length))?,
            Marker::Ext16 => self.length::<2>().and_then(|length| self.extension(length))?,
            Marker::Ext32 => self.length::<4>().and_then(|length| self.extension(length))?,
        })
    }

    /// Reads what is in a list or a map.
    pub(in crate::codec) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let depth = self.depth.nested().map_err(Error::custom)?;
        self.at(depth, read)
    }

    /// Reads what is in a `Some` or a newtype.
    fn wrapped<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let depth = self.depth.wrapped().map_err(Error::custom)?;
        self.at(depth, read)
    }

    fn at<T>(&mut self, depth: Depth, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let outside = std::mem::replace(&mut self.depth, depth);
        let value = read(self)?;
        self.depth = outside;
        Ok(value)
    }

    /// Counts a value.
    pub(in crate::codec) fn count(&mut self) -> Result<(), Error> {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => return Err(Error::custom(too_many_values(self.most_values))),
        }
        Ok(())
    }

    /// Reads a value that takes no more memory than a few bytes, or whose parts are counted.
    fn uncounted<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        let head = self.head()?;
        self.visit(head, visitor)
    }

    fn visit<V: Visitor<'de>>(&mut self, head: Head<'de>, visitor: V) -> Result<V::Value, Error> {
        match head {
            Head::Nil => visitor.visit_unit(),
            Head::Bool(value) => visitor.visit_bool(value),
            Head::Unsigned(integer) => visitor.visit_u64(integer),
            Head::Signed(integer) => visitor.visit_i64(integer),
            Head::F32(number) => visitor.visit_f32(number),
            Head::F64(number) => visitor.visit_f64(number),
            Head::Text(text) => visitor.visit_borrowed_str(text),
            // Whoever keeps bytes would give them to a type that takes texts.
            Head::Bytes(bytes) => visitor.visit_seq(Bytes::new(self, bytes)),
            Head::Extension(..) => Err(Error::custom("found an extension type, which JSON has not either")),
            Head::List(count) => self.nested(|reader| {
                let mut list = Rest { reader, count };
                let value = visitor.visit_seq(&mut list)?;
                list.is_read(count, value)
            }),
            Head::Map(count) => self.nested(|reader| {
                let mut map = Rest { reader, count };
                let value = visitor.visit_map(&mut map)?;
                map.is_read(count, value)
            }),
        }
    }
}

/// The values of a list or a map that are still to come.
struct Rest<'r, 'de> {
    reader: &'r mut Reader<'de>,
    count: usize,
}

impl Rest<'_, '_> {
    fn is_read<T>(&self, of: usize, value: T) -> Result<T, Error> {
        match self.count {
            0 => Ok(value),
            left => Err(Error::invalid_length(of, &Fewer(of - left))),
        }
    }

    fn next(&mut self) -> bool {
        let is_there = self.count > 0;
        self.count -= usize::from(is_there);
        is_there
    }

    /// Every value takes a byte: what a message says of its own length must not make anybody reserve memory for it.
    fn hint(&self) -> usize {
        self.count.min(self.reader.rest.len())
    }
}

struct Fewer(usize);

impl serde::de::Expected for Fewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl<'de> SeqAccess<'de> for Rest<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.next() { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.hint())
    }
}

impl<'de> MapAccess<'de> for Rest<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        if self.next() { seed.deserialize(Key(&mut *self.reader)).map(Some) } else { Ok(None) }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.hint())
    }
}

macro_rules! uncounted {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.uncounted(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if std::mem::take(&mut self.wants_bytes) {
            return self.deserialize_bytes(visitor);
        }
        self.count()?;
        self.uncounted(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.count()?;
        match self.head()? {
            Head::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            head @ Head::Text(_) => Err(Error::invalid_type(head.unexpected(), &visitor)),
            head => self.visit(head, visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.rest.split_first() {
            Some((marker, rest)) if Marker::from_u8(*marker) == Marker::Null => {
                self.rest = rest;
                visitor.visit_none()
            }
            _ => self.wrapped(|reader| visitor.visit_some(reader)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.wants_bytes = name == BYTES;
        self.wrapped(|reader| visitor.visit_newtype_struct(reader))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.count()?;
        match self.head()? {
            Head::Text(variant) => visitor.visit_enum(variant.into_deserializer()),
            Head::Map(1) => self.nested(|reader| visitor.visit_enum(Variant(reader))),
            head => Err(Error::invalid_type(head.unexpected(), &"a variant: its name, or a map from its name")),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.head()? {
            Head::Text(name) => visitor.visit_borrowed_str(name),
            head => Err(Error::invalid_type(head.unexpected(), &visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.head()? {
            Head::Bytes(_) => visitor.visit_unit(),
            head => self.visit(head, visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Error> {
        self.uncounted(visitor)
    }

    uncounted! {
        deserialize_bool deserialize_char deserialize_unit deserialize_f32 deserialize_f64
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    serde::forward_to_deserialize_any! { str string unit_struct seq tuple_struct map struct }
}

/// A variant with data: a map of one.
struct Variant<'r, 'de>(&'r mut Reader<'de>);

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        Ok((seed.deserialize(&mut *self.0)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        serde::Deserialize::deserialize(self.0)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_any(visitor)
    }
}

#[cfg(test)]
mod tests;
