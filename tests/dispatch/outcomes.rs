//! What becomes of a request: outputs, errors, faults, and each reason to refuse it.

use std::time::Duration;

use guirpc::{Codec, Dispatcher, EncodedReply, ReplyKind, Request, ServiceInfo, status};
use serde_json::{Value, json};

use crate::functions::FindError;
use crate::service::{
    MAX_BODY, NOW, SERVICE, dispatcher, message, output, raw_request, request, seconds, tolerant_dispatcher,
};

const BOTH: [Codec; 2] = [Codec::MessagePack, Codec::Json];

/// The reply to a function called with these arguments.
fn reply(codec: Codec, function: &str, arguments: &Value) -> EncodedReply {
    dispatcher().dispatch(&request(codec, function, arguments), NOW)
}

#[track_caller]
fn check(reply: &EncodedReply, kind: ReplyKind, status: u16, said: &str) {
    assert_eq!((reply.kind, reply.status, message(reply).as_str()), (Some(kind), status, said));
}

#[test]
fn a_reply_is_encoded_as_its_request_was() {
    for codec in BOTH {
        let reply = reply(codec, "add", &json!({ "a": 2, "b": 3 }));
        assert_eq!((reply.status, reply.content_type.as_ref()), (status::OK, codec.content_type()));
        assert_eq!(output::<i64>(&reply), 5);
    }
    let as_text = dispatcher().dispatch(&raw_request(Codec::Text, "later", "text"), NOW);
    assert_eq!((as_text.content_type.as_ref(), as_text.body.as_slice()), ("text/plain", b"TEXT".as_slice()));
    let as_bytes = dispatcher().dispatch(&raw_request(Codec::OctetStream, "same_bytes", [1, 255]), NOW);
    assert_eq!((as_bytes.content_type.as_ref(), as_bytes.body), ("application/octet-stream", vec![1, 255]));
}

#[test]
fn without_a_content_type_it_is_message_pack() {
    let request = Request { content_type: None, ..request(Codec::MessagePack, "add", &[2, 3]) };
    let reply = dispatcher().dispatch(&request, NOW);
    assert_eq!((reply.content_type.as_ref(), output::<i64>(&reply)), ("application/msgpack", 5));
}

#[test]
fn content_types_may_be_spelt_differently() {
    for content_type in ["application/x-msgpack", "application/vnd.msgpack", "APPLICATION/MSGPACK ; v=1"] {
        let content_type = Some(content_type.to_owned());
        let request = Request { content_type, ..request(Codec::MessagePack, "add", &[2, 3]) };
        assert_eq!(output::<i64>(&dispatcher().dispatch(&request, NOW)), 5);
    }
}

#[test]
fn an_error_of_the_functions_own_arrives_typed() {
    let error = FindError::NoSuchUser { name: "bob".to_owned() };
    let reply_to = |codec| reply(codec, "find", &json!({ "name": "bob" }));
    for reply in BOTH.map(reply_to) {
        assert_eq!((reply.kind, reply.status), (Some(ReplyKind::Error), status::FUNCTION_ERROR));
    }
    assert_eq!(rmp_serde::from_slice::<FindError>(&reply_to(Codec::MessagePack).body).unwrap(), error);
    assert_eq!(serde_json::from_slice::<FindError>(&reply_to(Codec::Json).body).unwrap(), error);
    let as_text = dispatcher().dispatch(&raw_request(Codec::Text, "find", "bob"), NOW);
    check(&as_text, ReplyKind::Error, status::FUNCTION_ERROR, "no user named bob");
}

#[test]
fn a_fault_has_the_status_that_the_function_chose() {
    for codec in BOTH {
        let fault = reply(codec, "parse", &json!([""]));
        check(&fault, ReplyKind::Fault, 409, "nothing to parse");
        check(&reply(codec, "parse", &json!(["x"])), ReplyKind::Fault, 400, "invalid digit found in string");
    }
    let fault = reply(Codec::Json, "parse", &json!([""]));
    let body: Value = serde_json::from_slice(&fault.body).unwrap();
    assert_eq!(body, json!({ "message": "nothing to parse", "details": { "length": 0 } }));
}

#[test]
fn a_panic_is_a_fault() {
    for codec in BOTH {
        let reply = reply(codec, "panic", &json!({ "message": "boom" }));
        check(&reply, ReplyKind::Fault, status::INTERNAL, "`panic` panicked: boom");
    }
}

#[test]
fn an_output_may_have_a_status_and_headers() {
    let reply = reply(Codec::Json, "create", &json!(["ada"]));
    assert_eq!((reply.status, output::<String>(&reply).as_str()), (201, "/users/ada"));
    assert_eq!(reply.headers.get("etag").and_then(guirpc::HeaderValue::as_integer), Some(7));
}

#[test]
fn state_is_kept_between_calls_and_context_is_that_of_the_call() {
    let dispatcher = dispatcher();
    let mut tenant = request(Codec::Json, "tenant", &json!([]));
    for expected in 1..4 {
        assert_eq!(output::<u32>(&dispatcher.dispatch(&request(Codec::Json, "count", &json!([])), NOW)), expected);
        tenant.headers.set("tenant", expected.to_string());
        assert_eq!(output::<Option<String>>(&dispatcher.dispatch(&tenant, NOW)), Some(expected.to_string()));
    }
}

#[test]
fn a_ping_is_answered_by_the_service_itself() {
    for codec in BOTH {
        let info: ServiceInfo = output(&reply(codec, "guirpc.ping", &json!(null)));
        assert_eq!(info.service, SERVICE);
        assert!(info.functions.is_sorted() && info.functions.iter().any(|function| function == "add"));
    }
}

/// Whether the deadline (a header's value, in ms) lets the function run at this moment.
fn runs(deadline: impl Into<guirpc::HeaderValue>, now: u64) -> bool {
    let mut request = request(Codec::Json, "add", &[2, 3]);
    request.headers.set("guirpc-deadline", deadline);
    let reply = dispatcher().dispatch(&request, seconds(now));
    assert!(reply.status == status::OK || reply.status == status::EXPIRED, "{}", message(&reply));
    reply.kind == Some(ReplyKind::Output)
}

#[test]
fn clocks_may_differ() {
    let dispatcher = tolerant_dispatcher(Duration::from_secs(1));
    let mut request = request(Codec::Json, "add", &[2, 3]);
    request.headers.set("guirpc-deadline", 5_000);
    for (now, status) in [(5, status::OK), (6, status::OK), (7, status::EXPIRED)] {
        let reply = dispatcher.dispatch(&request, seconds(now));
        assert_eq!(reply.status, status, "at {now} s");
        // Whose clock is wrong, only the caller can tell.
        let told = reply.headers.get("guirpc-time").and_then(guirpc::HeaderValue::as_integer);
        assert_eq!(told, (status == status::EXPIRED).then_some(7_000));
    }
}

#[test]
fn what_has_expired_is_not_run() {
    assert!(runs(5_001, 5));
    assert!(!runs(5_000, 5));
    assert!(!runs(1, 5));
    let mut request = request(Codec::Json, "count", &json!([]));
    request.headers.set("guirpc-deadline", 1_500);
    let dispatcher = dispatcher();
    let late = "the deadline had passed 8s 500ms before `count` could run";
    check(&dispatcher.dispatch(&request, seconds(10)), ReplyKind::Refusal, status::EXPIRED, late);
    assert_eq!(output::<u32>(&dispatcher.dispatch(&request, seconds(1))), 1);
}

#[test]
fn what_is_no_deadline_does_not_expire() {
    assert!(runs(-1, 5), "before the epoch: no clock says that");
    assert!(runs("1", 5), "a text");
    assert!(runs(1.0, 5), "a float");
    assert!(runs(i64::MAX, u64::from(u32::MAX)));
}

#[test]
fn a_body_may_be_as_large_as_the_limit() {
    let dispatcher = dispatcher();
    let of_size = |size| dispatcher.dispatch(&raw_request(Codec::OctetStream, "same_bytes", vec![7; size]), NOW);
    assert_eq!(of_size(MAX_BODY).body.len(), MAX_BODY);
    let said = format!("the request has {} bytes, this service takes at most {MAX_BODY}", MAX_BODY + 1);
    check(&of_size(MAX_BODY + 1), ReplyKind::Refusal, status::TOO_LARGE, &said);
}

/// The status of `term` called with so deep a term, the list of arguments being the first level.
fn nested(codec: Codec, levels: usize) -> u16 {
    let body = match codec {
        Codec::Json => format!(r#"[{}"Zero"{}]"#, r#"{"Not":"#.repeat(levels - 1), "}".repeat(levels - 1)).into_bytes(),
        _ => [b"\x91".as_slice(), &b"\x81\xa3Not".repeat(levels - 1), b"\xa4Zero"].concat(),
    };
    dispatcher().dispatch(&raw_request(codec, "term", body), NOW).status
}

#[test]
fn values_may_be_nested_up_to_the_limit() {
    for codec in BOTH {
        assert_eq!([1, 127, 128].map(|levels| nested(codec, levels)), [status::OK, status::OK, status::BAD_REQUEST]);
    }
}

#[test]
fn a_refusal_names_the_argument_and_the_place_in_it() {
    let term = json!({ "term": { "Sum": ["Zero", { "Not": { "Pair": [1, "2"] } }] } });
    let said = "`term` cannot be called so: argument `term`: `Sum[1].Not.Pair[1]`: invalid type: string \"2\"";
    for codec in BOTH {
        let reply = reply(codec, "term", &term);
        assert_eq!((reply.kind, reply.status), (Some(ReplyKind::Refusal), status::BAD_REQUEST));
        assert!(message(&reply).starts_with(said), "{}", message(&reply));
    }
}

#[test]
fn a_refusal_to_read_is_in_what_anybody_can_read() {
    let request = Request { content_type: Some("image/png".to_owned()), ..request(Codec::Json, "add", &[2, 3]) };
    let reply = dispatcher().dispatch(&request, NOW);
    assert_eq!((reply.status, reply.content_type.as_ref()), (status::UNSUPPORTED_CONTENT_TYPE, "text/plain"));
    for codec in [Codec::MessagePack, Codec::Json, Codec::Text, Codec::OctetStream] {
        let said = message(&reply);
        assert!(said.contains(codec.content_type()), "{said}");
    }
}

#[test]
fn a_slip_of_the_pen_is_recognised() {
    let said = |name| message(&reply(Codec::Json, name, &json!([])));
    for (wrong, right) in
        [("ad", "add"), ("dad", "add"), ("Add", "add"), ("descirbe", "describe"), ("same-text", "same_text")]
    {
        assert!(said(wrong).ends_with(&format!("; did you mean `{right}`?")), "{}", said(wrong));
    }
    for far in ["subtract", "", "x"] {
        assert!(!said(far).contains("did you mean"), "{}", said(far));
    }
}

#[test]
fn a_dispatcher_may_be_shared_among_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let dispatcher: Dispatcher = dispatcher();
    shared(&dispatcher);
    let count = || output::<u32>(&dispatcher.dispatch(&request(Codec::Json, "count", &json!([])), NOW));
    let mut counts: Vec<u32> = std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(|| [(); 50].map(|()| count())));
        threads.into_iter().flat_map(|thread| thread.join().expect("nothing unwinds")).collect()
    });
    counts.sort_unstable();
    assert!(counts.into_iter().eq(1..=200));
}
