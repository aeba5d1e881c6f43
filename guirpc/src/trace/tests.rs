//! The spans, as a subscriber gets them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::Event;
use tracing::Metadata;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};

use std::time::Duration;

use super::*;
use crate::message::{Dialect, HeaderValue};

/// The fields of a span, as texts, and whether it is over.
type Recorded = (BTreeMap<String, String>, bool);

/// All spans, if any are wanted.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<Recorded>>>, bool);

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl Recorder {
    fn change(&self, id: &Id, change: impl FnOnce(&mut Recorded)) {
        let index = usize::try_from(id.into_u64()).unwrap() - 1;
        change(&mut self.0.lock().unwrap()[index]);
    }

    /// The fields of the only span.
    fn only(&self) -> BTreeMap<String, String> {
        let spans = self.0.lock().unwrap();
        let [(fields, true)] = &spans[..] else { panic!("not one span that is over") };
        fields.clone()
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.1 && metadata.target() == TARGET && *metadata.level() == Level::INFO
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = BTreeMap::new();
        span.record(&mut Fields(&mut fields));
        let mut spans = self.0.lock().unwrap();
        spans.push((fields, false));
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        self.change(id, |(fields, _)| values.record(&mut Fields(fields)));
    }

    fn try_close(&self, id: Id) -> bool {
        self.change(&id, |(_, is_over)| *is_over = true);
        true
    }

    fn clone_span(&self, _: &Id) -> Id {
        panic!("a span is over with its only copy, as this recorder counts none")
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The fields of the span that this makes.
fn recorded(make: impl FnOnce()) -> BTreeMap<String, String> {
    let recorder = Recorder(Arc::default(), true);
    tracing::subscriber::with_default(recorder.clone(), make);
    recorder.only()
}

fn called(is_awaited: bool) -> CallSpan {
    let called = Called {
        service: "math",
        function: "add",
        exchange: "guirpc",
        routing_key: "math",
        broker: ("localhost", 5672),
        bytes: 7,
        is_awaited,
    };
    CallSpan::begin(&called, &TraceContext::NONE)
}

fn reply(status: u16) -> EncodedReply {
    EncodedReply {
        kind: None,
        status,
        content_type: "".into(),
        content_encoding: None,
        headers: Headers::new(),
        body: b"hunter2".to_vec(),
    }
}

fn request() -> Request {
    let mut headers = Headers::new();
    headers.set("authorization", "hunter2");
    headers.set("guirpc-deadline", 12_000);
    headers.set("guirpc-timeout", HeaderValue::Integer(10_000));
    Request {
        dialect: Dialect::Native,
        function: "add".to_owned(),
        body: b"hunter2".to_vec(),
        correlation_id: Some("one\ntwo".to_owned()),
        reply_to: Some("replies".to_owned()),
        headers,
        ..Request::default()
    }
}

#[track_caller]
fn check(fields: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(*fields, expected);
}

#[test]
fn a_call_has_what_the_conventions_ask_for() {
    let fields = recorded(|| {
        let span = called(true);
        span.identify(|| "id-1".to_owned());
        span.note_repeated();
        span.reply(&reply(404));
    });
    let expected = [
        ("otel.name", "math/add"),
        ("otel.kind", "client"),
        ("otel.status_code", "ERROR"),
        ("rpc.system.name", "guirpc"),
        ("rpc.method", "math/add"),
        ("rpc.response.status_code", "404"),
        ("error.type", "404"),
        ("server.address", "localhost"),
        ("server.port", "5672"),
        ("messaging.system", "rabbitmq"),
        ("messaging.destination.name", "guirpc:math"),
        ("messaging.rabbitmq.destination.routing_key", "math"),
        ("messaging.message.conversation_id", "id-1"),
        ("messaging.message.body.size", "7"),
        ("guirpc.repeated", "true"),
    ];
    check(&fields, &expected);
}

#[test]
fn a_send_is_a_producers_and_fails_by_a_kind() {
    let fields = recorded(|| called(false).fail("unroutable"));
    let of = |name: &str| fields.get(name).map(String::as_str);
    assert_eq!([of("otel.kind"), of("messaging.operation.type")], [Some("producer"), Some("send")]);
    assert_eq!([of("error.type"), of("rpc.response.status_code")], [Some("unroutable"), None]);
}

#[test]
fn what_is_given_up_is_cancelled_unless_it_is_made_once_more() {
    let given_up = recorded(|| drop(called(true)));
    assert_eq!(given_up.get("error.type").map(String::as_str), Some("cancelled"));
    let made_again = recorded(|| {
        let span = called(true);
        drop(span.clone());
        span.reply(&reply(200));
    });
    assert_eq!(made_again.get("error.type"), None);
}

#[test]
fn a_run_has_what_the_conventions_ask_for_and_nothing_of_what_it_carries() {
    let source = Source {
        exchange: "guirpc",
        routing_key: "math",
        queue: "math.retry",
        broker: ("localhost", 5672),
        lane: Some("reports"),
    };
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(2_250);
    let fields = recorded(|| {
        let request = Request { redelivered: true, ..request() };
        RunSpan::begin("math", || Some("add"), &request, Some(&source), now).end_from_cache(&reply(200));
    });
    let expected = [
        ("otel.name", "math/add"),
        ("otel.kind", "server"),
        ("rpc.system.name", "guirpc"),
        ("rpc.method", "math/add"),
        ("rpc.response.status_code", "200"),
        ("server.address", "localhost"),
        ("server.port", "5672"),
        ("messaging.system", "rabbitmq"),
        ("messaging.destination.name", "guirpc:math:math.retry"),
        ("messaging.rabbitmq.destination.routing_key", "math"),
        ("messaging.message.conversation_id", r"one\ntwo"),
        ("messaging.message.body.size", "7"),
        ("faas.trigger", "pubsub"),
        ("faas.invocation_id", r"one\ntwo"),
        ("guirpc.lane", "reports"),
        ("guirpc.redelivered", "true"),
        ("guirpc.attempts", "1"),
        ("guirpc.queue_time", "0.25"),
        ("guirpc.from_cache", "true"),
    ];
    check(&fields, &expected);
}

#[test]
fn an_unknown_function_is_one_among_others_and_no_error_of_the_servers() {
    let fields = recorded(|| {
        let request = Request { function: "x".repeat(1000), reply_to: None, ..request() };
        RunSpan::begin("math", || None, &request, None, SystemTime::UNIX_EPOCH).end(&reply(404));
    });
    let of = |name: &str| fields.get(name).map(String::as_str);
    assert_eq!([of("otel.name"), of("rpc.method")], [Some("math/_OTHER"); 2]);
    assert_eq!([of("otel.kind"), of("error.type"), of("otel.status_code")], [Some("consumer"), Some("404"), None]);
    assert_eq!([of("messaging.system"), of("guirpc.queue_time")], [None, Some("0.0")]);
    assert!(fields.values().all(|value| !value.contains("hunter2") && !value.contains("xxx")), "{fields:?}");
}

#[test]
fn a_destination_has_no_part_twice() {
    for (parts, expected) in [
        (["guirpc", "math", "math"], "guirpc:math"),
        (["guirpc", "math", "math.calls"], "guirpc:math:math.calls"),
        (["", "math", ""], "math"),
    ] {
        assert_eq!(destination(&parts), expected);
    }
}

#[test]
fn where_no_subscriber_wants_it_there_is_no_span() {
    let nobody = Recorder::default();
    tracing::subscriber::with_default(nobody.clone(), || assert!(called(true).0.is_none()));
    assert!(nobody.0.lock().unwrap().is_empty());
}
