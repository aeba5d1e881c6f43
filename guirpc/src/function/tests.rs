//! Arguments on their way through the codecs, and what is said of those that do not arrive.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::arguments::{ArgumentsOf, BytesArgument, Signature, TextArgument, UnknownNames};
use crate::codec::{Codec, DecodeError};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    address: Address,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Address {
    zip: u32,
}

#[guirpc::function(service = "guirpc")]
fn add(a: i64, b: i64) -> i64;
#[guirpc::function(service = "guirpc")]
fn nothing();
#[guirpc::function(service = "guirpc")]
fn greet(name: &str, title: Option<String>) -> String;
#[guirpc::function(service = "guirpc")]
fn sum(bytes: &[u8]) -> u64;
#[guirpc::function(service = "guirpc")]
fn own(bytes: Vec<u8>) -> u64;
#[guirpc::function(service = "guirpc")]
fn register(user: User, tags: Vec<String>, counts: BTreeMap<String, u8>);

fn packed(value: &serde_json::Value) -> Vec<u8> {
    Codec::MessagePack.encode_value(value).expect("JSON is a subset of MessagePack")
}

/// What is wrong with arguments, in JSON (without the place in the text) and in MessagePack.
#[track_caller]
fn check_both_refuse<F: Signature>(arguments: &serde_json::Value, refusal: &str) {
    for (codec, body) in [(Codec::Json, arguments.to_string().into_bytes()), (Codec::MessagePack, packed(arguments))] {
        match codec.decode_arguments::<F>(&body, &mut UnknownNames::default()) {
            Ok(_) => panic!("{codec:?} takes {arguments}"),
            Err(error) => assert_eq!(error.to_string().split(" at line ").next(), Some(refusal), "{codec:?}"),
        }
    }
}

#[track_caller]
fn decoded<F: Signature>(codec: Codec, body: &[u8]) -> ArgumentsOf<'_, F> {
    codec
        .decode_arguments::<F>(body, &mut UnknownNames::default())
        .unwrap_or_else(|error| panic!("{codec:?} refuses: {error}"))
}

fn points_into(body: &[u8], argument: &(impl AsRef<[u8]> + ?Sized)) -> bool {
    body.as_ptr_range().contains(&argument.as_ref().as_ptr())
}

#[test]
fn arguments_travel_as_a_map_by_name() {
    let body = Codec::Json.encode_arguments::<add>(&(2, 3)).unwrap();
    assert_eq!(body, br#"{"a":2,"b":3}"#);
    let body = Codec::MessagePack.encode_arguments::<add>(&(2, 3)).unwrap();
    assert_eq!(body, [0x82, 0xa1, b'a', 2, 0xa1, b'b', 3]);
    assert_eq!(decoded::<add>(Codec::MessagePack, &body), (2, 3));
}

#[test]
fn their_order_does_not_matter_and_unknown_names_are_skipped() {
    for arguments in [json!({"b": 3, "a": 2}), json!({"a": 2, "future": {"x": [1]}, "b": 3}), json!([2, 3])] {
        assert_eq!(decoded::<add>(Codec::MessagePack, &packed(&arguments)), (2, 3));
        assert_eq!(decoded::<add>(Codec::Json, arguments.to_string().as_bytes()), (2, 3));
    }
}

#[test]
fn an_optional_argument_may_be_left_out() {
    assert_eq!(decoded::<greet>(Codec::Json, br#"{"name":"Ada"}"#), (TextArgument::new("Ada"), None));
    assert_eq!(decoded::<greet>(Codec::Json, br#"["Ada"]"#), (TextArgument::new("Ada"), None));
}

#[test]
fn a_function_without_arguments_takes_an_empty_list() {
    for codec in [Codec::MessagePack, Codec::Json, Codec::Text, Codec::OctetStream] {
        let body = codec.encode_arguments::<nothing>(&()).unwrap();
        let () = decoded::<nothing>(codec, &body);
    }
    let () = decoded::<nothing>(Codec::Json, b"[]");
    let () = decoded::<nothing>(Codec::Json, br#"{"future":1}"#);
}

#[test]
fn a_text_is_borrowed_where_the_message_holds_it_as_it_is() {
    let body = Codec::MessagePack.encode_arguments::<greet>(&(TextArgument::new("\"Ada\"\n"), None)).unwrap();
    assert!(points_into(&body, &*decoded::<greet>(Codec::MessagePack, &body).0));
    let body = br#"{"name":"Ada"}"#;
    assert!(points_into(body, &*decoded::<greet>(Codec::Json, body).0));
    let (escaped, _) = decoded::<greet>(Codec::Json, br#"{"name":"\u0041da"}"#);
    assert_eq!(&*escaped, "Ada");
}

#[test]
fn decoding_plain_arguments_allocates_nothing() {
    let body = Codec::MessagePack.encode_arguments::<add>(&(2, -3)).unwrap();
    let allocations = allocation_counter::measure(|| {
        assert_eq!(decoded::<add>(Codec::MessagePack, &body), (2, -3));
    });
    assert_eq!(allocations.count_total, 0);
}

#[test]
fn borrowed_bytes_and_owned_ones_look_alike_on_the_wire() {
    for codec in [Codec::MessagePack, Codec::Json, Codec::OctetStream] {
        let borrowed = codec.encode_arguments::<sum>(&(BytesArgument::new(&[1, 2, 255]),)).unwrap();
        let owned = codec.encode_arguments::<own>(&(vec![1, 2, 255],)).unwrap();
        // The names of the two parameters are the same, so nothing else may differ.
        assert_eq!(borrowed, owned, "{codec:?}");
        assert_eq!(decoded::<sum>(codec, &owned), (BytesArgument::new(&[1, 2, 255]),));
        assert_eq!(decoded::<own>(codec, &borrowed), (vec![1, 2, 255],));
    }
    let body = Codec::MessagePack.encode_arguments::<sum>(&(BytesArgument::new(&[1, 2, 255]),)).unwrap();
    assert_eq!(body[7..9], [0xc4, 3], "bytes are a `bin`");
    let (bytes,) = decoded::<sum>(Codec::MessagePack, &body);
    assert!(points_into(&body, &*bytes));
    assert_eq!(decoded::<sum>(Codec::MessagePack, &packed(&json!({"bytes": [1, 2]}))), (BytesArgument::new(&[1, 2]),));
}

#[test]
fn a_refusal_names_the_argument() {
    check_both_refuse::<add>(&json!({"a": 1}), "argument `b` is missing");
    check_both_refuse::<add>(&json!([1]), "argument `b` is missing");
    check_both_refuse::<add>(&json!([1, 2, 3]), "too many arguments: the function takes 2");
    check_both_refuse::<sum>(
        &json!({"bytes": "text"}),
        "argument `bytes`: invalid type: string \"text\", expected bytes",
    );
    check_both_refuse::<add>(
        &json!(7),
        "invalid type: integer `7`, expected a map of the arguments `a`, `b`, or a list of them",
    );
    let wrong = "argument `b`: invalid type: string \"2\", expected i64";
    check_both_refuse::<add>(&json!({"a": 1, "b": "2"}), wrong);
    check_both_refuse::<add>(&json!([1, "2"]), wrong);
}

#[test]
fn a_refusal_names_the_place_in_the_argument() {
    let wrong = json!({"name": "Ada", "address": {"zip": "no"}});
    let right = json!({"name": "Ada", "address": {"zip": 1}});
    let place = "argument `user`: `address.zip`: invalid type: string \"no\", expected u32";
    check_both_refuse::<register>(&json!({"user": wrong, "tags": [], "counts": {}}), place);
    check_both_refuse::<register>(&json!([wrong, [], {}]), place);
    check_both_refuse::<register>(
        &json!({"user": right, "tags": ["a", 1], "counts": {}}),
        "argument `tags`: `[1]`: invalid type: integer `1`, expected a string",
    );
    check_both_refuse::<register>(
        &json!({"user": right, "tags": [], "counts": {"x.y": -1}}),
        "argument `counts`: `x.y`: invalid value: integer `-1`, expected u8",
    );
}

#[test]
fn an_argument_is_there_at_most_once() {
    let error = Codec::Json
        .decode_arguments::<add>(br#"{"a":1,"a":2,"b":3}"#, &mut UnknownNames::default())
        .expect_err("`a` is there twice");
    assert!(error.to_string().starts_with("argument `a` is there twice"), "{error}");
}

#[test]
fn single_values_carry_single_arguments() {
    for codec in [Codec::Text, Codec::OctetStream] {
        let error = codec.encode_arguments::<add>(&(1, 2)).expect_err("there are two arguments");
        assert!(error.to_string().contains("carries a single argument, and the function takes 2: a, b"), "{error}");
        let error =
            codec.decode_arguments::<add>(b"1", &mut UnknownNames::default()).expect_err("there are two arguments");
        assert!(matches!(error, DecodeError::Unsupported(_)), "{error}");
    }
    assert_eq!(decoded::<sum>(Codec::OctetStream, b"\x01\xff"), (BytesArgument::new(&[1, 255]),));
}
