//! The sections of the types: their fields, or what they can be.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::Direction;
use super::phrase::{Links, cell, code, members};
use crate::contract::Contract;

/// A section for each type, and one for each direction of a type that differs.
pub(super) fn sections(contract: &Contract, links: &Links<'_>) -> String {
    let definitions = &contract.definitions;
    let mut sections = Vec::new();
    for direction in [Direction::Input, Direction::Output] {
        for (name, schema) in definitions.of(direction) {
            if direction == Direction::Output && links.is_same(name) {
                continue;
            }
            let both = definitions.input.contains_key(name) && definitions.output.contains_key(name);
            let which = match direction {
                _ if !both || links.is_same(name) => "",
                Direction::Input => ", as it is taken",
                Direction::Output => ", as it is returned",
            };
            sections.push((name, direction, section(name, direction, which, schema, links)));
        }
    }
    sections.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
    let text: String = sections.into_iter().map(|(_, _, text)| text).collect();
    if text.is_empty() { text } else { format!("\n# Types\n{text}") }
}

fn section(name: &str, direction: Direction, which: &str, schema: &Value, links: &Links<'_>) -> String {
    let anchor = links.ty(direction, name).unwrap_or_default();
    let mut section = format!("\n<a id=\"{anchor}\"></a>\n\n## `{name}`{which}\n");
    let Some(schema) = schema.as_object() else {
        let _ = write!(section, "\n{}\n", sentence(&links.phrase(schema)));
        return section;
    };
    if let Some(description) = description(schema) {
        let _ = write!(section, "\n{}\n", super::demoted(description));
    }
    let alternatives = ["oneOf", "anyOf"].into_iter().find_map(|keyword| schema.get(keyword)?.as_array());
    let has_fields = members(schema, "properties").next().is_some();
    if has_fields {
        section.push_str(&fields(schema, links));
    }
    match alternatives {
        Some(alternatives) => section.push_str(&self::alternatives(alternatives, links)),
        None if has_fields => {}
        None => {
            let _ = write!(section, "\n{}\n", sentence(&links.phrase(&Value::Object(schema.clone()))));
        }
    }
    section
}

/// A phrase as a sentence.
fn sentence(phrase: &str) -> String {
    let mut characters = phrase.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    format!("{}{}.", first.map(String::from).unwrap_or_default(), characters.as_str())
}

fn fields(schema: &Map<String, Value>, links: &Links<'_>) -> String {
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let mut table = "\n| field | type | | |\n|---|---|---|---|\n".to_owned();
    for (name, field) in members(schema, "properties") {
        let default = field.get("default").map(|default| format!(", then {}", code(default))).unwrap_or_default();
        let needed =
            if required.contains(&name.as_str()) { "required".to_owned() } else { format!("may be missing{default}") };
        let description = field.as_object().and_then(description).unwrap_or_default();
        let row = [format!("`{name}`"), links.phrase(field), needed, description.to_owned()].map(|text| cell(&text));
        let _ = writeln!(table, "| {} |", row.join(" | "));
    }
    table
}

fn alternatives(alternatives: &[Value], links: &Links<'_>) -> String {
    let mut list = "\nOne of:\n\n".to_owned();
    for alternative in alternatives {
        let phrase = links.phrase(alternative);
        let description = alternative.as_object().and_then(description).map(|text| format!(": {}", cell(text)));
        let _ = writeln!(list, "- {phrase}{}", description.unwrap_or_default());
    }
    list
}

fn description(schema: &Map<String, Value>) -> Option<&str> {
    schema.get("description").and_then(Value::as_str)
}
