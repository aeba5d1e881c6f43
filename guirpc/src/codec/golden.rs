//! The bytes on the wire, which no release may change: what an old caller sends, a new service must read.
//!
//! In MessagePack `"…"` stands for the bytes of a text; the rest is hexadecimal.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Codec, Format, fault, function_error, output, refusal};
use crate::arguments::{ArgumentsOf, BytesArgument, Signature, TextArgument, UnknownNames};
use crate::error::Fault;
use crate::error::Refusal;
use crate::message::{EncodedReply, Headers, ReplyKind, status};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    age: Option<u8>,
    picture: Vec<u8>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Meters(f64);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Point,
    Named { name: String },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Bytes(Vec<u8>),
    Text(String),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flattened {
    id: u8,
    #[serde(flatten)]
    user: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Point,
    Circle(u8),
    Line(i8, i8),
    Named { name: String },
}

#[guirpc::function(service = "guirpc")]
fn add(a: i64, b: i64) -> i64;
#[guirpc::function(service = "guirpc")]
fn nothing();
#[guirpc::function(service = "guirpc")]
fn store(name: &str, bytes: &[u8], expires: Option<u32>);
#[guirpc::function(service = "guirpc")]
fn register(user: User);
#[guirpc::function(service = "guirpc")]
fn say(text: &str) -> String;
#[guirpc::function(service = "guirpc")]
fn sum(bytes: &[u8]) -> u64;

/// The bytes that a line of MessagePack stands for.
pub(super) fn bytes(line: &str) -> Vec<u8> {
    let part = |part: &str| match part.strip_prefix('"') {
        Some(text) => text.trim_end_matches('"').as_bytes().to_vec(),
        None => vec![u8::from_str_radix(part, 16).expect("a byte in hexadecimal")],
    };
    line.split_whitespace().flat_map(part).collect()
}

fn in_both(message_pack: &str, json: &str) -> [(Codec, Vec<u8>); 2] {
    [(Codec::MessagePack, bytes(message_pack)), (Codec::Json, json.as_bytes().to_vec())]
}

/// Holds how arguments are written, and that they are read from the same bytes.
#[track_caller]
fn check_arguments<F: Signature>(
    arguments: &ArgumentsOf<'static, F>,
    golden: impl IntoIterator<Item = (Codec, Vec<u8>)>,
) where
    ArgumentsOf<'static, F>: Debug + PartialEq,
{
    for (codec, golden) in golden {
        assert_eq!(codec.encode_arguments::<F>(arguments).expect("they can be written"), golden, "{codec:?}");
        let decoded =
            codec.decode_arguments::<F>(golden.leak(), &mut UnknownNames::default()).expect("they can be read");
        assert_eq!(&decoded, arguments, "{codec:?}");
    }
}

/// Holds how a value is written, and that it is read from the same bytes.
#[track_caller]
fn check<T: Serialize + DeserializeOwned + Debug + PartialEq>(value: &T, message_pack: &str, json: &str) {
    for (codec, golden) in in_both(message_pack, json) {
        let reply = output(Format::Native(codec), status::OK, Headers::new(), value).expect("it can be written");
        check_reply(&reply, ReplyKind::Output, 200, codec, &golden);
        assert_eq!(&codec.decode::<T>(&golden).expect("it can be read"), value, "{codec:?}");
    }
}

#[track_caller]
fn check_reply(reply: &EncodedReply, kind: ReplyKind, status: u16, codec: Codec, golden: &[u8]) {
    assert_eq!(reply.body, golden, "{codec:?}: {}", String::from_utf8_lossy(&reply.body));
    assert_eq!((reply.kind, reply.status, &*reply.content_type), (Some(kind), status, codec.content_type()));
}

#[test]
fn arguments_are_a_map_by_name() {
    check_arguments::<add>(&(2, -3), in_both(r#"82 a1 "a" 02 a1 "b" fd"#, r#"{"a":2,"b":-3}"#));
    check_arguments::<nothing>(&(), in_both("80", "{}"));
    check_arguments::<store>(
        &(TextArgument::new("ada"), BytesArgument::new(&[1, 2, 255]), None),
        in_both(
            r#"83 a4 "name" a3 "ada" a5 "bytes" c4 03 01 02 ff a7 "expires" c0"#,
            r#"{"name":"ada","bytes":[1,2,255],"expires":null}"#,
        ),
    );
    check_arguments::<register>(
        &(User { name: "ada".to_owned(), age: Some(36), picture: vec![0, 200] },),
        in_both(
            r#"81 a4 "user" 83 a4 "name" a3 "ada" a3 "age" 24 a7 "picture" 92 00 cc c8"#,
            r#"{"user":{"name":"ada","age":36,"picture":[0,200]}}"#,
        ),
    );
}

#[test]
fn a_single_argument_may_be_the_whole_body() {
    check_arguments::<say>(&(TextArgument::new("ada \"\n"),), [(Codec::Text, b"ada \"\n".to_vec())]);
    check_arguments::<sum>(&(BytesArgument::new(&[1, 2, 255]),), [(Codec::OctetStream, vec![1, 2, 255])]);
    check_arguments::<nothing>(&(), [(Codec::Text, vec![]), (Codec::OctetStream, vec![])]);
}

#[test]
fn scalars() {
    check(&(), "c0", "null");
    check(&true, "c3", "true");
    check(&127_u64, "7f", "127");
    check(&128_u8, "cc 80", "128");
    check(&-33_i64, "d0 df", "-33");
    check(&u64::MAX, "cf ff ff ff ff ff ff ff ff", "18446744073709551615");
    check(&1_i128, "01", "1");
    check(&-33_i128, "d0 df", "-33");
    check(&u128::from(u64::MAX), "cf ff ff ff ff ff ff ff ff", "18446744073709551615");
    check(&1.5_f32, "ca 3f c0 00 00", "1.5");
    check(&0.1_f64, "cb 3f b9 99 99 99 99 99 9a", "0.1");
    check(&'ü', "a2 c3 bc", "\"ü\"");
    check(&"ada".to_owned(), r#"a3 "ada""#, r#""ada""#);
    check(&Some(7_u8), "07", "7");
    check(&None::<u8>, "c0", "null");
}

#[test]
fn sequences_and_maps() {
    check(&vec![1_u32, 2, 300], "93 01 02 cd 01 2c", "[1,2,300]");
    check(&vec![1_u8, 2, 255], "c4 03 01 02 ff", "[1,2,255]");
    check(&Vec::<u8>::new(), "c4 00", "[]");
    check(&vec![vec![1_u8], vec![]], "92 91 01 90", "[[1],[]]");
    check(&Some(vec![1_u8, 255]), "92 01 cc ff", "[1,255]");
    check(&serde_bytes::ByteBuf::from([1, 255]), "c4 02 01 ff", "[1,255]");
    check(&vec![serde_bytes::ByteBuf::from([1, 255])], "91 c4 02 01 ff", "[[1,255]]");
    check(&[1_u8, 2], "92 01 02", "[1,2]");
    check(&(1_i8, "a".to_owned()), r#"92 01 a1 "a""#, r#"[1,"a"]"#);
    check(&BTreeMap::from([("a".to_owned(), 1)]), r#"81 a1 "a" 01"#, r#"{"a":1}"#);
    check(&BTreeMap::from([(7, true)]), r#"81 a1 "7" c3"#, r#"{"7":true}"#);
    check(&BTreeMap::from([(true, 'a')]), r#"81 a4 "true" a1 "a""#, r#"{"true":"a"}"#);
}

#[test]
fn structs_and_enums() {
    let user = User { name: "ada".to_owned(), age: None, picture: vec![7] };
    check(
        &user,
        r#"83 a4 "name" a3 "ada" a3 "age" c0 a7 "picture" 91 07"#,
        r#"{"name":"ada","age":null,"picture":[7]}"#,
    );
    check(&Unit, "c0", "null");
    check(&Meters(1.0), "cb 3f f0 00 00 00 00 00 00", "1.0");
    check(&Shape::Point, r#"a5 "Point""#, r#""Point""#);
    check(&Shape::Circle(2), r#"81 a6 "Circle" 02"#, r#"{"Circle":2}"#);
    check(&Shape::Line(1, -1), r#"81 a4 "Line" 92 01 ff"#, r#"{"Line":[1,-1]}"#);
    let named = Shape::Named { name: "n".to_owned() };
    check(&named, r#"81 a5 "Named" 81 a4 "name" a1 "n""#, r#"{"Named":{"name":"n"}}"#);
}

#[test]
fn what_serde_tells_apart_by_its_content_is_written_as_in_json() {
    check(&Tagged::Point, r#"81 a4 "kind" a5 "Point""#, r#"{"kind":"Point"}"#);
    let named = Tagged::Named { name: "n".to_owned() };
    check(&named, r#"82 a4 "kind" a5 "Named" a4 "name" a1 "n""#, r#"{"kind":"Named","name":"n"}"#);
    check(&Untagged::Bytes(b"hi".to_vec()), "92 68 69", "[104,105]");
    check(&Untagged::Text("hi".to_owned()), r#"a2 "hi""#, r#""hi""#);
    let flattened = Flattened { id: 1, user: BTreeMap::from([("a".to_owned(), vec![7])]) };
    check(&flattened, r#"82 a2 "id" 01 a1 "a" 91 07"#, r#"{"id":1,"a":[7]}"#);
}

#[test]
fn addresses_and_times_are_written_as_in_json() {
    use std::net::{IpAddr, SocketAddr};
    use std::time::Duration;

    check(&IpAddr::from([127, 0, 0, 1]), r#"a9 "127.0.0.1""#, r#""127.0.0.1""#);
    check(&SocketAddr::from(([1, 2, 3, 4], 5)), r#"a9 "1.2.3.4:5""#, r#""1.2.3.4:5""#);
    check(&Duration::new(1, 2), r#"82 a4 "secs" 01 a5 "nanos" 02"#, r#"{"secs":1,"nanos":2}"#);
}

#[test]
fn faults_and_refusals_are_maps() {
    let with_details = Fault::new(409, "taken").with_details(json!({ "by": "ada" }));
    let golden = in_both(
        r#"82 a7 "message" a5 "taken" a7 "details" 81 a2 "by" a3 "ada""#,
        r#"{"message":"taken","details":{"by":"ada"}}"#,
    );
    for (codec, golden) in golden {
        check_reply(&fault(Format::Native(codec), &with_details), ReplyKind::Fault, 409, codec, &golden);
    }
    let unknown = Refusal::new(404, "unknown".to_owned());
    for (codec, golden) in in_both(r#"81 a7 "message" a7 "unknown""#, r#"{"message":"unknown"}"#) {
        check_reply(&fault(Format::Native(codec), &Fault::new(500, "unknown")), ReplyKind::Fault, 500, codec, &golden);
        check_reply(&refusal(Format::Native(codec), &unknown), ReplyKind::Refusal, 404, codec, &golden);
    }
    for codec in [Codec::Text, Codec::OctetStream] {
        check_reply(&fault(Format::Native(codec), &with_details), ReplyKind::Fault, 409, Codec::Text, b"taken");
        check_reply(&refusal(Format::Native(codec), &unknown), ReplyKind::Refusal, 404, Codec::Text, b"unknown");
    }
}

#[test]
fn an_error_of_the_functions_own_is_written_like_any_value() {
    for (codec, golden) in in_both(r#"a5 "taken""#, r#""taken""#) {
        let reply = function_error(Format::Native(codec), &"taken".to_owned()).expect("it can be written");
        check_reply(&reply, ReplyKind::Error, 422, codec, &golden);
    }
    let as_text = function_error(Format::Native(Codec::OctetStream), &"taken".to_owned()).expect("it can be shown");
    check_reply(&as_text, ReplyKind::Error, 422, Codec::Text, b"taken");
}
