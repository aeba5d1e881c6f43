//! A call to paste: of a function that is served, with arguments for types that everybody knows.

use crate::registry::Registration;

/// A command line that calls a function.
pub(super) struct Example {
    pub(super) line: String,
    /// A type of which no value could be made up: there stands `null` instead.
    pub(super) unknown: Option<&'static str>,
}

impl Example {
    /// Calls the first function as written whose types are all known here; or the first, if there is none.
    pub(super) fn of(uri: &str, functions: impl Iterator<Item = &'static Registration>) -> Option<Self> {
        let place = |function: &Registration| (function.description.place.file, function.description.place.line);
        let function = functions.min_by_key(|function| (unknown(function).is_some(), place(function)))?;
        let words = ["guirpc", "call", "--uri", uri, function.service, function.name, &arguments(function)];
        Some(Example { line: words.map(quoted).join(" "), unknown: unknown(function) })
    }
}

/// The first type of which no value can be made up.
fn unknown(function: &Registration) -> Option<&'static str> {
    function.description.parameters.iter().map(|parameter| parameter.ty.name).find(|ty| value(ty, "", 0).is_none())
}

/// A JSON object with the parameters in their order.
fn arguments(function: &Registration) -> String {
    let arguments = (1..).zip(function.description.parameters).map(|(number, parameter)| {
        let value = value(parameter.ty.name, parameter.name, number);
        format!("{}: {}", text(parameter.name), value.as_deref().unwrap_or("null"))
    });
    format!("{{{}}}", arguments.collect::<Vec<_>>().join(", "))
}

/// A value of the type, as JSON: a text says what it is for, a number is this one.
///
/// Only of types that are known by their name; to read the others is the compiler's business.
fn value(ty: &str, name: &str, number: u8) -> Option<String> {
    match ty {
        "i8" | "i16" | "i32" | "i64" | "isize" | "u8" | "u16" | "u32" | "u64" | "usize" | "f32" | "f64" => {
            Some(number.to_string())
        }
        "bool" => Some("true".to_owned()),
        "&str" | "String" => Some(text(name)),
        _ => None,
    }
}

/// A JSON string.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Service;

    #[guirpc::function(service = "examples of calls", name = "it's unknown")]
    fn unknown_type(level: Level, number: u8) {
        let _ = (level, number);
    }

    #[guirpc::function(service = "examples of calls")]
    fn known(r#type: &str, count: u32, ratio: f32, owner: String, is_open: bool) {
        let _ = (r#type, count, ratio, owner, is_open);
    }

    type Level = u8;

    #[test]
    fn a_function_that_can_be_called_as_it_stands_is_preferred() {
        let service = Service::linked("examples of calls").unwrap();
        let example = Example::of("amqp://localhost", service.functions()).unwrap();
        let arguments = r#"{"type": "type", "count": 2, "ratio": 3, "owner": "owner", "is_open": true}"#;
        let line = format!("guirpc call --uri amqp://localhost 'examples of calls' known '{arguments}'");
        assert_eq!((example.line.as_str(), example.unknown), (line.as_str(), None));
        let unknown = service.functions().filter(|function| function.name != "known");
        let example = Example::of("amqp://localhost", unknown).unwrap();
        assert!(example.line.ends_with(r#" 'it'\''s unknown' '{"level": null, "number": 2}'"#), "{}", example.line);
        assert_eq!(example.unknown, Some("Level"));
    }
}
