//! A schema in a few words, with links to the types that it names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Direction;
use crate::contract::Contract;
use crate::contract::format::components::Keys;
use crate::contract::references::target;

/// Where each function and each type is on the page.
pub(super) struct Links<'a> {
    functions: BTreeMap<&'a str, String>,
    types: BTreeMap<(Direction, &'a str), String>,
    same: BTreeSet<&'a str>,
}

impl<'a> Links<'a> {
    pub(super) fn of(contract: &'a Contract) -> Self {
        let mut keys = Keys::default();
        let definitions = &contract.definitions;
        let same = definitions.same();
        let functions = contract.functions.keys().map(|name| (name.as_str(), keys.of(&format!("function-{name}"))));
        let functions = functions.collect();
        let mut types: BTreeMap<(Direction, &str), String> = BTreeMap::new();
        for (direction, word) in [(Direction::Input, "input"), (Direction::Output, "output")] {
            for name in definitions.of(direction).keys() {
                let shared = types.get(&(Direction::Input, name.as_str())).filter(|_| same.contains(name.as_str()));
                let key = match shared {
                    Some(key) => key.clone(),
                    None if same.contains(name.as_str()) => keys.of(&format!("type-{name}")),
                    None => keys.of(&format!("{word}-{name}")),
                };
                types.insert((direction, name), key);
            }
        }
        Links { functions, types, same }
    }

    /// The anchor of a function.
    pub(super) fn function(&self, name: &str) -> &str {
        self.functions.get(name).map_or("", String::as_str)
    }

    /// The anchor of a type.
    pub(super) fn ty<'s>(&'s self, direction: Direction, name: &'s str) -> Option<&'s str> {
        self.types.get(&(direction, name)).map(String::as_str)
    }

    /// Whether one section stands for both directions.
    pub(super) fn is_same(&self, name: &str) -> bool {
        self.same.contains(name)
    }

    /// A schema in a few words.
    pub(super) fn phrase(&self, schema: &Value) -> String {
        let Value::Object(schema) = schema else {
            return if *schema == Value::Bool(false) { "nothing at all" } else { "anything" }.to_owned();
        };
        if let Some(Value::String(reference)) = schema.get("$ref") {
            return self.link(reference);
        }
        if let Some(constant) = schema.get("const") {
            return code(constant);
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            return values.iter().map(code).collect::<Vec<_>>().join(" or ");
        }
        for (keyword, word) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
            if let Some(Value::Array(schemas)) = schema.get(keyword) {
                return schemas.iter().map(|schema| self.phrase(schema)).collect::<Vec<_>>().join(word);
            }
        }
        match schema.get("type") {
            Some(Value::String(ty)) => self.of_type(ty, schema),
            Some(Value::Array(types)) => {
                let types = types.iter().filter_map(Value::as_str).map(|ty| self.of_type(ty, schema));
                types.collect::<Vec<_>>().join(" or ")
            }
            _ => "anything".to_owned(),
        }
    }

    fn link(&self, reference: &str) -> String {
        let Some((direction, name)) = target(reference) else { return format!("`{reference}`") };
        self.ty(direction, &name).map_or_else(|| format!("`{name}`"), |anchor| format!("[`{name}`](#{anchor})"))
    }

    fn of_type(&self, ty: &str, schema: &Map<String, Value>) -> String {
        let format = schema.get("format").and_then(Value::as_str);
        match (ty, format) {
            ("null", _) => "nothing".to_owned(),
            ("boolean", _) => "`true` or `false`".to_owned(),
            ("string", None) => "text".to_owned(),
            ("string", Some(format)) => format!("text (`{format}`)"),
            ("integer" | "number", Some(format)) => format!("{ty} (`{format}`)"),
            ("array", _) => self.list(schema),
            ("object", _) => self.object(schema),
            _ => ty.to_owned(),
        }
    }

    fn list(&self, schema: &Map<String, Value>) -> String {
        if let Some(Value::Array(items)) = schema.get("prefixItems") {
            let items = items.iter().map(|item| self.phrase(item)).collect::<Vec<_>>().join(", ");
            return format!("list of ({items})");
        }
        let items = schema.get("items").map_or_else(|| "anything".to_owned(), |items| self.phrase(items));
        let least = schema.get("minItems").and_then(Value::as_u64);
        match (least, schema.get("maxItems").and_then(Value::as_u64)) {
            (Some(least), Some(most)) if least == most => format!("list of {least} times {items}"),
            _ => format!("list of {items}"),
        }
    }

    fn object(&self, schema: &Map<String, Value>) -> String {
        let fields = members(schema, "properties").map(|(name, schema)| format!("`{name}`: {}", self.phrase(schema)));
        let fields = fields.collect::<Vec<_>>().join(", ");
        if !fields.is_empty() {
            return format!("object of {fields}");
        }
        if let Some((pattern, values)) = members(schema, "patternProperties").next() {
            return format!("map of keys as `{pattern}` to {}", self.phrase(values));
        }
        match schema.get("additionalProperties") {
            None | Some(Value::Bool(false)) => "object".to_owned(),
            Some(values) => format!("map of texts to {}", self.phrase(values)),
        }
    }
}

/// The schemas under a keyword, by name.
pub(super) fn members<'a>(
    schema: &'a Map<String, Value>,
    keyword: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    schema.get(keyword).and_then(Value::as_object).into_iter().flatten()
}

/// JSON as code.
pub(super) fn code(value: &Value) -> String {
    format!("`{value}`")
}

/// A text that can stand in a table.
pub(super) fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|").replace("\n\n", "<br>").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(schema: &Value, expected: &str) {
        let contract = Contract::from_json(crate::contract::format::tests::SHOP).unwrap();
        assert_eq!(Links::of(&contract).phrase(schema), expected);
    }

    #[test]
    fn every_schema_has_its_words() {
        check(&json!(true), "anything");
        check(&json!({}), "anything");
        check(&json!({ "type": "integer", "format": "int64" }), "integer (`int64`)");
        check(&json!({ "type": ["integer", "null"], "format": "uint32" }), "integer (`uint32`) or nothing");
        check(&json!({ "enum": ["a", "b"] }), "`\"a\"` or `\"b\"`");
        check(&json!({ "type": "array", "items": { "type": "string" } }), "list of text");
        check(&json!({ "type": "array", "prefixItems": [{ "type": "null" }, true] }), "list of (nothing, anything)");
        check(
            &json!({ "type": "object", "additionalProperties": { "type": "boolean" } }),
            "map of texts to `true` or `false`",
        );
        check(
            &json!({ "type": "object", "patternProperties": { "^\\d+$": true } }),
            "map of keys as `^\\d+$` to anything",
        );
        check(&json!({ "properties": { "a": true }, "type": "object" }), "object of `a`: anything");
        check(&json!({ "$ref": "#/definitions/output/Receipt" }), "[`Receipt`](#output-Receipt)");
        check(
            &json!({ "anyOf": [{ "$ref": "#/definitions/input/Size" }, { "type": "null" }] }),
            "[`Size`](#input-Size) or nothing",
        );
    }

    #[test]
    fn a_cell_is_one_line_without_bars() {
        assert_eq!(cell("a | b\nc\n\nd\n"), "a \\| b c<br>d");
    }
}
