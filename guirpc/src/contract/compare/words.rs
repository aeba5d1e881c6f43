//! Schemas in words, as people read them in a difference.

use serde_json::Value;

use super::normalize::alternatives;
use super::shape::{Alternative, Integer, Kind, Rest, Variant};
use crate::contract::Definitions;

/// No more of one value than this is shown, in characters.
const LONGEST: usize = 60;
/// No more variants than these are named.
const MOST: usize = 8;

/// A value, cut to a length that can be read.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// What a schema allows.
pub(super) fn schema(schema: &Value, definitions: &Definitions) -> String {
    let named = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.rsplit('/').next());
    match (named, alternatives(schema, definitions)) {
        (Some(name), _) => format!("`{name}`"),
        (None, Ok(all)) => union(&all),
        (None, Err(why)) => why.0,
    }
}

/// What one of several alternatives is.
pub(super) fn union(all: &[Alternative<'_>]) -> String {
    let names: Vec<&str> = all.iter().filter_map(|one| one.variant().name()).collect();
    let nothing = all.iter().filter(|one| one.is_null()).count();
    let or_null = if nothing > 0 && all.len() > nothing { ", or null" } else { "" };
    if names.len() > 1 && names.len() + nothing == all.len() {
        let more = names.len().saturating_sub(MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let names: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
        return format!("one of {}{more}{or_null}", names.join(", "));
    }
    let mut words: Vec<String> = Vec::new();
    for one in all.iter().filter(|one| !one.is_null() || all.len() == nothing) {
        let word = alternative(one);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    match words.as_slice() {
        [] => "nothing".to_owned(),
        words => format!("{}{or_null}", words.join(" or ")),
    }
}

/// What an alternative is.
pub(super) fn alternative(one: &Alternative<'_>) -> String {
    if let Variant::External(name) | Variant::Tagged { name, .. } = one.variant() {
        return format!("`{name}`");
    }
    match &one.kind {
        Kind::Any => "anything".to_owned(),
        Kind::Null => "null".to_owned(),
        Kind::Boolean => "a truth value".to_owned(),
        Kind::Constant(value) => format!("`{}`", shown(value)),
        Kind::Integer(range) => integer(*range),
        Kind::Number(number) => {
            let bits = if number.is_single { 32 } else { 64 };
            format!("a float of {bits} bits{}", bounds(number.minimum, number.maximum))
        }
        Kind::Text(text) => {
            let longest = text.longest.map(i128::from);
            let shortest = Some(i128::from(text.shortest)).filter(|shortest| *shortest > 0);
            let length = match bounds(shortest, longest).as_str() {
                "" => String::new(),
                bounds => format!(" of a length{bounds}"),
            };
            let pattern = text.pattern.map(|pattern| format!(" like `{pattern}`"));
            let format = text.format.map(|format| format!(" in the format `{format}`"));
            format!("a text{}{}{length}", format.unwrap_or_default(), pattern.unwrap_or_default())
        }
        Kind::Array(array) if !array.first.is_empty() => format!("a tuple of {}", array.first.len()),
        Kind::Array(array) => {
            let what = if array.is_set { "a set" } else { "a list" };
            let shortest = Some(i128::from(array.shortest)).filter(|shortest| *shortest > 0);
            match (shortest, array.longest.map(i128::from)) {
                (Some(one), Some(other)) if one == other => format!("{what} of {one} items"),
                (shortest, longest) => match bounds(shortest, longest).as_str() {
                    "" => what.to_owned(),
                    bounds => format!("{what} of a length{bounds}"),
                },
            }
        }
        Kind::Object(object) if object.properties.is_empty() && !matches!(object.rest, Rest::Ignored) => {
            let keys: Vec<String> = object.patterns.keys().map(|pattern| format!("`{pattern}`")).collect();
            if keys.is_empty() { "a map".to_owned() } else { format!("a map with keys like {}", keys.join(", ")) }
        }
        Kind::Object(object) => {
            let names: Vec<&str> = object.properties.keys().copied().take(MOST).collect();
            let more = if object.properties.len() > MOST { ", …" } else { "" };
            format!("an object {{{}{more}}}", names.join(", "))
        }
    }
}

fn integer(range: Integer) -> String {
    let formats = ["int8", "int16", "int32", "int64", "int128", "uint8", "uint16", "uint32", "uint64", "uint128"];
    match formats.iter().find(|format| Integer::of_format(format) == Some(range)) {
        Some(format) => format!("an integer ({format})"),
        None => format!("an integer{}", bounds(range.minimum, range.maximum)),
    }
}

fn bounds<T: std::fmt::Display>(minimum: Option<T>, maximum: Option<T>) -> String {
    match (minimum, maximum) {
        (None, None) => String::new(),
        (Some(minimum), None) => format!(" from {minimum}"),
        (None, Some(maximum)) => format!(" to {maximum}"),
        (Some(minimum), Some(maximum)) => format!(" from {minimum} to {maximum}"),
    }
}
