//! One text: as `str` writes a text or a number, and as `FromStr` reads it. Keys of objects are such texts too.

use serde::Deserializer;
use serde::de::value::StrDeserializer;
use serde::de::{Error as _, IntoDeserializer, Unexpected, Visitor};

use super::error::Error;
use super::number;
use super::value::Value;

/// What `str` makes of a text or a number.
pub(super) fn write(value: &Value) -> Result<String, String> {
    Ok(match value {
        Value::None => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(integer) => integer.to_string(),
        Value::Huge(digits) => digits.clone(),
        Value::Float(number) => number::float(*number),
        Value::Str(text) => text.clone(),
        Value::Bytes(_) | Value::List(_) | Value::Dict(_) => {
            return Err(format!("a {} cannot be sent as text, which carries a text or a number", value.type_name()));
        }
    })
}

/// A text that may stand for a number.
pub(super) struct Plain<'v>(pub(super) &'v str);

macro_rules! parsed {
    ($($method:ident $visit:ident $expected:literal,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(Error::invalid_type(Unexpected::Str(self.0), &$expected)),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Plain<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.0)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            "True" | "true" => visitor.visit_bool(true),
            "False" | "false" => visitor.visit_bool(false),
            other => Err(Error::invalid_type(Unexpected::Str(other), &"a boolean")),
        }
    }

    parsed! {
        deserialize_i8 visit_i8 "i8",
        deserialize_i16 visit_i16 "i16",
        deserialize_i32 visit_i32 "i32",
        deserialize_i64 visit_i64 "i64",
        deserialize_i128 visit_i128 "i128",
        deserialize_u8 visit_u8 "u8",
        deserialize_u16 visit_u16 "u16",
        deserialize_u32 visit_u32 "u32",
        deserialize_u64 visit_u64 "u64",
        deserialize_u128 visit_u128 "u128",
        deserialize_f32 visit_f32 "f32",
        deserialize_f64 visit_f64 "f64",
    }

    /// What Python makes of `None` is `None` again.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0 == "None" { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0 == "None" { visitor.visit_unit() } else { self.deserialize_any(visitor) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let variant: StrDeserializer<'_, Error> = self.0.into_deserializer();
        visitor.visit_enum(variant)
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
