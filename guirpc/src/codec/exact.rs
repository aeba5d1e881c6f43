//! Writes a value by a codec's own serializer, in the one data model that MessagePack and JSON share, and refuses on the
//! way what would arrive as another value.
//!
//! serde's traits show neither what a type reads nor in what it is kept: some values are merely doubtful, and are read
//! back before they are sent (see [`Codec::checked`](super::Codec)).

use std::fmt;

use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Codec, Depth};

mod compound;
mod key;
mod number;
mod writing;

use compound::{Compound, Struct};
pub(super) use writing::Writing;
use writing::{Doubt, Segment};

/// The name under which `serde_json` passes a number on if its feature `arbitrary_precision` is on.
pub(super) const SERDE_JSON_NUMBER: &str = "$serde_json::private::Number";
/// The name under which it passes on a text that is JSON already.
const SERDE_JSON_RAW: &str = "$serde_json::private::RawValue";
/// What begins the names by which it talks to itself.
const SERDE_JSON_PRIVATE: &str = "$serde_json::private::";

/// The serializer around a codec's own.
pub(super) struct Exact<'w, S> {
    inner: S,
    writing: &'w Writing,
    depth: Depth,
    in_some: bool,
}

impl<'w, S: Serializer> Exact<'w, S> {
    pub(super) fn new(inner: S, writing: &'w Writing) -> Self {
        Exact { inner, writing, depth: Depth::default(), in_some: false }
    }

    /// The depth inside this value, which is one of several.
    fn inside(&self) -> Result<Depth, S::Error> {
        self.depth.nested().map_err(S::Error::custom)
    }

    /// The depth inside this value, which is the only one.
    fn wrapped(&self) -> Result<Depth, S::Error> {
        self.depth.wrapped().map_err(S::Error::custom)
    }

    fn nothing(&self) -> Result<(), S::Error> {
        if self.in_some { self.writing.note(Doubt::Nothing) } else { Ok(()) }
    }

    /// An integer that does not fit into 64 bits.
    fn too_wide(integer: impl fmt::Display) -> S::Error {
        S::Error::custom(format_args!("the integer {integer} does not fit into 64 bits; send it as JSON, or as a text"))
    }

    fn float(&self, number: f64) -> Result<(), S::Error> {
        if number.is_finite() || self.writing.codec != Codec::Json {
            return Ok(());
        }
        Err(S::Error::custom(format_args!("JSON has no number for {number}; send it as MessagePack, or as a text")))
    }
}

/// A value in another, on its way to the same serializer.
struct Inside<'w, 'v, T: ?Sized> {
    value: &'v T,
    writing: &'w Writing,
    depth: Depth,
    in_some: bool,
}

impl<T: Serialize + ?Sized> Serialize for Inside<'_, '_, T> {
    #[inline]
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        let Inside { value, writing, depth, in_some } = *self;
        value.serialize(Exact { inner, writing, depth, in_some })
    }
}

/// A text or a scalar as `Display` writes it.
fn plain<T: Serialize>(value: &T) -> Result<String, serde_plain::Error> {
    value.serialize(Exact::new(serde_plain::Serializer, &Writing::new(Codec::Text)))
}

macro_rules! scalars {
    ($($method:ident $type:ty,)*) => {
        $(#[inline]
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        })*
    };
}

impl<'w, S: Serializer> Serializer for Exact<'w, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Compound<'w, S::SerializeSeq>;
    type SerializeTuple = Compound<'w, S::SerializeTuple>;
    type SerializeTupleStruct = Compound<'w, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Compound<'w, S::SerializeTupleVariant>;
    type SerializeMap = Compound<'w, S::SerializeMap>;
    type SerializeStruct = Struct<'w, S>;
    type SerializeStructVariant = Compound<'w, S::SerializeStructVariant>;

    scalars! {
        serialize_bool bool,
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64,
        serialize_char char, serialize_str &str, serialize_bytes &[u8],
    }

    /// As in JSON, addresses, identifiers and times are texts.
    #[inline]
    fn is_human_readable(&self) -> bool {
        true
    }

    fn serialize_f32(self, number: f32) -> Result<S::Ok, S::Error> {
        self.float(number.into())?;
        self.inner.serialize_f32(number)
    }

    fn serialize_f64(self, number: f64) -> Result<S::Ok, S::Error> {
        self.float(number)?;
        self.inner.serialize_f64(number)
    }

    fn serialize_i128(self, integer: i128) -> Result<S::Ok, S::Error> {
        self.writing.note(Doubt::Wide)?;
        match (u64::try_from(integer), i64::try_from(integer)) {
            (Ok(integer), _) => self.inner.serialize_u64(integer),
            (_, Ok(integer)) => self.inner.serialize_i64(integer),
            _ if self.writing.codec == Codec::Json => self.inner.serialize_i128(integer),
            _ => Err(Self::too_wide(integer)),
        }
    }

    fn serialize_u128(self, integer: u128) -> Result<S::Ok, S::Error> {
        self.writing.note(Doubt::Wide)?;
        match u64::try_from(integer) {
            Ok(integer) => self.inner.serialize_u64(integer),
            Err(_) if self.writing.codec == Codec::Json => self.inner.serialize_u128(integer),
            Err(_) => Err(Self::too_wide(integer)),
        }
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.nothing()?;
        self.inner.serialize_none()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let depth = self.wrapped()?;
        let Exact { inner, writing, .. } = self;
        inner.serialize_some(&Inside { value, writing, depth, in_some: true })
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.nothing()?;
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<S::Ok, S::Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    /// It is what is in it, whatever its name: rmp-serde would make an extension type of one, which JSON has not.
    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(Exact { depth: self.wrapped()?, ..self })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let depth = self.inside()?;
        let writing = self.writing;
        self.inner
            .serialize_newtype_variant(name, index, variant, &Inside { value, writing, depth, in_some: false })
            .map_err(|error| writing.at(error, || Segment::Name(variant.to_owned())))
    }

    #[inline]
    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let depth = self.inside()?;
        Ok(Compound::new(self.inner.serialize_seq(length)?, self.writing, depth))
    }

    #[inline]
    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        let depth = self.inside()?;
        Ok(Compound::new(self.inner.serialize_tuple(length)?, self.writing, depth))
    }

    fn serialize_tuple_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        let depth = self.inside()?;
        Ok(Compound::new(self.inner.serialize_tuple_struct(name, length)?, self.writing, depth))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        // A map, and in it a list.
        let depth = Exact { depth: self.inside()?, ..self }.inside_of_variant()?;
        Ok(Compound::new(
            depth.inner.serialize_tuple_variant(name, index, variant, length)?,
            depth.writing,
            depth.depth,
        ))
    }

    #[inline]
    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let depth = self.inside()?;
        Ok(Compound::new(self.inner.serialize_map(length)?, self.writing, depth))
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeStruct, S::Error> {
        match name {
            SERDE_JSON_NUMBER => Ok(Struct::number(self)),
            SERDE_JSON_RAW if self.writing.codec == Codec::Json => Struct::fields(self, name, length),
            SERDE_JSON_RAW => Err(S::Error::custom("a `serde_json::value::RawValue` is sent as JSON only")),
            internal if internal.starts_with('$') => Err(S::Error::custom(format_args!(
                "`{internal}` is how a crate talks to itself, in a format of its own; send a text in its place"
            ))),
            name => Struct::fields(self, name, length),
        }
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let Exact { inner, writing, depth, .. } = Exact { depth: self.inside()?, ..self }.inside_of_variant()?;
        Ok(Compound::new(inner.serialize_struct_variant(name, index, variant, length)?, writing, depth))
    }
}

impl<S: Serializer> Exact<'_, S> {
    /// Itself, a level deeper.
    fn inside_of_variant(self) -> Result<Self, S::Error> {
        Ok(Exact { depth: self.inside()?, ..self })
    }

    /// Writes a number by its digits, of which it may have any number.
    fn number(self, digits: &str) -> Result<S::Ok, S::Error> {
        if let Ok(integer) = digits.parse() {
            return self.inner.serialize_u64(integer);
        }
        if let Ok(integer) = digits.parse() {
            return self.inner.serialize_i64(integer);
        }
        let is_integer = digits.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
        let number = number::exactly(digits);
        match self.writing.codec {
            Codec::Json if is_integer || number.is_some() => {
                if is_integer {
                    self.writing.note(Doubt::Wide)?;
                }
                RawValue::from_string(digits.to_owned()).map_err(S::Error::custom)?.serialize(self.inner)
            }
            _ if is_integer => Err(Self::too_wide(digits)),
            _ => match number {
                Some(number) => self.inner.serialize_f64(number),
                None => Err(S::Error::custom(format_args!(
                    "the number {digits} is none that a float of 64 bits holds exactly; send it as a text"
                ))),
            },
        }
    }
}
