//! Arguments and outputs as they stand in the original's messages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{PythonOptions, PythonSerializer, PythonTextCodec, Unreadable, mime};
use crate::arguments::{ArgumentsOf, Signature, TextArgument};

#[guirpc::function(service = "python")]
fn add(a: i64, b: Option<i64>) -> i64 {
    a + b.unwrap_or_default()
}

#[guirpc::function(service = "python")]
fn double(number: f64) -> f64 {
    number * 2.0
}

#[guirpc::function(service = "python")]
fn wide(number: u128) -> u128 {
    number
}

#[guirpc::function(service = "python")]
fn shift(point: Point) -> Point {
    point
}

#[guirpc::function(service = "python")]
fn sum(numbers: BTreeMap<i64, Vec<u8>>) -> BTreeMap<i64, Vec<u8>> {
    numbers
}

#[guirpc::function(service = "python")]
fn greet(name: &str) -> usize {
    name.len()
}

#[guirpc::function(service = "python")]
fn maybe(number: Option<i64>) -> bool {
    number.is_some()
}

#[guirpc::function(service = "python")]
fn nothing() {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: i32,
    #[serde(default)]
    kind: Kind,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Plain,
    Named(String),
    Sized {
        by: u8,
    },
    Pair(u8, bool),
}

const JSON: PythonOptions = PythonOptions::new();
const TEXT: PythonOptions = PythonOptions { request: PythonSerializer::Text, response: PythonSerializer::Text, ..JSON };

fn body(text: &str) -> Vec<u8> {
    mime::encode(text.as_bytes())
}

#[track_caller]
fn reads<F: Signature>(options: PythonOptions, text: &str, check: impl FnOnce(ArgumentsOf<'_, F>) -> bool) {
    let arguments = options.decode_arguments::<F>(&body(text)).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    assert!(check(arguments), "{text}");
}

#[track_caller]
fn refuses<F: Signature>(options: PythonOptions, text: &str, expected: &str) {
    match options.decode_arguments::<F>(&body(text)) {
        Err(Unreadable::Invalid(message)) => assert_eq!(message, expected, "{text}"),
        Err(Unreadable::Unexpected { class, text: said, .. }) => {
            assert_eq!(format!("{class} -> {said}"), expected, "{text}");
        }
        Ok(_) => panic!("{text} is taken"),
    }
}

#[test]
fn several_arguments_are_in_an_object_by_name() {
    reads::<add>(JSON, r#"{"b": 2, "a": 1, "c": []}"#, |arguments| arguments == (1, Some(2)));
    reads::<add>(JSON, r#"{"a": true}"#, |arguments| arguments == (1, None));
    refuses::<add>(JSON, r#"{"b": 2}"#, "'a' field is required.");
    refuses::<add>(JSON, r#"{"a": "1"}"#, "'a' field is not an integer.");
    refuses::<add>(JSON, r#"{"a": 1.0}"#, "'a' field is not an integer.");
    refuses::<add>(JSON, r#"{"a": 1e2}"#, "'a' field is not an integer.");
    refuses::<add>(JSON, r#"{"a": 9223372036854775808}"#, "'a' field: 9223372036854775808 is out of range for i64.");
    refuses::<add>(JSON, "[1, 2]", "TypeError -> 'list' object is not a mapping");
    refuses::<add>(JSON, "null", "TypeError -> 'NoneType' object is not a mapping");
}

#[test]
fn the_only_argument_is_the_whole_object_or_in_it() {
    reads::<double>(JSON, "2", |arguments| arguments == (2.0,));
    reads::<double>(JSON, r#"{"number": 1180591620717411303424}"#, |arguments| arguments == (2_f64.powi(70),));
    reads::<double>(JSON, "-Infinity", |arguments| arguments == (f64::NEG_INFINITY,));
    refuses::<double>(JSON, r#"{"n": 2}"#, "'number' field is required.");
    refuses::<double>(JSON, r#""x""#, "'number' field is not a number.");
    reads::<wide>(JSON, &u128::MAX.to_string(), |(number,)| number == u128::MAX);
    refuses::<wide>(JSON, "-1", "'number' field: -1 is out of range for u128.");
    refuses::<wide>(JSON, &"9".repeat(50), "'number' field: the integer is out of range for u128.");
}

#[test]
fn what_is_wrong_inside_is_said_with_the_way_to_it() {
    reads::<shift>(JSON, r#"{"point": {"x": 1}}"#, |(point,)| point.x == 1);
    refuses::<shift>(JSON, r#"{"x": "a"}"#, "'x' field is not an integer.");
    refuses::<shift>(JSON, r#"{"y": 1}"#, "'x' field is required.");
    refuses::<shift>(
        JSON,
        r#"{"point": {"x": 1, "kind": {"sized": {"by": null}}}}"#,
        "'point.kind.by' field is not an integer.",
    );
    for kind in [Kind::Plain, Kind::Named("a".to_owned()), Kind::Sized { by: 1 }, Kind::Pair(1, true)] {
        let point = Point { x: 1, kind };
        reads::<shift>(JSON, &serde_json::to_string(&point).unwrap(), |(read,)| read == point);
        let body = JSON.encode_arguments::<shift>(&(point.clone(),)).unwrap();
        assert_eq!(JSON.decode_arguments::<shift>(&body).unwrap(), (point,));
    }
}

#[test]
fn keys_may_be_numbers_and_lists_may_be_bytes() {
    reads::<sum>(JSON, r#"{"-1": [0, 255]}"#, |(numbers,)| numbers == BTreeMap::from([(-1, vec![0, 255])]));
}

#[test]
fn a_text_is_the_argument_or_stands_for_it() {
    reads::<greet>(TEXT, "", |(name,)| name == TextArgument::new(""));
    reads::<greet>(TEXT, "2", |(name,)| name == TextArgument::new("2"));
    reads::<double>(TEXT, "2.5", |arguments| arguments == (2.5,));
    reads::<double>(TEXT, "nan", |(number,)| number.is_nan());
    reads::<maybe>(TEXT, "None", |(number,)| number.is_none());
    reads::<maybe>(TEXT, "7", |(number,)| number == Some(7));
    refuses::<maybe>(TEXT, "x", "'number' field is not an integer.");
    refuses::<add>(
        TEXT,
        "x",
        "a text cannot be several arguments: it carries a single argument, and the function takes 2: a, b.",
    );
}

#[test]
fn a_function_without_arguments_takes_what_can_be_read() {
    for text in ["{}", "null", "[1]", r#"{"a": 1}"#] {
        reads::<nothing>(JSON, text, |()| true);
    }
    reads::<nothing>(TEXT, "x", |()| true);
    assert!(matches!(JSON.decode_arguments::<nothing>(&body("{")), Err(Unreadable::Unexpected { .. })));
}

#[test]
fn arguments_are_written_as_they_are_read() {
    let written = |body: Vec<u8>| String::from_utf8(mime::decode(&body).unwrap()).unwrap();
    assert_eq!(written(JSON.encode_arguments::<add>(&(1, Some(2))).unwrap()), r#"{"a": 1, "b": 2}"#);
    assert_eq!(written(JSON.encode_arguments::<greet>(&(TextArgument::new("é"),)).unwrap()), r#""\u00e9""#);
    assert_eq!(written(JSON.encode_arguments::<nothing>(&()).unwrap()), "{}");
    assert_eq!(written(TEXT.encode_arguments::<double>(&(2.0,)).unwrap()), "2.0");
    assert_eq!(written(TEXT.encode_arguments::<maybe>(&(None,)).unwrap()), "None");
    assert_eq!(TEXT.encode_arguments::<greet>(&(TextArgument::new("é"),)).unwrap_err(), "'é' is not in ascii");
    let latin1 = PythonOptions { request_codec: PythonTextCodec::Latin1, ..TEXT };
    assert_eq!(mime::decode(&latin1.encode_arguments::<greet>(&(TextArgument::new("é"),)).unwrap()), Ok(vec![0xe9]));
    assert!(TEXT.encode_arguments::<shift>(&(Point { x: 1, kind: Kind::Plain },)).is_err());
}

#[test]
fn an_output_comes_back_from_what_the_original_would_send() {
    let value = json!({"a": [1, -2, 2.5, null, true, "ü"], "b": u64::MAX});
    let body = JSON.encode_output(&value).unwrap();
    assert_eq!(JSON.decode_output::<serde_json::Value>(&body), Ok(value));
    assert_eq!(TEXT.decode_output::<u32>(&TEXT.encode_output(&7).unwrap()), Ok(7));
    assert_eq!(TEXT.decode_output::<bool>(&TEXT.encode_output(&true).unwrap()), Ok(true));
    assert_eq!(
        TEXT.decode_output::<u8>(&TEXT.encode_output(&300).unwrap()),
        Err("the object is not an integer.".to_owned())
    );
    assert!(JSON.encode_output(&BTreeMap::from([(vec![1], 2)])).is_err());
    // A number that would lose digits is refused.
    let big = mime::encode(b"1180591620717411303424");
    assert!(JSON.decode_output::<serde_json::Value>(&big).is_err());
}

#[test]
fn bytes_are_bytes_in_a_pickle_and_numbers_in_json() {
    let pickle = PythonOptions { request: PythonSerializer::Binary, response: PythonSerializer::Binary, ..JSON };
    let bytes = mime::decode(&pickle.encode_output(&vec![1_u8, 255]).unwrap()).unwrap();
    assert_eq!(bytes, b"\x80\x04\x95\x06\0\0\0\0\0\0\0C\x02\x01\xff\x94.");
    assert_eq!(pickle.decode_output::<Vec<u8>>(&mime::encode(&bytes)), Ok(vec![1, 255]));
    assert_eq!(mime::decode(&JSON.encode_output(&vec![1_u8, 255]).unwrap()).unwrap(), b"[1, 255]");
    assert_eq!(mime::decode(&JSON.encode_output(&(1_u8, "a", 2_u8)).unwrap()).unwrap(), b"[1, \"a\", 2]");
}
