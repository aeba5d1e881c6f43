//! What has several values in it: each goes the way of the whole, and an error learns where it came from.

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::key::Key;
use super::{Depth, Exact, Inside, Segment, Writing, plain};

/// A list, a map, or a struct.
pub(in crate::codec) struct Compound<'w, C> {
    inner: C,
    writing: &'w Writing,
    depth: Depth,
    index: usize,
}

impl<'w, C> Compound<'w, C> {
    pub(super) fn new(inner: C, writing: &'w Writing, depth: Depth) -> Self {
        Compound { inner, writing, depth, index: 0 }
    }

    fn inside<'v, T: ?Sized>(&self, value: &'v T) -> Inside<'w, 'v, T> {
        Inside { value, writing: self.writing, depth: self.depth, in_some: false }
    }
}

macro_rules! lists {
    ($($trait:ident $method:ident,)*) => {
        $(impl<C: $trait> $trait for Compound<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                let value = self.inside(value);
                let (writing, index) = (self.writing, self.index);
                self.index += 1;
                self.inner.$method(&value).map_err(|error| writing.at(error, || Segment::Index(index)))
            }

            #[inline]
            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })*
    };
}

lists! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

impl<C: SerializeMap> SerializeMap for Compound<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        key.serialize(Key { map: &mut self.inner, writing: self.writing, depth: self.depth })
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let value = self.inside(value);
        self.inner.serialize_value(&value)
    }

    #[inline]
    fn serialize_entry<K: Serialize + ?Sized, T: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &T,
    ) -> Result<(), C::Error> {
        let writing = self.writing;
        self.serialize_key(key).and_then(|()| self.serialize_value(value)).map_err(|error| {
            // A key that is no text at all has no name either.
            writing.at(error, || Segment::Name(plain(&key).unwrap_or_else(|_| "?".to_owned())))
        })
    }

    #[inline]
    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

fn field<E>(writing: &Writing, error: E, name: &str) -> E {
    writing.at(error, || Segment::Name(name.to_owned()))
}

impl<C: SerializeStructVariant> SerializeStructVariant for Compound<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), C::Error> {
        let value = self.inside(value);
        self.inner.serialize_field(name, &value).map_err(|error| field(self.writing, error, name))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

/// A struct; or a number of `serde_json`'s, which looks like one.
pub(in crate::codec) enum Struct<'w, S: Serializer> {
    Fields(Compound<'w, S::SerializeStruct>),
    Number { exact: Exact<'w, S>, digits: String },
}

impl<'w, S: Serializer> Struct<'w, S> {
    #[inline]
    pub(super) fn fields(exact: Exact<'w, S>, name: &'static str, length: usize) -> Result<Self, S::Error> {
        let depth = exact.inside()?;
        let inner = exact.inner.serialize_struct(name, length)?;
        Ok(Struct::Fields(Compound::new(inner, exact.writing, depth)))
    }

    pub(super) fn number(exact: Exact<'w, S>) -> Self {
        Struct::Number { exact, digits: String::new() }
    }
}

impl<S: Serializer> SerializeStruct for Struct<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), S::Error> {
        match self {
            Struct::Fields(fields) => {
                let value = fields.inside(value);
                fields.inner.serialize_field(name, &value).map_err(|error| field(fields.writing, error, name))
            }
            Struct::Number { digits, .. } => {
                *digits = plain(&value).map_err(S::Error::custom)?;
                Ok(())
            }
        }
    }

    #[inline]
    fn end(self) -> Result<S::Ok, S::Error> {
        match self {
            Struct::Fields(fields) => fields.inner.end(),
            Struct::Number { exact, digits } => exact.number(&digits),
        }
    }
}
