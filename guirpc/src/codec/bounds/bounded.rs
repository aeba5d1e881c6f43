//! A deserializer around a codec's own that keeps to the bounds on what a message may hold, whatever type reads it.
//!
//! It also keeps the integers of JSON from becoming floats that are too long for 64 bits, since only who stands here
//! knows whether a type has asked for a float.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::{Depth, most_values, too_many_values};

/// What holds for a whole message.
pub(in crate::codec) struct Bounds<'i> {
    /// How many values there may be in it.
    values: usize,
    left: Cell<usize>,
    /// Integers of more than 64 bits, as floats.
    wide: &'i [f64],
}

impl Bounds<'_> {
    /// For a message of so many bytes.
    pub(in crate::codec) fn new(bytes: usize) -> Self {
        Bounds::with_wide(bytes, &[])
    }
}

impl<'i> Bounds<'i> {
    /// Has these integers not become floats.
    pub(in crate::codec) fn with_wide(bytes: usize, wide: &'i [f64]) -> Self {
        let values = most_values(bytes);
        Bounds { values, left: Cell::new(values), wide }
    }

    pub(in crate::codec) fn around<D>(&self, inner: D) -> Bounded<'_, D> {
        Bounded { inner, bounds: self, depth: Depth::default(), any: false }
    }

    fn count<E: Error>(&self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| E::custom(too_many_values(self.values)))?;
        self.left.set(left);
        Ok(())
    }
}

/// A deserializer, or what is inside of one, or who reads it.
pub(in crate::codec) struct Bounded<'b, D> {
    inner: D,
    bounds: &'b Bounds<'b>,
    depth: Depth,
    /// Whether the type did not say what it reads.
    any: bool,
}

impl<'b, D> Bounded<'b, D> {
    /// Something else in its place.
    fn around<T>(&self, inner: T) -> Bounded<'b, T> {
        self.at(self.depth, inner)
    }

    fn at<T>(&self, depth: Depth, inner: T) -> Bounded<'b, T> {
        Bounded { inner, bounds: self.bounds, depth, any: self.any }
    }

    /// What is in a list, a map or a variant: the codec's own reader counts these.
    fn nested<T>(&self, inner: T) -> Bounded<'b, T> {
        self.at(Depth::default(), inner)
    }

    /// What is in a `Some` or a newtype.
    fn wrapped<T, E: Error>(&self, inner: T) -> Result<Bounded<'b, T>, E> {
        Ok(self.at(self.depth.wrapped().map_err(E::custom)?, inner))
    }
}

macro_rules! deserialize {
    ($count:tt $($method:ident($($argument:ident: $type:ty),*);)*) => {
        $(fn $method<V: Visitor<'de>>(self $(, $argument: $type)*, visitor: V) -> Result<V::Value, D::Error> {
            deserialize!($count self);
            let visitor = Bounded { any: false, ..self.around(visitor) };
            self.inner.$method($($argument,)* visitor)
        })*
    };
    (counted $self:ident) => { $self.bounds.count()? };
    (uncounted $self:ident) => {};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.bounds.count()?;
        let visitor = Bounded { any: true, ..self.around(visitor) };
        self.inner.deserialize_any(visitor)
    }

    deserialize! {
        counted
        deserialize_str(); deserialize_string(); deserialize_bytes(); deserialize_byte_buf();
        deserialize_seq(); deserialize_map(); deserialize_unit_struct(name: &'static str);
        deserialize_tuple_struct(name: &'static str, length: usize);
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
    }

    // These take no more memory than a few bytes each, or what is in them is counted.
    deserialize! {
        uncounted
        deserialize_bool(); deserialize_char();
        deserialize_i8(); deserialize_i16(); deserialize_i32(); deserialize_i64(); deserialize_i128();
        deserialize_u8(); deserialize_u16(); deserialize_u32(); deserialize_u64(); deserialize_u128();
        deserialize_f32(); deserialize_f64(); deserialize_unit(); deserialize_tuple(length: usize);
        deserialize_option(); deserialize_newtype_struct(name: &'static str);
        deserialize_identifier(); deserialize_ignored_any();
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident $type:ty,)*) => {
        $(fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Bounded<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool bool, visit_i64 i64, visit_i128 i128, visit_u64 u64, visit_u128 u128, visit_f32 f32,
        visit_str &str, visit_borrowed_str &'de str, visit_string String,
        visit_bytes &[u8], visit_borrowed_bytes &'de [u8], visit_byte_buf Vec<u8>,
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<V::Value, E> {
        if self.any && self.bounds.wide.contains(&number) {
            return Err(E::custom(format_args!(
                "the integer {number:.0} (or one next to it) does not fit into 64 bits, and is read by a type that does \
                 not ask for more; take `i128` or `u128`, or a text"
            )));
        }
        self.inner.visit_f64(number)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.wrapped(deserializer)?;
        self.inner.visit_some(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.wrapped(deserializer)?;
        self.inner.visit_newtype_struct(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.nested(access);
        self.inner.visit_seq(access)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.nested(access);
        self.inner.visit_map(access)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.nested(access);
        self.inner.visit_enum(access)
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<'_, T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        let deserializer = self.around(deserializer);
        self.inner.deserialize(deserializer)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        let seed = self.around(seed);
        self.inner.next_element_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let seed = self.around(seed);
        self.inner.next_key_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        let seed = self.around(seed);
        self.inner.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'b, 'de, A: EnumAccess<'de>> EnumAccess<'de> for Bounded<'b, A> {
    type Error = A::Error;
    type Variant = Bounded<'b, A::Variant>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self::Variant), A::Error> {
        let Bounded { inner, bounds, depth, any } = self;
        let (value, variant) = inner.variant_seed(seed)?;
        Ok((value, Bounded { inner: variant, bounds, depth, any }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        let seed = self.around(seed);
        self.inner.newtype_variant_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = self.around(visitor);
        self.inner.tuple_variant(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.around(visitor);
        self.inner.struct_variant(fields, visitor)
    }
}
