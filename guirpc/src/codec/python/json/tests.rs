//! What Python writes, and what it reads.

use proptest::prelude::*;

use super::{read, write};
use crate::codec::MAX_DEPTH;
use crate::codec::python::value::Value;

fn str(text: &str) -> Value {
    Value::Str(text.to_owned())
}

#[test]
fn what_python_writes_comes_back_byte_for_byte() {
    for json in [
        r#"{"k\u00f1": "ni\u00f1o \u20ac \ud83d\ude00", "l": [1, 2.5, null, true, {"a": "b"}], "nan": 1e+300}"#,
        r#"{"x": NaN, "y": Infinity, "z": -Infinity}"#,
        r#"{"foo": -7, "bar": 1180591620717411303424}"#,
        r#""\"\\\n\r\t\b\f\u0000\u001f""#,
        "340282366920938463463374607431768211456",
        "[]",
        "{}",
        "[[], {}]",
        "-0.0",
        "1e-05",
        "\"\u{7f}\"",
    ] {
        assert_eq!(write(&read(json).unwrap()).as_deref(), Ok(json));
    }
}

#[test]
fn the_last_of_equal_keys_counts_where_the_first_stood() {
    let expected = Value::Dict(vec![(str("a"), Value::Int(3)), (str("b"), Value::Int(2))]);
    assert_eq!(read(r#"{"a": 1, "b": 2, "a": 3}"#), Ok(expected));
}

#[test]
fn keys_that_are_no_texts_become_such() {
    let keys = [Value::None, Value::Bool(true), Value::Int(1), Value::Float(0.5), str("x")];
    let dict = Value::Dict(keys.into_iter().map(|key| (key, Value::None)).collect());
    assert_eq!(write(&dict).unwrap(), r#"{"null": null, "true": null, "1": null, "0.5": null, "x": null}"#);
    assert!(write(&Value::Dict(vec![(Value::List(vec![]), Value::None)])).unwrap_err().contains("not list"));
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "[1,",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{a: 1}",
        "{\"a\": 1,}",
        "01",
        "1.",
        ".5",
        "-",
        "+1",
        "1e",
        "nul",
        "nan",
        "'a'",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u00é1\"",
        "\"\n\"",
        "1 2",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ud83dx\"",
        "\u{feff}1",
        "- 1",
        "--1",
        "-NaN",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
    assert!(read(&"9".repeat(4301)).is_err());
    assert!(read(&"9".repeat(4300)).is_ok());
}

#[test]
fn depth_is_bounded() {
    let nested = |levels| "[".repeat(levels) + &"]".repeat(levels);
    assert!(read(&nested(MAX_DEPTH)).is_ok());
    for levels in [MAX_DEPTH + 1, 1_000_000] {
        assert!(read(&nested(levels)).unwrap_err().contains("nested 128 levels"));
    }
    assert!(read(&"{\"a\":".repeat(1_000_000)).is_err());
}

/// What `serde_json` and Python both have.
fn from_serde(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::None,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => {
            number.as_i128().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Int)
        }
        serde_json::Value::String(text) => str(text),
        serde_json::Value::Array(values) => Value::List(values.iter().map(from_serde).collect()),
        serde_json::Value::Object(entries) => {
            Value::Dict(entries.iter().map(|(key, value)| (str(key), from_serde(value))).collect())
        }
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let scalar = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        any::<String>().prop_map(serde_json::Value::from),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn it_agrees_with_serde_json(json in any_json()) {
        let value = from_serde(&json);
        prop_assert_eq!(read(&json.to_string()).unwrap(), value.clone());
        let written = write(&value).unwrap();
        prop_assert!(written.is_ascii());
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), json);
    }

    #[test]
    fn anything_can_be_read(text in any::<String>()) {
        let _ = read(&text);
    }

    #[test]
    fn almost_json_can_be_read(text in r#"[\[\]{}",:0-9eE+.\\u\-ndal ]{0,40}"#) {
        if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
            prop_assert!(read(&text).is_ok());
        }
    }
}
