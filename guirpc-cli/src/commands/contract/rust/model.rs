//! The crate as data: what is left of the schemas once everything has a type of Rust's.

use std::collections::{BTreeMap, BTreeSet};

/// What the crate has.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) functions: Vec<Stub>,
    /// The types, by name.
    pub(super) definitions: BTreeMap<String, Definition>,
    /// Those of them that are the errors of functions.
    pub(super) errors: BTreeSet<String>,
}

/// A function without a body.
#[derive(Debug)]
pub(super) struct Stub {
    /// The name by which it is called over the broker.
    pub(super) name: String,
    pub(super) ident: String,
    /// Names and types.
    pub(super) arguments: Vec<(String, Argument)>,
    pub(super) output: Type,
    pub(super) error: Option<Type>,
}

/// What an argument is passed as.
#[derive(Debug, PartialEq)]
pub(super) enum Argument {
    Text,
    Bytes,
    Owned(Type),
}

/// A type, as it is written where it is used.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    Unit,
    /// `bool`, `i64`, `String` and the like.
    Plain(&'static str),
    /// `serde_json::Value`.
    Value,
    Option(Box<Type>),
    List(Box<Type>),
    Array(Box<Type>, u64),
    Tuple(Vec<Type>),
    Map(&'static str, Box<Type>),
    /// A definition.
    Named(String),
    /// A definition that has to be behind a pointer, since it would contain itself.
    Boxed(String),
}

impl Type {
    /// The type as Rust; `path` stands before the names of definitions.
    pub(super) fn written(&self, path: &str) -> String {
        match self {
            Type::Unit => "()".to_owned(),
            Type::Plain(name) => (*name).to_owned(),
            Type::Value => "serde_json::Value".to_owned(),
            Type::Option(inner) => format!("Option<{}>", inner.written(path)),
            Type::List(inner) => format!("Vec<{}>", inner.written(path)),
            Type::Array(inner, length) => format!("[{}; {length}]", inner.written(path)),
            Type::Tuple(types) => {
                let types: Vec<String> = types.iter().map(|ty| ty.written(path)).collect();
                if let [only] = types.as_slice() { format!("({only},)") } else { format!("({})", types.join(", ")) }
            }
            Type::Map(key, value) => format!("std::collections::BTreeMap<{key}, {}>", value.written(path)),
            Type::Named(name) => format!("{path}{name}"),
            Type::Boxed(name) => format!("Box<{path}{name}>"),
        }
    }

    /// The type, or nothing; once is enough.
    pub(super) fn optional(self) -> Type {
        match self {
            Type::Unit | Type::Option(_) => self,
            ty => Type::Option(Box::new(ty)),
        }
    }
}

/// A type of the crate's own.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) docs: String,
    pub(super) shape: Shape,
    /// Whether a field that is not known makes it another type, in an enum that is told by what fits.
    pub(super) deny_unknown: bool,
}

#[derive(Debug)]
pub(super) enum Shape {
    Struct(Vec<Field>),
    Newtype(Type),
    Enum(Tagging, Vec<Variant>),
}

/// How the variants of an enum are told apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tagging {
    External,
    Internal { tag: String },
    Adjacent { tag: String, content: String },
    Untagged,
}

#[derive(Debug)]
pub(super) struct Variant {
    /// As it travels; of no use where the variants are told by what fits.
    pub(super) name: Option<String>,
    pub(super) ident: String,
    pub(super) docs: String,
    pub(super) data: Data,
}

#[derive(Debug)]
pub(super) enum Data {
    Unit,
    Tuple(Vec<Type>),
    Struct(Vec<Field>),
}

#[derive(Debug)]
pub(super) struct Field {
    /// As it travels.
    pub(super) name: String,
    pub(super) ident: String,
    pub(super) docs: String,
    pub(super) ty: Type,
    pub(super) presence: Presence,
}

/// Whether a field is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Always,
    /// One that is missing is zero, empty or nothing.
    Default,
    /// One that is `None` is left out.
    Optional,
    /// Its own fields are in its place.
    Flattened,
}
