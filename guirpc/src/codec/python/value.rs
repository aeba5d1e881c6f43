//! Python's data, as a tree: what JSON, a text and a pickle have in common.

/// A piece of data.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i128),
    /// The digits of an integer that is larger.
    Huge(String),
    Float(f64),
    Str(String),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    /// Every key once.
    Dict(Vec<(Value, Value)>),
}

impl Value {
    /// Python's name of its type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Value::None => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::Huge(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) => "str",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Dict(_) => "dict",
        }
    }

    /// An integer of so many digits, perhaps with a `-` in front.
    pub(super) fn int(digits: &str) -> Value {
        digits.parse().map_or_else(|_| Value::Huge(digits.to_owned()), Value::Int)
    }

    /// The value of a key that is a text.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let Value::Dict(entries) = self else { return None };
        entries.iter().find(|(key, _)| matches!(key, Value::Str(key) if key == name)).map(|(_, value)| value)
    }
}
