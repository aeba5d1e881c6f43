//! The bytes of both bodies, that they are read as they were written, and what is refused.

use std::borrow::Cow;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{CoalescedCall, CoalescedReply, MOST, decode_calls, decode_replies, encode_calls, encode_replies};
use crate::codec::golden::bytes;
use crate::message::{EncodedReply, HeaderValue, Headers, ReplyKind};

fn call<'a>(id: &'a str, body: &'a [u8]) -> CoalescedCall<'a> {
    let headers = Cow::Owned(Headers::new());
    CoalescedCall { id, function: "add", content_type: None, deadline: None, timeout: None, headers, body }
}

fn reply<'a>(id: &'a str, kind: Option<ReplyKind>, status: u16, body: &[u8]) -> CoalescedReply<'a> {
    let headers = Headers::new();
    let content_type = "application/msgpack".into();
    let reply = EncodedReply { kind, status, content_type, content_encoding: None, headers, body: body.to_owned() };
    CoalescedReply { id, reply: Cow::Owned(reply) }
}

/// Every kind of header, with its bytes behind its name.
fn every_header() -> Headers {
    let nested = Headers::from_iter([("n".to_owned(), HeaderValue::Void)]);
    let values = [
        ("b", HeaderValue::Bool(true)),
        ("i", HeaderValue::Integer(-33)),
        ("f", HeaderValue::Float(1.5)),
        ("t", HeaderValue::from("a")),
        ("x", HeaderValue::Bytes(vec![1, 255])),
        ("s", HeaderValue::Timestamp(1)),
        ("l", HeaderValue::Timestamp(1 << 34)),
        ("v", HeaderValue::Void),
        ("a", HeaderValue::List(vec![1.into(), HeaderValue::Void])),
        ("h", HeaderValue::Table(nested)),
    ];
    values.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

const EVERY_HEADER: &str = r#"8a a1 "b" c3 a1 "i" d0 df a1 "f" cb 3f f8 00 00 00 00 00 00 a1 "t" a1 "a"
    a1 "x" c4 02 01 ff a1 "s" d6 ff 00 00 00 01 a1 "l" c7 0c ff 00 00 00 00 00 00 00 04 00 00 00 00 a1 "v" c0
    a1 "a" 92 01 c0 a1 "h" 81 a1 "n" c0"#;

#[test]
fn calls_are_arrays_in_an_array() {
    let full = CoalescedCall {
        content_type: Some("text/plain"),
        deadline: Some(1_500),
        timeout: Some(250),
        headers: Cow::Owned(every_header()),
        ..call("b-2", b"ada")
    };
    let calls = [call("a-1", &[0x80]), full];
    let golden = bytes(&format!(
        r#"92 97 a3 "a-1" a3 "add" c0 c0 c0 c0 c4 01 80
        97 a3 "b-2" a3 "add" aa "text/plain" cd 05 dc cc fa {EVERY_HEADER} c4 03 "ada""#
    ));
    assert_eq!(encode_calls(&calls), golden);
    assert_eq!(decode_calls(&golden).unwrap(), calls);
}

#[test]
fn replies_are_arrays_in_an_array() {
    let mut full = reply("b-2", None, 0, b"");
    full.reply.to_mut().content_type = Cow::Borrowed("");
    full.reply.to_mut().headers = every_header();
    let replies = [reply("a-1", Some(ReplyKind::Output), 200, &[5]), full];
    let golden = bytes(&format!(
        r#"92 96 a3 "a-1" a6 "output" cc c8 b3 "application/msgpack" c0 c4 01 05
        96 a3 "b-2" c0 00 c0 {EVERY_HEADER} c4 00"#
    ));
    assert_eq!(encode_replies(&replies), golden);
    assert_eq!(decode_replies(&golden).unwrap(), replies);
}

/// The examples on the page `wire_format`.
fn examples() -> Vec<Vec<u8>> {
    let page = include_str!("../../wire_format.md");
    page.split("```text\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(example, _)| bytes(example))
        .collect()
}

#[test]
fn the_examples_of_the_page_are_right() {
    let headers = Headers::from_iter([("tenant".to_owned(), HeaderValue::from("a"))]);
    let greet = CoalescedCall {
        function: "greet",
        content_type: Some("text/plain"),
        deadline: Some(1_700_000_000_000),
        timeout: Some(2_000),
        headers: Cow::Owned(headers),
        ..call("a-2", b"ada")
    };
    let calls = [call("a-1", b"\x82\xa1a\x02\xa1b\xfd"), greet];
    let mut refused = reply("a-2", Some(ReplyKind::Refusal), 404, b"unknown");
    refused.reply.to_mut().content_type = "text/plain".into();
    let replies = [reply("a-1", Some(ReplyKind::Output), 200, b"\xff"), refused];
    let examples = examples();
    assert_eq!(examples, [encode_calls(&calls), encode_replies(&replies)]);
    assert_eq!(decode_calls(&examples[0]).unwrap(), calls);
    assert_eq!(decode_replies(&examples[1]).unwrap(), replies);
}

#[test]
fn further_elements_are_ignored() {
    let further = bytes(r#"91 99 a1 "1" a3 "add" c0 c0 c0 c0 c4 00 81 a1 "x" 92 01 02 c0"#);
    assert_eq!(decode_calls(&further).unwrap(), [call("1", b"")]);
    let further = bytes(r#"91 97 a1 "1" a6 "output" cc c8 b3 "application/msgpack" c0 c4 00 c3"#);
    assert_eq!(decode_replies(&further).unwrap(), [reply("1", Some(ReplyKind::Output), 200, b"")]);
}

#[test]
fn what_is_no_message_of_calls_is_refused_as_a_whole() {
    let good = r#"97 a1 "1" a3 "add" c0 c0 c0 c0 c4 00"#;
    let long = format!(r#"91 97 d9 ff "{}" a3 "add" c0 c0 c0 c0 c4 00"#, "x".repeat(255));
    assert!(decode_calls(&bytes(&long)).is_ok());
    let too_long = format!(r#"91 97 da 01 00 "{}" a3 "add" c0 c0 c0 c0 c4 00"#, "x".repeat(256));
    for (body, error) in [
        (String::new(), "the MessagePack value is cut short"),
        ("80".to_owned(), "invalid type: map, expected a list"),
        ("90".to_owned(), "a message holds from 1 to 1024, this one 0"),
        ("dc 04 01".to_owned(), "a message holds from 1 to 1024, this one 1025"),
        ("dd ff ff ff ff".to_owned(), "a message holds from 1 to 1024, this one 4294967295"),
        (format!("91 {good} c0"), "there is more after the MessagePack value"),
        (format!("92 {good}"), "call 2: the MessagePack value is cut short"),
        (format!("92 {good} c0"), "call 2: invalid type: unit value, expected a list"),
        (r#"91 96 a1 "1" a3 "add" c0 c0 c0 c0"#.to_owned(), "call 1: it has less than 7 elements"),
        (
            r#"91 97 01 a3 "add" c0 c0 c0 c0 c4 00"#.to_owned(),
            "call 1: the id: invalid type: integer `1`, expected a text",
        ),
        (
            r#"91 97 c0 a3 "add" c0 c0 c0 c0 c4 00"#.to_owned(),
            "call 1: the id: invalid type: unit value, expected a text",
        ),
        (
            r#"91 97 a1 "1" ac "guirpc.calls" c0 c0 c0 c0 c4 00"#.to_owned(),
            "call 1: a message of calls in a message of calls",
        ),
        (too_long, "call 1: the id has 256 bytes, AMQP allows 255"),
        (
            r#"91 97 a1 "1" a3 "add" c0 cf ff ff ff ff ff ff ff ff c0 c0 c4 00"#.to_owned(),
            "call 1: the deadline: invalid type: integer `18446744073709551615`, expected an integer of 64 bits",
        ),
        (
            r#"91 97 a1 "1" a3 "add" c0 c0 c0 c0 a0"#.to_owned(),
            "call 1: the body: invalid type: string \"\", expected bytes",
        ),
        (
            r#"91 97 a1 "1" a3 "add" c0 c0 c0 90 c4 00"#.to_owned(),
            "call 1: the headers: invalid type: sequence, expected a map",
        ),
        (
            r#"91 97 a1 "1" a3 "add" c0 c0 c0 82 a1 "a" 01 a1 "a" 02 c4 00"#.to_owned(),
            "call 1: header `a` is there twice",
        ),
        (
            r#"91 97 a1 "1" a3 "add" c0 c0 c0 81 a1 "a" d4 07 00 c4 00"#.to_owned(),
            "call 1: header `a`: an extension type that is no timestamp",
        ),
        (
            format!(r#"91 97 a1 "1" a3 "add" c0 c0 c0 81 a1 "a" {} c0 c4 00"#, "91 ".repeat(200)),
            "call 1: header `a`: nested 128 levels deep or more",
        ),
    ] {
        assert_eq!(decode_calls(&bytes(&body)).unwrap_err().to_string(), error, "{body:.100}");
    }
    let most = vec![call("1", b""); MOST];
    assert_eq!(decode_calls(&encode_calls(&most)).unwrap().len(), MOST);
}

#[test]
fn all_forms_of_a_timestamp_are_read() {
    for (form, seconds) in [
        ("d6 ff 00 00 00 07", 7),
        ("d7 ff 00 00 00 04 00 00 00 07", 7),
        ("d7 ff ff ff ff ff 00 00 00 07", (3 << 32) + 7),
        ("c7 0c ff 00 00 00 09 00 00 00 00 00 00 00 07", 7),
        ("c7 0c ff 00 00 00 00 ff ff ff ff ff ff ff ff", u64::MAX),
    ] {
        let body = bytes(&format!(r#"91 97 a1 "1" a3 "add" c0 c0 c0 81 a1 "s" {form} c4 00"#));
        assert_eq!(decode_calls(&body).unwrap()[0].headers.get("s"), Some(&HeaderValue::Timestamp(seconds)), "{form}");
    }
}

fn header() -> impl Strategy<Value = HeaderValue> {
    let flat = prop_oneof![
        any::<bool>().prop_map(HeaderValue::Bool),
        any::<i64>().prop_map(HeaderValue::Integer),
        prop::num::f64::NORMAL.prop_map(HeaderValue::Float),
        ".{0,40}".prop_map(HeaderValue::Text),
        vec(any::<u8>(), 0..300).prop_map(HeaderValue::Bytes),
        any::<u64>().prop_map(HeaderValue::Timestamp),
        Just(HeaderValue::Void),
    ];
    flat.prop_recursive(3, 20, 4, |inner| {
        let table = vec((".{0,8}", inner.clone()), 0..4).prop_map(distinct);
        prop_oneof![vec(inner, 0..4).prop_map(HeaderValue::List), table.prop_map(HeaderValue::Table)]
    })
}

fn distinct(pairs: Vec<(String, HeaderValue)>) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in pairs {
        headers.set(name, value);
    }
    headers
}

fn headers() -> impl Strategy<Value = Headers> {
    vec((".{0,40}", header()), 0..5).prop_map(distinct)
}

proptest! {
    #[test]
    fn calls_round_trip(
        parts in vec(
            (".{0,60}", ".{0,60}", option::of("[a-z/]{0,200}"), any::<Option<i64>>(), any::<Option<i64>>(), headers(),
            vec(any::<u8>(), 0..300)),
            1..10,
        ),
    ) {
        let call = |(id, function, content_type, deadline, timeout, headers, body)| CoalescedCall {
            id, function, content_type, deadline, timeout, headers, body,
        };
        let calls: Vec<CoalescedCall<'_>> = parts
            .iter()
            .map(|(id, function, content_type, deadline, timeout, headers, body)| {
                call((&**id, &**function, content_type.as_deref(), *deadline, *timeout, Cow::Borrowed(headers), &**body))
            })
            .collect();
        let body = encode_calls(&calls);
        prop_assert!(body.len() <= 5 + calls.iter().map(CoalescedCall::size).sum::<usize>());
        prop_assert_eq!(decode_calls(&body).unwrap(), calls);
    }

    #[test]
    fn replies_round_trip(
        parts in vec((".{0,60}", 0_usize..5, any::<u16>(), headers(), vec(any::<u8>(), 0..300)), 1..10),
    ) {
        let replies: Vec<CoalescedReply<'_>> = parts
            .iter()
            .map(|(id, kind, status, headers, body)| {
                let mut coalesced = reply(id, ReplyKind::ALL.get(*kind).copied(), *status, body);
                coalesced.reply.to_mut().headers = headers.clone();
                coalesced
            })
            .collect();
        let body = encode_replies(&replies);
        prop_assert!(body.len() <= 5 + replies.iter().map(CoalescedReply::size).sum::<usize>());
        prop_assert_eq!(decode_replies(&body).unwrap(), replies);
    }

    #[test]
    fn any_bytes_are_read_or_refused(body in vec(any::<u8>(), 0..200), cut in any::<prop::sample::Index>()) {
        let _ = (decode_calls(&body), decode_replies(&body));
        // And what is nearly right.
        let calls = encode_calls(&[call("a-1", &body), call("a-2", &body)]);
        prop_assert!(decode_calls(&calls[..cut.index(calls.len())]).is_err());
        let mut broken = calls.clone();
        broken[cut.index(calls.len())] ^= 1 << (body.len() % 8);
        let _ = decode_calls(&broken);
    }
}
