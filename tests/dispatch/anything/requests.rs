//! Any request: right, nearly right, or nonsense.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guirpc::{Codec, Dialect, HeaderValue, Headers, Request};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::functions::{Term, Trouble};
use crate::service::request;

const FUNCTIONS: [&str; 22] = [
    "add",
    "nothing",
    "describe",
    "everything",
    "same_text",
    "same_bytes",
    "same_number",
    "perhaps",
    "term",
    "find",
    "parse",
    "create",
    "later",
    "count",
    "tenant",
    "panic",
    "panic_twice",
    "troublesome_output",
    "troublesome_error",
    "troublesome_argument",
    "guirpc.ping",
    "ad",
];

fn function() -> impl Strategy<Value = String> {
    prop_oneof![9 => select(&FUNCTIONS).prop_map(str::to_owned), 1 => any::<String>()]
}

fn content_type() -> impl Strategy<Value = Option<String>> {
    let known = select(&["application/msgpack", "application/json", "text/plain", "application/octet-stream"]);
    let spelt_otherwise = select(&["application/x-msgpack", "Application/JSON; charset=utf-8", " text/plain ", ";"]);
    prop_oneof![
        6 => known.prop_map(|known| Some(known.to_owned())),
        1 => spelt_otherwise.prop_map(|known| Some(known.to_owned())),
        1 => option::of(any::<String>()),
    ]
}

fn header_value() -> impl Strategy<Value = HeaderValue> {
    let scalar = prop_oneof![
        any::<bool>().prop_map(HeaderValue::Bool),
        any::<i64>().prop_map(HeaderValue::Integer),
        any::<f64>().prop_map(HeaderValue::Float),
        any::<String>().prop_map(HeaderValue::Text),
        any::<Vec<u8>>().prop_map(HeaderValue::Bytes),
        any::<u64>().prop_map(HeaderValue::Timestamp),
        Just(HeaderValue::Void),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(HeaderValue::List),
            vec((any::<String>(), inner), 0..4).prop_map(|table| HeaderValue::Table(table.into_iter().collect())),
        ]
    })
}

fn headers() -> impl Strategy<Value = Headers> {
    let name = prop_oneof![
        select(&["guirpc-deadline", "guirpc-timeout", "tenant", "FaaS-Name"]).prop_map(str::to_owned),
        any::<String>(),
    ];
    vec((name, header_value()), 0..4).prop_map(|headers| headers.into_iter().collect())
}

/// Any value that JSON can hold, and so MessagePack.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    scalar.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((key(), inner), 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The names of arguments, fields and variants come up often enough to lead somewhere.
fn key() -> impl Strategy<Value = String> {
    let known = select(&["a", "b", "text", "bytes", "value", "number", "term", "name", "Not", "Sum", "trouble"]);
    prop_oneof![3 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

/// Arguments that nearly every function takes: it skips those that it does not know.
fn valid_arguments() -> impl Strategy<Value = Value> {
    let trouble = select(&[Trouble::Writing, Trouble::WritingPanics, Trouble::ShowingPanics, Trouble::DroppingPanics]);
    let term = Term::Sum(vec![Term::Not(Box::new(Term::Pair(1, 2))), Term::Named { name: "x".to_owned() }]);
    (any::<(i64, i64, String, Vec<u8>, Option<u8>)>(), trouble).prop_map(
        move |((a, b, text, bytes, number), trouble)| {
            json!({
                "a": a, "b": b, "text": text, "name": text, "message": text, "bytes": bytes, "number": number,
                "term": term, "trouble": trouble, "value": a,
            })
        },
    )
}

/// Bytes that are right, nearly right, something else or nothing, and what they are said to be.
fn content() -> impl Strategy<Value = (Option<String>, Vec<u8>)> {
    let codec = select(&[Codec::MessagePack, Codec::Json]);
    let encoded = (codec, prop_oneof![3 => valid_arguments(), 1 => value()])
        .prop_map(|(codec, arguments)| (Some(codec.content_type().to_owned()), request(codec, "any", &arguments).body));
    let encoded = encoded.boxed();
    let said_to_be_another = (content_type(), encoded.clone()).prop_map(|(said, (_, body))| (said, body));
    let mutated = (encoded.clone(), mutation()).prop_map(|((said, body), mutation)| (said, mutate(body, mutation)));
    let noise = (content_type(), vec(any::<u8>(), 0..300));
    prop_oneof![4 => encoded, 2 => said_to_be_another, 4 => mutated, 1 => noise]
}

/// A few other bytes here and there, and perhaps an earlier end.
fn mutation() -> impl Strategy<Value = (Vec<(Index, u8)>, Option<Index>)> {
    (vec((any::<Index>(), any::<u8>()), 1..3), option::of(any::<Index>()))
}

fn mutate(mut body: Vec<u8>, (bytes, end): (Vec<(Index, u8)>, Option<Index>)) -> Vec<u8> {
    if body.is_empty() {
        return body;
    }
    for (place, byte) in bytes {
        *place.get_mut(&mut body) = byte;
    }
    body.truncate(end.map_or(body.len(), |end| end.index(body.len() + 1)));
    body
}

prop_compose! {
    pub(super) fn any_request()(
        (function, (content_type, body), headers) in (function(), content(), headers()),
        (correlation_id, reply_to, app_id) in any::<(Option<String>, Option<String>, Option<String>)>(),
        redelivered in any::<bool>(),
    ) -> Request {
        Request { function, content_type, body, correlation_id, reply_to, app_id, headers, redelivered, ..Request::default() }
    }
}

/// What Python's JSON, texts and pickles are made of.
fn python_content() -> impl Strategy<Value = Vec<u8>> {
    let json = prop_oneof![3 => valid_arguments(), 1 => value()].prop_map(|json| json.to_string().into_bytes());
    let of_python = select(&["{\"a\": NaN, \"b\": 1180591620717411303424}", "\"\\ud83d\"", "None", "1e400", "[[[[[[["]);
    let pickle = vec(select(b"(N0]}aeusdlt1K2\x85\x86\x94h\x00\x01C\x8c.cR".to_vec()), 0..40);
    prop_oneof![
        3 => json,
        1 => of_python.prop_map(|text| text.as_bytes().to_vec()),
        1 => any::<String>().prop_map(String::into_bytes),
        1 => pickle,
        1 => vec(any::<u8>(), 0..300),
    ]
}

prop_compose! {
    /// A request of Python's dialect: any content in base64, or something else.
    pub(super) fn any_python_request()(
        request in any_request(),
        content in python_content(),
        mutation in option::weighted(0.3, mutation()),
        is_base64 in proptest::bool::weighted(0.9),
    ) -> Request {
        let body = if is_base64 { STANDARD.encode(content).into_bytes() } else { request.body };
        let body = mutation.into_iter().fold(body, mutate);
        Request { dialect: Dialect::Python, body, ..request }
    }
}
