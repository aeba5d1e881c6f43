//! From a Rust value to the tree of data.

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::error::Error;
use super::value::Value;
use crate::codec::Depth;
use crate::codec::exact::SERDE_JSON_NUMBER;
use crate::codec::octet_stream::OnlyBytes;

/// Makes the tree, from a value at this depth.
#[derive(Clone, Copy, Default)]
pub(super) struct ToValue(Depth);

impl ToValue {
    /// For what is in a list or a dict.
    fn inside(self) -> Result<Self, Error> {
        self.0.nested().map(ToValue).map_err(Error::custom)
    }

    /// For what is in a `Some` or a newtype.
    fn wrapped(self) -> Result<Self, Error> {
        self.0.wrapped().map(ToValue).map_err(Error::custom)
    }
}

macro_rules! scalars {
    ($($method:ident $type:ty => $variant:ident,)*) => {
        $(fn $method(self, value: $type) -> Result<Value, Error> {
            Ok(Value::$variant(value.into()))
        })*
    };
}

impl Serializer for ToValue {
    type Ok = Value;
    type Error = Error;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Dict;
    type SerializeStruct = Dict;
    type SerializeStructVariant = Dict;

    scalars! {
        serialize_bool bool => Bool,
        serialize_i8 i8 => Int, serialize_i16 i16 => Int, serialize_i32 i32 => Int, serialize_i64 i64 => Int,
        serialize_i128 i128 => Int,
        serialize_u8 u8 => Int, serialize_u16 u16 => Int, serialize_u32 u32 => Int, serialize_u64 u64 => Int,
        serialize_f64 f64 => Float,
        serialize_char char => Str, serialize_str &str => Str, serialize_bytes &[u8] => Bytes,
    }

    /// As the float that has the same digits, which is what `serde_json` sends too.
    fn serialize_f32(self, number: f32) -> Result<Value, Error> {
        Ok(Value::Float(number.to_string().parse().unwrap_or_else(|_| number.into())))
    }

    fn serialize_u128(self, integer: u128) -> Result<Value, Error> {
        Ok(i128::try_from(integer).map_or_else(|_| Value::Huge(integer.to_string()), Value::Int))
    }

    fn serialize_none(self) -> Result<Value, Error> {
        Ok(Value::None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Error> {
        value.serialize(self.wrapped()?)
    }

    fn serialize_unit(self) -> Result<Value, Error> {
        Ok(Value::None)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, Error> {
        Ok(Value::None)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, Error> {
        Ok(Value::Str(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Result<Value, Error> {
        value.serialize(self.wrapped()?)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        Ok(named(variant, value.serialize(self.inside()?)?))
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<List, Error> {
        Ok(List::new(self.inside()?, None))
    }

    fn serialize_tuple(self, _length: usize) -> Result<List, Error> {
        Ok(List::new(self.inside()?, None))
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<List, Error> {
        Ok(List::new(self.inside()?, None))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<List, Error> {
        Ok(List::new(self.inside()?.inside()?, Some(variant)))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Dict, Error> {
        Ok(Dict::new(self.inside()?, None))
    }

    fn serialize_struct(self, name: &'static str, _length: usize) -> Result<Dict, Error> {
        Ok(Dict { is_number: name == SERDE_JSON_NUMBER, ..Dict::new(self.inside()?, None) })
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Dict, Error> {
        Ok(Dict::new(self.inside()?.inside()?, Some(variant)))
    }
}

fn named(variant: &str, value: Value) -> Value {
    Value::Dict(vec![(Value::Str(variant.to_owned()), value)])
}

/// A list; for as long as there is nothing but `u8` in it, it is bytes, since serde shows no more of a `Vec<u8>`.
pub(super) struct List {
    inside: ToValue,
    variant: Option<&'static str>,
    bytes: Vec<u8>,
    values: Vec<Value>,
}

impl List {
    fn new(inside: ToValue, variant: Option<&'static str>) -> Self {
        List { inside, variant, bytes: Vec::new(), values: Vec::new() }
    }

    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if self.values.is_empty() && value.serialize(OnlyBytes { bytes: &mut self.bytes, one: true }).is_ok() {
            return Ok(());
        }
        self.values.extend(std::mem::take(&mut self.bytes).into_iter().map(|byte| Value::Int(byte.into())));
        self.values.push(value.serialize(self.inside)?);
        Ok(())
    }

    fn finish(self) -> Value {
        let list = if self.bytes.is_empty() { Value::List(self.values) } else { Value::Bytes(self.bytes) };
        match self.variant {
            Some(variant) => named(variant, list),
            None => list,
        }
    }
}

macro_rules! list {
    ($($trait:ident $method:ident,)*) => {
        $(impl $trait for List {
            type Ok = Value;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.push(value)
            }

            fn end(self) -> Result<Value, Error> {
                Ok(self.finish())
            }
        })*
    };
}

list! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

pub(super) struct Dict {
    inside: ToValue,
    variant: Option<&'static str>,
    is_number: bool,
    key: Option<Value>,
    entries: Vec<(Value, Value)>,
}

impl Dict {
    fn new(inside: ToValue, variant: Option<&'static str>) -> Self {
        Dict { inside, variant, is_number: false, key: None, entries: Vec::new() }
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        self.entries.push((Value::Str(name.to_owned()), value.serialize(self.inside)?));
        Ok(())
    }

    fn finish(mut self) -> Value {
        if self.is_number
            && let Some((_, Value::Str(digits))) = self.entries.pop()
        {
            let is_integer = digits.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
            return if is_integer { Value::int(&digits) } else { Value::Float(digits.parse().unwrap_or(f64::NAN)) };
        }
        let dict = Value::Dict(self.entries);
        match self.variant {
            Some(variant) => named(variant, dict),
            None => dict,
        }
    }
}

impl SerializeMap for Dict {
    type Ok = Value;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = Some(key.serialize(self.inside)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = self.key.take().ok_or_else(|| Error::custom("a value without a key"))?;
        self.entries.push((key, value.serialize(self.inside)?));
        Ok(())
    }

    fn end(self) -> Result<Value, Error> {
        Ok(self.finish())
    }
}

macro_rules! structs {
    ($($trait:ident,)*) => {
        $(impl $trait for Dict {
            type Ok = Value;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
                self.field(name, value)
            }

            fn end(self) -> Result<Value, Error> {
                Ok(self.finish())
            }
        })*
    };
}

structs! { SerializeStruct, SerializeStructVariant, }
