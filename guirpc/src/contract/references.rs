//! The `$ref`s of schemas: where they stand, and what they point to.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Keywords whose value is a schema.
const SCHEMA: [&str; 12] = [
    "additionalItems",
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Keywords whose value is a list of schemas.
const LIST: [&str; 5] = ["allOf", "anyOf", "items", "oneOf", "prefixItems"];

/// Keywords whose value has a schema under each name.
const MAP: [&str; 5] = ["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"];

/// Which way a type travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Direction {
    /// It is taken.
    Input,
    /// It is returned.
    Output,
}

/// The definition that a `$ref` of a contract points to.
pub(super) fn target(reference: &str) -> Option<(Direction, String)> {
    let path = reference.strip_prefix("#/definitions/")?;
    let (direction, name) = match path.split_once('/')? {
        ("input", name) => (Direction::Input, name),
        ("output", name) => (Direction::Output, name),
        _ => return None,
    };
    let name = percent_decode_str(name).decode_utf8().ok()?;
    Some((direction, name.replace("~1", "/").replace("~0", "~")))
}

/// The schema with each `$ref` in it as `change` has it, or as it was.
pub(super) fn rewritten(schema: &Value, change: &dyn Fn(&str) -> Option<String>) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let mut members = with_subschemas(members, &mut |schema| rewritten(schema, change));
    if let Some(Value::String(reference)) = members.get_mut("$ref")
        && let Some(changed) = change(reference)
    {
        *reference = changed;
    }
    Value::Object(members)
}

/// What each `$ref` in the schema points to, as it is written.
pub(super) fn references(schema: &Value) -> Vec<String> {
    let Value::Object(members) = schema else { return Vec::new() };
    let mut found: Vec<String> = members.get("$ref").and_then(Value::as_str).map(str::to_owned).into_iter().collect();
    with_subschemas(members, &mut |schema| {
        found.extend(references(schema));
        Value::Null
    });
    found
}

/// The schema with what `change` makes of each schema that is directly in it.
///
/// Data that only looks like schemas stays as it is, for example a `default`, or a property called `$ref`.
pub(super) fn with_subschemas(
    schema: &Map<String, Value>,
    change: &mut dyn FnMut(&Value) -> Value,
) -> Map<String, Value> {
    let changed = schema.iter().map(|(keyword, value)| {
        let value = match (keyword.as_str(), value) {
            (keyword, Value::Array(schemas)) if LIST.contains(&keyword) => schemas.iter().map(&mut *change).collect(),
            (keyword, Value::Object(schemas)) if MAP.contains(&keyword) => {
                schemas.iter().map(|(name, schema)| (name.clone(), change(schema))).collect()
            }
            (keyword, schema) if SCHEMA.contains(&keyword) => change(schema),
            (_, data) => data.clone(),
        };
        (keyword.clone(), value)
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_names_a_direction_and_a_type() {
        let found = |reference| target(reference).map(|(direction, name)| (direction == Direction::Input, name));
        assert_eq!(found("#/definitions/input/Order"), Some((true, "Order".to_owned())));
        assert_eq!(found("#/definitions/output/a~1b%20~0c"), Some((false, "a/b ~c".to_owned())));
        for reference in ["#/definitions/Order", "#/definitions/both/Order", "#/$defs/Order", "Order", "#"] {
            assert_eq!(found(reference), None, "{reference}");
        }
    }

    #[test]
    fn only_references_are_rewritten() {
        let schema = |name: &str| {
            json!({
                "properties": { "$ref": { "$ref": name }, "list": { "type": "array", "items": { "$ref": name } } },
                "additionalProperties": { "anyOf": [{ "$ref": name }, true] },
                "prefixItems": [{ "$ref": name }],
                "patternProperties": { "^a": { "not": { "$ref": name } } },
                "default": { "$ref": "data" },
                "enum": [{ "$ref": "data" }],
            })
        };
        assert_eq!(rewritten(&schema("old"), &|name| (name == "old").then(|| "new".to_owned())), schema("new"));
        assert_eq!(rewritten(&schema("old"), &|_| None), schema("old"));
    }
}
