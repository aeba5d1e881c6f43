//! The keys of maps: texts, as in JSON, whatever they are in Rust.

use serde::ser::{Error as _, Impossible, Serialize, SerializeMap, Serializer};

use super::{Depth, Doubt, SERDE_JSON_PRIVATE, Writing};

/// Writes the next key.
pub(super) struct Key<'k, 'w, M> {
    pub(super) map: &'k mut M,
    pub(super) writing: &'w Writing,
    pub(super) depth: Depth,
}

impl<M: SerializeMap> Key<'_, '_, M> {
    /// Itself, in a `Some` or a newtype.
    fn wrapped(self) -> Result<Self, M::Error> {
        Ok(Key { depth: self.depth.wrapped().map_err(M::Error::custom)?, ..self })
    }

    /// What is no text is its digits, or its name.
    fn shown(self, text: &str) -> Result<(), M::Error> {
        self.writing.note(Doubt::Key)?;
        self.map.serialize_key(text)
    }

    fn float(self, is_finite: bool, text: &str) -> Result<(), M::Error> {
        if is_finite { self.shown(text) } else { Err(M::Error::custom(format_args!("{text} is no key of a map"))) }
    }
}

fn refusal<T, E: serde::ser::Error>() -> Result<T, E> {
    Err(E::custom("a key of a map is a text, a number, a truth value or a variant without data; send a list of pairs"))
}

macro_rules! shown {
    ($($method:ident $type:ty,)*) => {
        $(fn $method(self, key: $type) -> Result<(), M::Error> {
            self.shown(&key.to_string())
        })*
    };
}

macro_rules! refused {
    ($($method:ident($($argument:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$ok, M::Error> {
            refusal()
        })*
    };
}

impl<M: SerializeMap> Serializer for Key<'_, '_, M> {
    type Ok = ();
    type Error = M::Error;
    type SerializeSeq = Impossible<(), M::Error>;
    type SerializeTuple = Impossible<(), M::Error>;
    type SerializeTupleStruct = Impossible<(), M::Error>;
    type SerializeTupleVariant = Impossible<(), M::Error>;
    type SerializeMap = Impossible<(), M::Error>;
    type SerializeStruct = Impossible<(), M::Error>;
    type SerializeStructVariant = Impossible<(), M::Error>;

    shown! {
        serialize_bool bool,
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_i128 i128,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_u128 u128,
    }

    refused! {
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_f32(self, key: f32) -> Result<(), M::Error> {
        self.float(key.is_finite(), &format!("{key:?}"))
    }

    fn serialize_f64(self, key: f64) -> Result<(), M::Error> {
        self.float(key.is_finite(), &format!("{key:?}"))
    }

    fn serialize_char(self, key: char) -> Result<(), M::Error> {
        self.map.serialize_key(key.encode_utf8(&mut [0; 4]) as &str)
    }

    #[inline]
    fn serialize_str(self, key: &str) -> Result<(), M::Error> {
        if key.starts_with(SERDE_JSON_PRIVATE) {
            return Err(M::Error::custom(format_args!("the key `{key}` would be read as a number of `serde_json`'s")));
        }
        self.map.serialize_key(key)
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Result<(), M::Error> {
        self.serialize_str(variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, key: &T) -> Result<(), M::Error> {
        key.serialize(self.wrapped()?)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, key: &T) -> Result<(), M::Error> {
        key.serialize(self.wrapped()?)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _key: &T,
    ) -> Result<(), M::Error> {
        refusal()
    }
}
