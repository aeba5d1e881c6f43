//! From a schema to its alternatives.
//!
//! What cannot be taken apart is said so, and never passed over: a keyword that is not known here is kept with its value.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::merge::merge;
use super::shape::{Alternative, Array, Integer, Kind, Number, Object, Rest, Text};
use super::words::shown;
use crate::contract::Definitions;

/// Why a schema cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unprovable(pub(super) String);

type Alternatives<'a> = Result<Vec<Alternative<'a>>, Unprovable>;

/// References within references within unions are followed so far.
const DEEPEST: usize = 64;
/// More alternatives than any enum has; schemas that multiply could have any number.
const MOST: usize = 4096;

/// Keywords that allow and refuse nothing.
const ANNOTATIONS: [&str; 12] = [
    "$comment",
    "$id",
    "$schema",
    "contentEncoding",
    "contentMediaType",
    "default",
    "deprecated",
    "description",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
];
/// Keywords that combine schemas.
const COMBINING: [&str; 4] = ["$ref", "allOf", "anyOf", "oneOf"];
/// Keywords that are taken apart, and mean nothing for a value of another type than theirs.
const TYPED: [&str; 17] = [
    "additionalProperties",
    "const",
    "enum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "required",
    "type",
];

/// All that a schema allows.
pub(super) fn alternatives<'a>(schema: &'a Value, definitions: &'a Definitions) -> Alternatives<'a> {
    within(schema, definitions, DEEPEST)
}

/// What a `$ref` and nothing else points to, through any number of them.
pub(super) fn resolved<'a>(mut schema: &'a Value, definitions: &'a Definitions) -> &'a Value {
    for _ in 0..DEEPEST {
        let Some(map) = schema.as_object() else { break };
        if map.keys().any(|key| key != "$ref" && !is_annotation(key)) {
            break;
        }
        let Some(target) = map.get("$ref").and_then(Value::as_str).and_then(|target| pointed(target, definitions))
        else {
            break;
        };
        schema = target;
    }
    schema
}

/// The definition that a reference names.
fn pointed<'a>(reference: &str, definitions: &'a Definitions) -> Option<&'a Value> {
    let (side, name) = reference.strip_prefix("#/definitions/")?.split_once('/')?;
    let side = match side {
        "input" => &definitions.input,
        "output" => &definitions.output,
        _ => return None,
    };
    side.get(name).or_else(|| side.get(&name.replace("~1", "/").replace("~0", "~")))
}

fn is_annotation(keyword: &str) -> bool {
    ANNOTATIONS.contains(&keyword) || keyword.starts_with("x-")
}

fn within<'a>(schema: &'a Value, definitions: &'a Definitions, depth: usize) -> Alternatives<'a> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Unprovable("a schema that refers to itself, or is nested too deeply".to_owned()));
    };
    let map = match schema {
        Value::Bool(true) => return Ok(vec![Alternative::of(Kind::Any)]),
        Value::Bool(false) => return Ok(Vec::new()),
        Value::Object(map) => map,
        other => return Err(Unprovable(format!("`{}` is no schema", shown(other)))),
    };
    let mut all = own(map, schema)?;
    if let Some(reference) = map.get("$ref") {
        let target = reference.as_str().and_then(|reference| pointed(reference, definitions));
        let target = target.ok_or_else(|| Unprovable(format!("`$ref` to {}, which is nowhere", shown(reference))))?;
        all = product(&all, &within(target, definitions, depth)?)?;
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(list) = map.get(keyword) {
            let mut union = Vec::new();
            for part in listed(keyword, list)? {
                union.extend(within(part, definitions, depth)?);
            }
            all = product(&all, &union)?;
        }
    }
    if let Some(list) = map.get("allOf") {
        for part in listed("allOf", list)? {
            all = product(&all, &within(part, definitions, depth)?)?;
        }
    }
    Ok(all)
}

fn listed<'a>(keyword: &str, list: &'a Value) -> Result<&'a [Value], Unprovable> {
    list.as_array().map(Vec::as_slice).ok_or_else(|| Unprovable(format!("`{keyword}` that is no list")))
}

/// What both allow.
fn product<'a>(one: &[Alternative<'a>], other: &[Alternative<'a>]) -> Alternatives<'a> {
    if one.len().saturating_mul(other.len()) > MOST {
        return Err(Unprovable(format!("a schema of more than {MOST} alternatives")));
    }
    let mut all = Vec::new();
    for one in one {
        for other in other {
            all.extend(merge(one, other)?);
        }
    }
    Ok(all)
}

/// What the schema's own keywords allow, without those that combine schemas.
fn own<'a>(map: &'a Map<String, Value>, schema: &'a Value) -> Alternatives<'a> {
    let names: Vec<&str> = match map.get("type") {
        None => Vec::new(),
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) if names.iter().all(Value::is_string) => {
            names.iter().filter_map(Value::as_str).collect()
        }
        Some(other) => return Err(Unprovable(format!("the type {}", shown(other)))),
    };
    let mut extras: BTreeMap<&str, &Value> = BTreeMap::new();
    for (keyword, value) in map {
        let is_known = if keyword == "uniqueItems" || keyword == "unevaluatedProperties" {
            map.contains_key("type")
        } else {
            is_annotation(keyword) || COMBINING.contains(&keyword.as_str()) || TYPED.contains(&keyword.as_str())
        };
        // Without a type they say something of some values only.
        let is_bare = !map.contains_key("type")
            && TYPED.contains(&keyword.as_str())
            && !["const", "enum", "type"].contains(&keyword.as_str());
        if !is_known || (is_bare && !constants_only(map)) {
            extras.insert(keyword, value);
        }
    }
    let mut typed = Vec::new();
    for name in &names {
        typed.push(of_type(name, map, &mut extras)?);
    }
    let alternatives = match constants(map)? {
        None if names.is_empty() => vec![Kind::Any],
        None => typed,
        Some(constants) => {
            let fits = |kind: &Kind<'_>| names.is_empty() || names.iter().any(|name| is_of_type(name, kind));
            constants.into_iter().filter(fits).collect()
        }
    };
    let origin = Some(schema);
    Ok(alternatives.into_iter().map(|kind| Alternative { kind, extras: extras.clone(), origin }).collect())
}

fn constants_only(map: &Map<String, Value>) -> bool {
    map.contains_key("const") || map.contains_key("enum")
}

fn constants(map: &Map<String, Value>) -> Result<Option<Vec<Kind<'_>>>, Unprovable> {
    fn constant(value: &Value) -> Kind<'_> {
        if value.is_null() { Kind::Null } else { Kind::Constant(value) }
    }

    if let Some(value) = map.get("const") {
        return Ok(Some(vec![constant(value)]));
    }
    map.get("enum").map(|list| Ok(listed("enum", list)?.iter().map(constant).collect())).transpose()
}

fn is_of_type(name: &str, kind: &Kind<'_>) -> bool {
    match kind {
        Kind::Null => name == "null",
        Kind::Constant(Value::Bool(_)) => name == "boolean",
        Kind::Constant(Value::String(_)) => name == "string",
        Kind::Constant(Value::Number(number)) => name == "number" || (name == "integer" && !number.is_f64()),
        Kind::Constant(Value::Array(_)) => name == "array",
        Kind::Constant(_) => name == "object",
        _ => false,
    }
}

fn of_type<'a>(
    name: &str,
    map: &'a Map<String, Value>,
    extras: &mut BTreeMap<&'a str, &'a Value>,
) -> Result<Kind<'a>, Unprovable> {
    Ok(match name {
        "null" => Kind::Null,
        "boolean" => Kind::Boolean,
        "integer" => Kind::Integer(integer(map, extras)?),
        "number" => Kind::Number(number(map, extras)?),
        "string" => Kind::Text(Text {
            shortest: count(map, "minLength")?.unwrap_or(0),
            longest: count(map, "maxLength")?,
            pattern: text(map, "pattern")?,
            format: text(map, "format")?,
        }),
        "array" => Kind::Array(array(map)?),
        "object" => Kind::Object(object(map)?),
        other => return Err(Unprovable(format!("the type `{other}`"))),
    })
}

fn integer<'a>(map: &'a Map<String, Value>, extras: &mut BTreeMap<&'a str, &'a Value>) -> Result<Integer, Unprovable> {
    let mut range = Integer { minimum: whole(map, "minimum")?, maximum: whole(map, "maximum")? };
    if let Some(value) = map.get("format") {
        match value.as_str().and_then(Integer::of_format) {
            Some(known) => range = range.intersect(known),
            None => drop(extras.insert("format", value)),
        }
    }
    Ok(range)
}

#[allow(clippy::cast_possible_truncation, reason = "a whole number, which is cut to what there is at most")]
fn whole(map: &Map<String, Value>, keyword: &str) -> Result<Option<i128>, Unprovable> {
    let Some(value) = map.get(keyword) else { return Ok(None) };
    let integer = value.as_i64().map(i128::from).or(value.as_u64().map(i128::from));
    let float = || value.as_f64().filter(|float| float.fract() == 0.0).map(|float| float as i128);
    integer.or_else(float).map(Some).ok_or_else(|| Unprovable(format!("`{keyword}` of {}", shown(value))))
}

fn number<'a>(map: &'a Map<String, Value>, extras: &mut BTreeMap<&'a str, &'a Value>) -> Result<Number, Unprovable> {
    let bound = |keyword: &str| match map.get(keyword) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(|| Unprovable(format!("`{keyword}` of {}", shown(value)))),
    };
    let format = map.get("format");
    let is_single = format.is_some_and(|format| format == "float");
    if let Some(format) = format.filter(|format| !is_single && *format != "double") {
        extras.insert("format", format);
    }
    Ok(Number { is_single, minimum: bound("minimum")?, maximum: bound("maximum")? })
}

fn array(map: &Map<String, Value>) -> Result<Array<'_>, Unprovable> {
    let first = map.get("prefixItems").map(|list| listed("prefixItems", list)).transpose()?.unwrap_or_default();
    Ok(Array {
        first: first.iter().collect(),
        items: map.get("items"),
        shortest: count(map, "minItems")?.unwrap_or(0),
        longest: count(map, "maxItems")?,
        is_set: map.get("uniqueItems") == Some(&Value::Bool(true)),
    })
}

fn object(map: &Map<String, Value>) -> Result<Object<'_>, Unprovable> {
    let members = |keyword: &str| match map.get(keyword) {
        None => Ok(BTreeMap::new()),
        Some(Value::Object(members)) => Ok(members.iter().map(|(name, schema)| (name.as_str(), schema)).collect()),
        Some(other) => Err(Unprovable(format!("`{keyword}` of {}", shown(other)))),
    };
    let order: Vec<&str> = match map.get("required") {
        None => Vec::new(),
        Some(list) => listed("required", list)?.iter().filter_map(Value::as_str).collect(),
    };
    let rest = match map.get("additionalProperties").or(map.get("unevaluatedProperties")) {
        None => Rest::Ignored,
        Some(Value::Bool(false)) => Rest::Refused,
        Some(schema) => Rest::Typed(schema),
    };
    let required = order.iter().copied().collect();
    Ok(Object { properties: members("properties")?, required, order, patterns: members("patternProperties")?, rest })
}

fn count(map: &Map<String, Value>, keyword: &str) -> Result<Option<u64>, Unprovable> {
    match map.get(keyword) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| Unprovable(format!("`{keyword}` of {}", shown(value)))),
    }
}

fn text<'a>(map: &'a Map<String, Value>, keyword: &str) -> Result<Option<&'a str>, Unprovable> {
    match map.get(keyword) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| Unprovable(format!("`{keyword}` of {}", shown(value)))),
    }
}
