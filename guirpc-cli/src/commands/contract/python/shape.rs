//! What a type of a contract is in Python: how it is written, and how its values travel.

use serde_json::Value;

use super::text::{Expr, string};

/// A type.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Any,
    /// A type that has no values.
    Nothing,
    Null,
    Boolean,
    Bytes,
    Integer {
        least: i128,
        most: i128,
    },
    Number {
        single: bool,
    },
    Text {
        least: u64,
        most: Option<u64>,
    },
    Literals(Vec<Value>),
    Nullable(Box<Shape>),
    Items {
        inner: Box<Shape>,
        least: u64,
        most: Option<u64>,
    },
    Tuple(Vec<Shape>),
    Entries(Box<Shape>),
    IntegerEntries {
        inner: Box<Shape>,
        signed: bool,
    },
    /// A class or an alias: the name in `types`, and that in `codecs`.
    Named {
        name: String,
        codec: String,
    },
}

/// How names of types are written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Written<'a> {
    /// In an annotation, which Python does not evaluate, with this before names.
    Annotation(&'a str),
    /// In an alias, which it does.
    Alias,
    /// In an annotation of a model of pydantic's, with the bounds of integers and texts.
    Model,
}

impl Shape {
    pub(super) fn nullable(self) -> Self {
        match self {
            Shape::Nullable(_) | Shape::Null | Shape::Any => self,
            shape => Shape::Nullable(Box::new(shape)),
        }
    }

    /// The type hint.
    pub(super) fn hint(&self, written: Written<'_>) -> Expr {
        let of = |head: &str, inner: &Shape| Expr::brackets(&format!("{head}["), [inner.hint(written)], "]");
        match self {
            Shape::Any | Shape::Nothing => Expr::atom("Any"),
            Shape::Null => Expr::atom("None"),
            Shape::Boolean => Expr::atom("bool"),
            Shape::Bytes => Expr::atom("bytes"),
            Shape::Integer { least, most } => match written {
                Written::Model => Expr::atom(format!("Annotated[int, Field(ge={least}, le={most})]")),
                _ => Expr::atom("int"),
            },
            Shape::Number { .. } => Expr::atom("float"),
            Shape::Text { .. } => Expr::atom("str"),
            Shape::Literals(values) => {
                Expr::brackets("Literal[", values.iter().map(|value| Expr::atom(literal(value))), "]")
            }
            Shape::Nullable(inner) => match written {
                Written::Alias => Expr::brackets("Union[", [inner.hint(written), Expr::atom("None")], "]"),
                _ => Expr::atom(format!("{} | None", inner.hint(written).flat())),
            },
            Shape::Items { inner, .. } => of("list", inner),
            Shape::Tuple(inners) if inners.is_empty() => Expr::atom("tuple[()]"),
            Shape::Tuple(inners) => Expr::brackets("tuple[", inners.iter().map(|inner| inner.hint(written)), "]"),
            Shape::Entries(inner) => Expr::brackets("dict[", [Expr::atom("str"), inner.hint(written)], "]"),
            Shape::IntegerEntries { inner, .. } => {
                Expr::brackets("dict[", [Expr::atom("int"), inner.hint(written)], "]")
            }
            Shape::Named { name, .. } => match written {
                Written::Annotation(before) => Expr::atom(format!("{before}{name}")),
                Written::Alias => Expr::atom(format!("\"{name}\"")),
                Written::Model => Expr::atom(name),
            },
        }
    }

    /// The codec, with this before names.
    pub(super) fn codec(&self, before: &str) -> Expr {
        let call = |head: &str, inner: &Shape, more: Vec<String>| {
            Expr::call(head, [inner.codec(before)].into_iter().chain(more.into_iter().map(Expr::Atom)))
        };
        match self {
            Shape::Any => Expr::atom("Anything()"),
            Shape::Nothing => Expr::atom("Nothing()"),
            Shape::Null => Expr::atom("Null()"),
            Shape::Boolean => Expr::atom("Boolean()"),
            Shape::Bytes => Expr::atom("Bytes()"),
            Shape::Integer { least, most } => Expr::atom(format!("Integer({least}, {most})")),
            Shape::Number { single: false } => Expr::atom("Number()"),
            Shape::Number { single: true } => Expr::atom("Number(single=True)"),
            Shape::Text { least, most } => Expr::call("Text", bounds(*least, *most).into_iter().map(Expr::Atom)),
            Shape::Literals(values) => Expr::call("Literals", values.iter().map(|value| Expr::atom(literal(value)))),
            Shape::Nullable(inner) => call("Nullable", inner, Vec::new()),
            Shape::Items { inner, least, most } => call("Items", inner, bounds(*least, *most)),
            Shape::Tuple(inners) => Expr::call("Tuple", inners.iter().map(|inner| inner.codec(before))),
            Shape::Entries(inner) => call("Entries", inner, Vec::new()),
            Shape::IntegerEntries { inner, signed: false } => call("IntegerEntries", inner, Vec::new()),
            Shape::IntegerEntries { inner, signed: true } => {
                call("IntegerEntries", inner, vec!["signed=True".to_owned()])
            }
            Shape::Named { codec, .. } => Expr::atom(format!("Lazy(lambda: {before}{codec})")),
        }
    }

    /// A value of this type as Python has it, as far as it needs no class; `None` if it does.
    pub(super) fn default(&self, value: &Value) -> Option<String> {
        match (self, value) {
            (Shape::Nullable(_) | Shape::Null | Shape::Any, Value::Null) => Some("None".to_owned()),
            (Shape::Nullable(inner), value) => inner.default(value),
            (Shape::Boolean, Value::Bool(_))
            | (Shape::Integer { .. }, Value::Number(_))
            | (Shape::Text { .. }, Value::String(_)) => Some(literal(value)),
            (Shape::Number { .. }, Value::Number(number)) => number.as_f64().map(|number| format!("{number:?}")),
            (Shape::Literals(values), value) if values.contains(value) => Some(literal(value)),
            (Shape::Items { .. }, Value::Array(items)) if items.is_empty() => Some("[]".to_owned()),
            (Shape::Entries(_) | Shape::IntegerEntries { .. }, Value::Object(entries)) if entries.is_empty() => {
                Some("{}".to_owned())
            }
            _ => None,
        }
    }
}

fn bounds(least: u64, most: Option<u64>) -> Vec<String> {
    match most {
        Some(most) => vec![least.to_string(), most.to_string()],
        None if least > 0 => vec![least.to_string()],
        None => Vec::new(),
    }
}

/// A scalar as Python has it.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => string(text),
        value => value.to_string(),
    }
}
