//! From the tree of data to a Rust type.

use serde::Deserializer;
use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::error::Error;
use super::text::Plain;
use super::value::Value;

impl Value {
    fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Value::None => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Int(_) | Value::Huge(_) => Unexpected::Other("integer"),
            Value::Float(number) => Unexpected::Float(*number),
            Value::Str(text) => Unexpected::Str(text),
            Value::Bytes(bytes) => Unexpected::Bytes(bytes),
            Value::List(_) => Unexpected::Seq,
            Value::Dict(_) => Unexpected::Map,
        }
    }
}

/// By the narrowest type that holds it: few visitors take the widest.
fn visit_integer<'de, V: Visitor<'de>>(integer: i128, visitor: V) -> Result<V::Value, Error> {
    if let Ok(integer) = u64::try_from(integer) {
        return visitor.visit_u64(integer);
    }
    match i64::try_from(integer) {
        Ok(integer) => visitor.visit_i64(integer),
        Err(_) => visitor.visit_i128(integer),
    }
}

macro_rules! integers {
    ($($method:ident $type:ident,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self {
                // In Python a truth value is an integer.
                Value::Bool(value) => visitor.visit_u64((*value).into()),
                Value::Int(integer) if $type::try_from(*integer).is_err() => {
                    Err(Error::custom(format_args!("{integer} is out of range for {}", stringify!($type))))
                }
                Value::Huge(digits) => match digits.parse::<u128>() {
                    Ok(integer) if $type::try_from(integer).is_ok() => visitor.visit_u128(integer),
                    _ => Err(Error::custom(format_args!("the integer is out of range for {}", stringify!($type)))),
                },
                value => value.deserialize_any(visitor),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for &Value {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Value::None => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(integer) => visit_integer(*integer, visitor),
            Value::Huge(digits) => match digits.parse() {
                Ok(integer) => visitor.visit_u128(integer),
                Err(_) => Err(Error::custom("the integer has more than 128 bits")),
            },
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Str(text) => visitor.visit_str(text),
            Value::Bytes(bytes) => visitor.visit_bytes(bytes),
            Value::List(values) => visit_list(values, visitor),
            Value::Dict(entries) => visit_dict(entries, visitor),
        }
    }

    integers! {
        deserialize_i8 i8, deserialize_i16 i16, deserialize_i32 i32, deserialize_i64 i64, deserialize_i128 i128,
        deserialize_u8 u8, deserialize_u16 u16, deserialize_u32 u32, deserialize_u64 u64, deserialize_u128 u128,
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    /// Any number is a float; one that is too large is infinite.
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            #[allow(clippy::cast_precision_loss, reason = "a float was asked for")]
            Value::Int(integer) => visitor.visit_f64(*integer as f64),
            Value::Huge(digits) => visitor.visit_f64(digits.parse().unwrap_or(f64::INFINITY)),
            value => value.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Value::None => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Value::Bytes(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            value => value.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Value::Str(variant) => visitor.visit_enum(Variant { variant, value: None }),
            Value::Dict(entries) => match entries.as_slice() {
                [(Value::Str(variant), value)] => visitor.visit_enum(Variant { variant, value: Some(value) }),
                _ => Err(Error::invalid_type(self.unexpected(), &"an object of one key, which names the variant")),
            },
            other => Err(Error::invalid_type(other.unexpected(), &"the name of a variant")),
        }
    }

    serde::forward_to_deserialize_any! {
        bool char str string bytes byte_buf unit unit_struct tuple_struct map struct identifier ignored_any
    }
}

fn visit_list<'de, V: Visitor<'de>>(values: &[Value], visitor: V) -> Result<V::Value, Error> {
    let mut elements = Elements { values: values.iter(), count: 0 };
    let list = visitor.visit_seq(&mut elements)?;
    match elements.values.len() {
        0 => Ok(list),
        left => Err(Error::custom(format_args!("the list is longer than expected, by {left}"))),
    }
}

struct Elements<'v> {
    values: std::slice::Iter<'v, Value>,
    count: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(value) = self.values.next() else { return Ok(None) };
        self.count += 1;
        seed.deserialize(value).map(Some).map_err(|error| error.within(self.count - 1))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.values.len())
    }
}

fn visit_dict<'de, V: Visitor<'de>>(entries: &[(Value, Value)], visitor: V) -> Result<V::Value, Error> {
    visitor.visit_map(Entries { entries: entries.iter(), current: None })
}

struct Entries<'v> {
    entries: std::slice::Iter<'v, (Value, Value)>,
    current: Option<(&'v Value, &'v Value)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.current = Some((key, value));
        let key = match key {
            // In JSON every key is a text.
            Value::Str(text) => seed.deserialize(Plain(text)),
            key => seed.deserialize(key),
        };
        key.map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let (key, value) = self.current.take().ok_or_else(|| Error::custom("a value was asked for before its key"))?;
        seed.deserialize(value).map_err(|error| match key {
            Value::Str(key) => error.within(key),
            key => error.within(super::text::write(key).unwrap_or_else(|_| key.type_name().to_owned())),
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

struct Variant<'v> {
    variant: &'v str,
    value: Option<&'v Value>,
}

impl<'de, 'v> EnumAccess<'de> for Variant<'v> {
    type Error = Error;
    type Variant = Content<'v>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Content<'v>), Error> {
        let variant: StrDeserializer<'_, Error> = self.variant.into_deserializer();
        Ok((seed.deserialize(variant)?, Content(self.value)))
    }
}

/// What a variant holds.
struct Content<'v>(Option<&'v Value>);

impl Content<'_> {
    fn value(&self) -> Result<&Value, Error> {
        self.0.ok_or_else(|| Error::custom("the variant holds something, and there is only its name"))
    }
}

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0 {
            None | Some(Value::None) => Ok(()),
            Some(_) => Err(Error::custom("the variant holds nothing")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.value()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Error> {
        self.value()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.value()?.deserialize_any(visitor)
    }
}
