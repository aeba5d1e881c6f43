//! Writes JSON byte for byte as `json.dumps` does.

use std::fmt::Write;

use super::super::{keys, number};
use crate::codec::python::value::Value;

/// The JSON of a value.
pub(in crate::codec::python) fn write(value: &Value) -> Result<String, String> {
    let mut json = String::new();
    append(&mut json, value)?;
    Ok(json)
}

fn append(json: &mut String, value: &Value) -> Result<(), String> {
    match value {
        Value::None => json.push_str("null"),
        Value::Bool(true) => json.push_str("true"),
        Value::Bool(false) => json.push_str("false"),
        Value::Int(integer) => json.push_str(&integer.to_string()),
        Value::Huge(digits) => json.push_str(digits),
        Value::Float(number) if number.is_nan() => json.push_str("NaN"),
        Value::Float(number) if number.is_infinite() => {
            json.push_str(if *number > 0.0 { "Infinity" } else { "-Infinity" });
        }
        Value::Float(number) => json.push_str(&number::float(*number)),
        Value::Str(text) => quote(json, text),
        // As any other codec of text does, where Python would give up.
        Value::Bytes(bytes) => list(json, bytes, |json, byte| {
            json.push_str(&byte.to_string());
            Ok(())
        })?,
        Value::List(values) => list(json, values, append)?,
        Value::Dict(entries) => {
            json.push('{');
            for (position, (key, value)) in entries.iter().enumerate() {
                if position > 0 {
                    json.push_str(", ");
                }
                quote(json, &keys::written(key)?);
                json.push_str(": ");
                append(json, value)?;
            }
            json.push('}');
        }
    }
    Ok(())
}

fn list<T>(
    json: &mut String,
    values: &[T],
    append: impl Fn(&mut String, &T) -> Result<(), String>,
) -> Result<(), String> {
    json.push('[');
    for (position, value) in values.iter().enumerate() {
        if position > 0 {
            json.push_str(", ");
        }
        append(json, value)?;
    }
    json.push(']');
    Ok(())
}

/// A text in quotes; what is not ASCII, as one or two `\uXXXX`.
fn quote(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            // Python leaves DEL as it is.
            ' '..='\u{7f}' => json.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    write!(json, "\\u{unit:04x}").expect("a String takes everything");
                }
            }
        }
    }
    json.push('"');
}
