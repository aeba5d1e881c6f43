//! Integers of more than 64 bits, which `serde_json` makes floats of where the type does not ask for so many.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};

/// The shortest of them has so many digits.
const DIGITS: usize = 19;

/// The integers of more than 64 bits in a body, as floats; where it is no JSON, any.
pub(super) fn integers(body: &[u8]) -> Vec<f64> {
    if !has_long_number(body) {
        return Vec::new();
    }
    let mut integers = Vec::new();
    let mut rest = body;
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'"' => after_string(after),
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let (number, after) = rest.split_at(rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len()));
                integers.extend(std::str::from_utf8(number).ok().and_then(wide));
                after
            }
            _ => after,
        };
    }
    integers
}

/// Whether there are so many digits one after the other, of which every so-manieth is looked at.
fn has_long_number(body: &[u8]) -> bool {
    let mut at = DIGITS - 1;
    while at < body.len() {
        if body[at].is_ascii_digit() {
            let before = body[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            let after = body[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            if before + after >= DIGITS {
                return true;
            }
            at += after;
        }
        at += DIGITS;
    }
    false
}

fn after_string(mut rest: &[u8]) -> &[u8] {
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'"' => return after,
            b'\\' => after.get(1..).unwrap_or_default(),
            _ => after,
        };
    }
    rest
}

fn wide(number: &str) -> Option<f64> {
    let is_integer = number.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    let fits = number.parse::<u64>().is_ok() || number.parse::<i64>().is_ok();
    if is_integer && !fits { number.parse().ok() } else { None }
}

/// A deserializer that does not make floats of these integers.
pub(super) struct Guarded<'i, D> {
    inner: D,
    integers: &'i [f64],
    /// Whether the type did not say what it reads.
    any: bool,
}

impl<'i, D> Guarded<'i, D> {
    pub(super) fn new(inner: D, integers: &'i [f64]) -> Self {
        Guarded { inner, integers, any: false }
    }

    /// Something else in its place: what is inside of it, or who reads it.
    fn around<T>(&self, inner: T) -> Guarded<'i, T> {
        Guarded { inner, integers: self.integers, any: self.any }
    }
}

macro_rules! deserialize {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {
        $(fn $method<V: Visitor<'de>>(self $(, $argument: $type)*, visitor: V) -> Result<V::Value, D::Error> {
            let visitor = Guarded { any: false, ..self.around(visitor) };
            self.inner.$method($($argument,)* visitor)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Guarded<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = Guarded { any: true, ..self.around(visitor) };
        self.inner.deserialize_any(visitor)
    }

    deserialize! {
        deserialize_bool(); deserialize_char(); deserialize_str(); deserialize_string();
        deserialize_i8(); deserialize_i16(); deserialize_i32(); deserialize_i64(); deserialize_i128();
        deserialize_u8(); deserialize_u16(); deserialize_u32(); deserialize_u64(); deserialize_u128();
        deserialize_f32(); deserialize_f64(); deserialize_bytes(); deserialize_byte_buf();
        deserialize_option(); deserialize_unit(); deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str); deserialize_seq(); deserialize_tuple(length: usize);
        deserialize_tuple_struct(name: &'static str, length: usize); deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier(); deserialize_ignored_any();
    }
}

macro_rules! visit {
    ($($method:ident $type:ty,)*) => {
        $(fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Guarded<'_, V> {
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
        if self.any && self.integers.contains(&number) {
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
        let deserializer = self.around(deserializer);
        self.inner.visit_some(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.around(deserializer);
        self.inner.visit_newtype_struct(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.around(access);
        self.inner.visit_seq(access)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.around(access);
        self.inner.visit_map(access)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.around(access);
        self.inner.visit_enum(access)
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Guarded<'_, T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        let deserializer = self.around(deserializer);
        self.inner.deserialize(deserializer)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Guarded<'_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        let seed = self.around(seed);
        self.inner.next_element_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Guarded<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
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

impl<'i, 'de, A: EnumAccess<'de>> EnumAccess<'de> for Guarded<'i, A> {
    type Error = A::Error;
    type Variant = Guarded<'i, A::Variant>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self::Variant), A::Error> {
        let Guarded { inner, integers, any } = self;
        let (value, variant) = inner.variant_seed(seed)?;
        Ok((value, Guarded { inner: variant, integers, any }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Guarded<'_, A> {
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

#[cfg(test)]
mod tests {
    use super::integers;

    #[test]
    fn integers_of_more_than_64_bits_are_found_wherever_they_stand() {
        let none: [&str; 7] = [
            "18446744073709551615",
            "-9223372036854775808",
            r#"["\"99999999999999999999", "\\"]"#,
            "[99999999999999999999.5, 99999999999999999999e1, 0.99999999999999999999]",
            "1234567890123456789",
            "",
            r#""9999999999999999999999"#,
        ];
        for body in none {
            assert!(integers(body.as_bytes()).is_empty(), "{body}");
        }
        for spaces in 0..40 {
            let body = format!("{}[18446744073709551616,1,-9223372036854775809]", " ".repeat(spaces));
            assert_eq!(
                integers(body.as_bytes()),
                [18_446_744_073_709_551_616.0, -9_223_372_036_854_775_809.0],
                "{body}"
            );
        }
    }
}
