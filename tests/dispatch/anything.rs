//! Any bytes, any headers, any names: there is a reply, and it keeps the rules of replies.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guirpc::{Codec, Dispatcher, EncodedReply, HeaderValue, ReplyKind};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::service::{NOW, dispatcher, output, request, seconds};

mod requests;

use requests::{any_python_request, any_request};

static DISPATCHER: LazyLock<Dispatcher> = LazyLock::new(dispatcher);

/// What a caller may rely on, whatever it sent.
fn keeps_the_rules(reply: &EncodedReply) -> bool {
    let statuses_fit = match reply.kind {
        Some(ReplyKind::Output) => (200..400).contains(&reply.status),
        Some(ReplyKind::Error) => reply.status == 422,
        Some(ReplyKind::Fault) => (400..600).contains(&reply.status),
        Some(ReplyKind::Refusal) => [400, 404, 408, 413, 415].contains(&reply.status),
        None => false,
    };
    let body_fits = match reply.content_type.as_ref() {
        "application/msgpack" => rmp_serde::from_slice::<serde::de::IgnoredAny>(&reply.body).is_ok(),
        "application/json" => serde_json::from_slice::<Value>(&reply.body).is_ok(),
        "text/plain" => std::str::from_utf8(&reply.body).is_ok(),
        "application/octet-stream" => reply.kind == Some(ReplyKind::Output),
        _ => false,
    };
    statuses_fit && body_fits
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn anything_has_a_reply(anything in any_request(), now in 0..u64::from(u32::MAX)) {
        let reply = DISPATCHER.dispatch(&anything, seconds(now));
        prop_assert!(keeps_the_rules(&reply), "{:?}", reply);
        // Nothing is left behind that the next one would feel.
        let sum = DISPATCHER.dispatch(&request(Codec::Json, "add", &[2, 3]), NOW);
        prop_assert_eq!(output::<i64>(&sum), 5);
    }
}

/// What one of Python's callers may rely on: it reads ASCII, and raises an exception for everything else.
fn is_for_python(reply: &EncodedReply) -> bool {
    let serializer = reply.headers.get("Response-Serializer").and_then(HeaderValue::as_str);
    let is_failure = (400..600).contains(&reply.status);
    let properties_fit = match (serializer, is_failure) {
        (Some("JsonSerializer"), false) => reply.content_type == "application/json",
        (Some("JsonSerializer"), true) | (Some("TextSerializer"), _) => reply.content_type == "text/plain",
        (Some("BinarySerializer"), false) => reply.content_type.is_empty() && reply.content_encoding.is_none(),
        _ => false,
    };
    let lines = reply.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let body_fits =
        lines.clone().all(|line| line.len() <= 76) && STANDARD.decode(lines.collect::<Vec<_>>().concat()).is_ok();
    reply.kind.is_none() && (is_failure || (200..400).contains(&reply.status)) && properties_fit && body_fits
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn anything_from_python_has_a_reply(anything in any_python_request(), now in 0..u64::from(u32::MAX)) {
        let reply = DISPATCHER.dispatch(&anything, seconds(now));
        prop_assert!(is_for_python(&reply), "{:?}", reply);
    }
}

#[test]
fn every_status_of_pythons_comes_up() {
    let mut runner = TestRunner::deterministic();
    let mut seen = std::collections::BTreeMap::<u16, u32>::new();
    for _ in 0..4_000 {
        let anything = any_python_request().new_tree(&mut runner).expect("every request will do").current();
        *seen.entry(DISPATCHER.dispatch(&anything, NOW).status).or_default() += 1;
    }
    assert!([200, 400, 500].iter().all(|status| seen.get(status).is_some_and(|count| *count > 50)), "{seen:?}");
}

#[test]
fn every_kind_of_reply_comes_up() {
    // Else the property would say less than it seems to.
    let mut runner = TestRunner::deterministic();
    let mut seen = [0_u32; 4];
    for _ in 0..4_000 {
        let anything = any_request().new_tree(&mut runner).expect("every request will do").current();
        let kind = DISPATCHER.dispatch(&anything, NOW).kind.expect("every reply has a kind");
        seen[kind as usize] += 1;
    }
    assert!(seen.iter().all(|count| *count > 50), "outputs, errors, faults, refusals: {seen:?}");
}
