//! Schemas as shapes: what a value looks like, whatever words of JSON Schema say it.

use serde_json::{Map, Value};

use super::range::Range;

/// What a value looks like.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Any,
    Never,
    Null,
    Boolean,
    Integer(Range),
    Number { single: bool },
    Text { least: u64, most: Option<u64> },
    Literal(Vec<Value>),
    Bytes { whole: bool },
    List { items: Box<Shape>, least: u64, most: Option<u64> },
    Tuple(Vec<Shape>),
    Object { fields: Vec<Field>, others: Others },
    Map { has_integer_keys: bool, values: Box<Shape> },
    Union(Vec<Variant>),
    All(Vec<Shape>),
    Ref(String),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) is_deprecated: bool,
    pub(super) is_required: bool,
    /// What stands for it where it is left out, if that is known.
    pub(super) preset: Option<Value>,
    pub(super) shape: Shape,
}

/// What an object may have beside its fields.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Others {
    Ignored,
    Refused,
    Like(Box<Shape>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Variant {
    pub(super) docs: String,
    pub(super) shape: Shape,
}

/// Arrays of up to so many elements are tuples in TypeScript.
const LONGEST_TUPLE: u64 = 16;

/// The shape that a schema describes; `Any` where it uses words that say more than a shape can.
pub(super) fn shape(schema: &Value) -> Shape {
    let schema = match schema {
        Value::Bool(false) => return Shape::Never,
        Value::Object(schema) => schema,
        _ => return Shape::Any,
    };
    let mut parts = Vec::new();
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        parts.push(Shape::Ref(target.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~")));
    }
    let constant = schema.get("const").map(|constant| vec![constant.clone()]);
    let literals = constant.or_else(|| schema.get("enum").and_then(Value::as_array).cloned());
    match literals {
        Some(literals) if literals.iter().all(is_literal) => parts.push(Shape::Literal(literals)),
        Some(_) => return Shape::Any,
        None => parts.extend(of_types(schema)),
    }
    for word in ["oneOf", "anyOf"] {
        parts.extend(schema.get(word).and_then(Value::as_array).map(|variants| union(variants)));
    }
    parts.extend(schema.get("allOf").and_then(Value::as_array).into_iter().flatten().map(shape));
    match parts.len() {
        0 => Shape::Any,
        1 => parts.swap_remove(0),
        // What is flattened into an object.
        _ if parts.iter().all(Shape::may_be_object) => Shape::All(parts.into_iter().map(Shape::opened).collect()),
        _ => Shape::Any,
    }
}

fn is_literal(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

/// The doc comment of whatever a schema describes.
pub(super) fn docs(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn union(variants: &[Value]) -> Shape {
    Shape::Union(variants.iter().map(|variant| Variant { docs: docs(variant), shape: shape(variant) }).collect())
}

fn of_types(schema: &Map<String, Value>) -> Option<Shape> {
    let value = Value::Object(schema.clone());
    match schema.get("type") {
        Some(Value::String(name)) => Some(of_type(name, schema, &value)),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            let variant = |name| Variant { docs: String::new(), shape: of_type(name, schema, &value) };
            Some(Shape::Union(names.map(variant).collect()))
        }
        _ if schema.contains_key("properties") => Some(object(schema)),
        _ => None,
    }
}

fn of_type(name: &str, schema: &Map<String, Value>, value: &Value) -> Shape {
    let number = |name: &str| schema.get(name).and_then(Value::as_u64);
    match name {
        "null" => Shape::Null,
        "boolean" => Shape::Boolean,
        "integer" => Shape::Integer(Range::of(value)),
        "number" => Shape::Number { single: schema.get("format").and_then(Value::as_str) == Some("float") },
        "string" => Shape::Text { least: number("minLength").unwrap_or_default(), most: number("maxLength") },
        "array" => array(schema, number("minItems").unwrap_or_default(), number("maxItems")),
        "object" => object(schema),
        _ => Shape::Any,
    }
}

fn array(schema: &Map<String, Value>, least: u64, most: Option<u64>) -> Shape {
    if let Some(items) = schema.get("prefixItems").and_then(Value::as_array) {
        return Shape::Tuple(items.iter().map(shape).collect());
    }
    let items = schema.get("items").map_or(Shape::Any, shape);
    let is_byte = items == Shape::Integer(Range { least: 0, most: Some(255) });
    let is_set = schema.get("uniqueItems") == Some(&Value::Bool(true));
    match most {
        Some(most) if most == least && (1..=LONGEST_TUPLE).contains(&most) => {
            Shape::Tuple((0..most).map(|_| items.clone()).collect())
        }
        None if is_byte && !is_set && least == 0 => Shape::Bytes { whole: false },
        most => Shape::List { items: Box::new(items), least, most },
    }
}

fn object(schema: &Map<String, Value>) -> Shape {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let required: Vec<&str> = required.filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    let fields: Vec<Field> = properties
        .into_iter()
        .flatten()
        .map(|(name, property)| Field {
            name: name.clone(),
            docs: docs(property),
            is_deprecated: property.get("deprecated") == Some(&Value::Bool(true)),
            is_required: required.contains(&name.as_str()),
            preset: property.get("default").cloned(),
            shape: shape(property),
        })
        .collect();
    let patterns = schema.get("patternProperties").and_then(Value::as_object);
    if let Some((pattern, values)) = patterns.and_then(|patterns| patterns.iter().next())
        && fields.is_empty()
    {
        let has_integer_keys = pattern.contains(r"\d+");
        return Shape::Map { has_integer_keys, values: Box::new(shape(values)) };
    }
    match schema.get("additionalProperties") {
        Some(Value::Bool(false)) => Shape::Object { fields, others: Others::Refused },
        Some(values) if fields.is_empty() => Shape::Map { has_integer_keys: false, values: Box::new(shape(values)) },
        Some(values) => Shape::Object { fields, others: Others::Like(Box::new(shape(values))) },
        None => Shape::Object { fields, others: Others::Ignored },
    }
}

impl Shape {
    /// The same as a whole argument or output, which may be bytes.
    pub(super) fn into_whole(self, is_bytes: bool) -> Self {
        if is_bytes { Shape::Bytes { whole: true } } else { self }
    }

    fn may_be_object(&self) -> bool {
        match self {
            Shape::Object { .. } | Shape::Map { .. } | Shape::All(_) | Shape::Ref(_) => true,
            Shape::Union(variants) => variants.iter().all(|variant| variant.shape.may_be_object()),
            _ => false,
        }
    }

    /// The same as a part of an object whose other members belong to other parts.
    fn opened(self) -> Self {
        match self {
            Shape::Object { fields, others: Others::Refused } => Shape::Object { fields, others: Others::Ignored },
            Shape::Union(variants) => {
                let open = |Variant { docs, shape }| Variant { docs, shape: shape.opened() };
                Shape::Union(variants.into_iter().map(open).collect())
            }
            shape => shape,
        }
    }

    /// The names of the definitions that it refers to.
    pub(super) fn refs(&self) -> Vec<&str> {
        match self {
            Shape::Ref(name) => vec![name],
            Shape::List { items, .. } => items.refs(),
            Shape::Map { values, .. } => values.refs(),
            Shape::Tuple(parts) | Shape::All(parts) => parts.iter().flat_map(Shape::refs).collect(),
            Shape::Union(variants) => variants.iter().flat_map(|variant| variant.shape.refs()).collect(),
            Shape::Object { fields, others } => {
                let others = match others {
                    Others::Like(shape) => shape.refs(),
                    Others::Ignored | Others::Refused => Vec::new(),
                };
                fields.iter().flat_map(|field| field.shape.refs()).chain(others).collect()
            }
            _ => Vec::new(),
        }
    }
}
