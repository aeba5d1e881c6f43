//! A call to paste: of a function that is served, with arguments that fit the types of its parameters as written.

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
        let place = |function: &Registration| (function.place.file, function.place.line);
        let function = functions.min_by_key(|function| (unknown(function).is_some(), place(function)))?;
        let words = ["guirpc", "call", "--uri", uri, function.service, function.name, &arguments(function)];
        Some(Example { line: words.map(quoted).join(" "), unknown: unknown(function) })
    }
}

/// The first type of which no value can be made up.
fn unknown(function: &Registration) -> Option<&'static str> {
    function.parameters.iter().map(|parameter| parameter.type_name).find(|ty| value(ty, "", 0).is_none())
}

/// A JSON object with the parameters in their order.
fn arguments(function: &Registration) -> String {
    let arguments = (1..).zip(function.parameters).map(|(number, parameter)| {
        let value = value(parameter.type_name, parameter.name, number);
        format!("{}: {}", text(parameter.name), value.as_deref().unwrap_or("null"))
    });
    format!("{{{}}}", arguments.collect::<Vec<_>>().join(", "))
}

/// A value of the type, as JSON: a text says what it is for, an integer is this one.
fn value(ty: &str, name: &str, number: u8) -> Option<String> {
    let value = |ty: &str| value(ty, name, number);
    let ty = ty.trim_start_matches('&').trim();
    if let Some(elements) = inside(ty, '(', ')') {
        let values: Vec<String> = split(elements).map(value).collect::<Option<_>>()?;
        return Some(if values.is_empty() { "null".to_owned() } else { list(&values) });
    }
    if let Some(array) = inside(ty, '[', ']') {
        let (element, length) = array.split_once(';').unwrap_or((array, "1"));
        let length = length.trim().parse().ok().filter(|length| *length <= LONGEST_ARRAY)?;
        return Some(list(&vec![value(element)?; length]));
    }
    let (path, parameters) = match (ty.find('<'), ty.rfind('>')) {
        (Some(open), Some(close)) => (&ty[..open], &ty[open + 1..close]),
        _ => (ty, ""),
    };
    let mut parameters = split(parameters);
    match path.rsplit("::").next()? {
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => {
            Some(number.to_string())
        }
        "f32" | "f64" => Some(format!("{number}.5")),
        "bool" => Some("true".to_owned()),
        "char" => Some(text("a")),
        "str" | "String" => Some(text(name)),
        "Duration" => Some(format!(r#"{{"secs": {number}, "nanos": 0}}"#)),
        "Box" => value(parameters.next()?),
        "Option" => Some(value(parameters.next()?).unwrap_or_else(|| "null".to_owned())),
        "Vec" | "VecDeque" | "HashSet" | "BTreeSet" => Some(list(&[value(parameters.next()?)?])),
        "HashMap" | "BTreeMap" => {
            // Keys of JSON are texts, and those of numbers are their digits.
            let key = value(parameters.next()?).filter(|key| key.starts_with('"') || *key == number.to_string())?;
            Some(format!("{{{}: {}}}", text(key.trim_matches('"')), value(parameters.next()?)?))
        }
        _ => None,
    }
}

const LONGEST_ARRAY: usize = 16;

/// What stands in the brackets around the whole type.
fn inside(ty: &str, open: char, close: char) -> Option<&str> {
    ty.strip_prefix(open)?.strip_suffix(close)
}

/// The parts between those commas that stand in no brackets.
fn split(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let parts = list.split(move |c| {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

fn list(values: &[String]) -> String {
    format!("[{}]", values.join(", "))
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
    use std::collections::{BTreeMap, HashMap};
    use std::time::Duration;

    use serde::de::DeserializeOwned;

    use super::*;
    use crate::registry::Service;

    #[track_caller]
    fn check<T: DeserializeOwned>(ty: &str, expected: &str) {
        assert_eq!(value(ty, "name", 2).as_deref(), Some(expected), "{ty}");
        serde_json::from_str::<T>(expected).expect("the example is a value of the type");
    }

    #[test]
    fn an_example_is_a_value_of_its_type() {
        check::<i64>("i64", "2");
        check::<u8>("::core::primitive::u8", "2");
        check::<f64>("f64", "2.5");
        check::<String>("&str", "\"name\"");
        check::<Vec<u8>>("&[u8]", "[2]");
        check::<[f32; 2]>("[f32; 2]", "[2.5, 2.5]");
        check::<(i32, Vec<(bool, char)>)>("(i32, Vec<(bool, char)>)", r#"[2, [[true, "a"]]]"#);
        check::<Option<Box<String>>>("Option<Box<String>>", "\"name\"");
        check::<Option<Duration>>("Option<Order>", "null");
        check::<HashMap<String, Vec<i8>>>("std::collections::HashMap<String, Vec<i8>>", r#"{"name": [2]}"#);
        check::<BTreeMap<u64, bool>>("BTreeMap<u64, bool>", r#"{"2": true}"#);
        check::<Duration>("Duration", r#"{"secs": 2, "nanos": 0}"#);
        check::<()>("()", "null");
    }

    #[test]
    fn nothing_is_made_up_for_types_that_only_the_program_knows() {
        for ty in ["Order", "Vec<Order>", "HashMap<Order, u8>", "[Order; 2]", "[u8; LENGTH]", "(u8, Order)", "Vec"] {
            assert_eq!(value(ty, "name", 1), None, "{ty}");
        }
    }

    #[guirpc::function(service = "examples of calls", name = "it's unknown")]
    fn unknown_type(level: Level, number: u8) {
        let _ = (level, number);
    }

    #[guirpc::function(service = "examples of calls")]
    fn known(r#type: &str, counts: Vec<u32>) {
        let _ = (r#type, counts);
    }

    type Level = u8;

    #[test]
    fn a_function_that_can_be_called_as_it_stands_is_preferred() {
        let service = Service::linked("examples of calls").unwrap();
        let example = Example::of("amqp://localhost", service.functions()).unwrap();
        let line = r#"guirpc call --uri amqp://localhost 'examples of calls' known '{"type": "type", "counts": [2]}'"#;
        assert_eq!((example.line.as_str(), example.unknown), (line, None));
        let unknown = service.functions().filter(|function| function.name != "known");
        let example = Example::of("amqp://localhost", unknown).unwrap();
        assert!(example.line.ends_with(r#" 'it'\''s unknown' '{"level": null, "number": 2}'"#), "{}", example.line);
        assert_eq!(example.unknown, Some("Level"));
    }
}
