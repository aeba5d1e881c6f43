//! The properties on the wire, which no release may change, and what must never get there.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use amiquip::{AmqpProperties, AmqpValue, FieldTable};
use amq_protocol::frame::generation::gen_content_header_frame;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::limits::{GROWTH, frame_size};
use super::{
    addressee, call_properties, check_frame, check_header_names, check_short, expiration, field_for_python, headers,
    reply_properties, request, request_headers, table,
};
use crate::broker::{Coalescable, Limits, Outbound};
use crate::codec::coalesced::{CoalescedCall, decode_calls};
use crate::codec::{Codec, Format};
use crate::message::{Dialect, EncodedReply, HeaderValue, Headers, ReplyKind, Request};

fn fields<const N: usize>(fields: [(&str, AmqpValue); N]) -> FieldTable {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn with(name: &str, value: impl Into<HeaderValue>) -> Headers {
    let mut headers = Headers::new();
    headers.set(name, value);
    headers
}

fn reply(kind: Option<ReplyKind>, headers: Headers) -> EncodedReply {
    let content_type = Codec::Json.content_type().into();
    EncodedReply { kind, status: 201, content_type, content_encoding: None, headers, body: vec![] }
}

fn outbound(headers: &Headers, wants_reply: bool) -> Outbound {
    Outbound {
        exchange: "guirpc".into(),
        routing_key: "math".into(),
        function: "add".into(),
        format: Format::Native(Codec::MessagePack),
        body: b"\x90".to_vec(),
        app_id: Some("tests".into()),
        priority: None,
        headers: Arc::new(headers.clone()),
        wants_reply,
    }
}

fn request_properties() -> AmqpProperties {
    AmqpProperties::default()
        .with_type_("add".to_owned())
        .with_content_type("application/msgpack".to_owned())
        .with_correlation_id("id".to_owned())
        .with_app_id("tests".to_owned())
}

/// One that came with others is published again as if it had come alone.
#[test]
fn a_call_has_all_properties_of_its_own() {
    let message = AmqpProperties::default()
        .with_type_("guirpc.calls".to_owned())
        .with_correlation_id("message".to_owned())
        .with_reply_to("replies".to_owned())
        .with_delivery_mode(1)
        .with_priority(3)
        .with_expiration("5000".to_owned());
    let alone = request_properties()
        .with_reply_to("replies".to_owned())
        .with_delivery_mode(1)
        .with_priority(3)
        .with_expiration("5000".to_owned())
        .with_headers(table(&with("tenant", "a")));
    let call = request(&alone, b"body".to_vec(), false);
    assert_eq!(call_properties(&call, &message), alone);
    let bare = Request { function: "add".to_owned(), ..Request::default() };
    let expected = AmqpProperties::default().with_type_("add".to_owned());
    assert_eq!(call_properties(&bare, &AmqpProperties::default()), expected);
}

#[test]
fn a_call_wants_a_reply_and_need_not_last() {
    let headers = with("tenant", "a");
    let request = outbound(&headers, true);
    let call = request.message("id".to_owned(), None).0;
    let expected = request_properties()
        .with_reply_to("amq.rabbitmq.reply-to".to_owned())
        .with_delivery_mode(1)
        .with_headers(fields([("tenant", AmqpValue::LongString("a".to_owned()))]));
    assert_eq!((call.routing_key.as_ref(), call.body, call.mandatory), ("math", b"\x90".as_slice(), true));
    assert_eq!(call.properties, expected);
}

#[test]
fn a_call_that_is_made_again_is_the_same_but_for_its_time() {
    let headers = with("tenant", "a");
    let request = Outbound { priority: Some(7), ..outbound(&headers, true) };
    let again = request.message("id".to_owned(), Some(Duration::from_millis(1500))).0;
    assert_eq!((again.routing_key.as_ref(), again.body, again.mandatory), ("math", b"\x90".as_slice(), true));
    let call = request.message("id".to_owned(), None).0;
    assert_eq!((call.properties.priority(), call.properties.expiration()), (&Some(7), &None));
    let AmqpValue::LongLongInt(deadline) = again.properties.headers().as_ref().unwrap()["guirpc-deadline"] else {
        panic!("it has no deadline: {:?}", again.properties);
    };
    let headers = fields([
        ("tenant", AmqpValue::LongString("a".to_owned())),
        ("guirpc-deadline", AmqpValue::LongLongInt(deadline)),
        ("guirpc-timeout", AmqpValue::LongLongInt(1500)),
    ]);
    let expected = call.properties.with_headers(headers).with_expiration("1500".to_owned());
    assert_eq!(again.properties, expected);
}

#[test]
fn calls_that_travel_together_keep_what_they_have_alone() {
    let headers = with("tenant", "a");
    let requests = [
        Outbound { priority: Some(7), ..outbound(&headers, true) },
        Outbound { format: Format::Native(Codec::Json), body: b"{}".to_vec(), ..outbound(&Headers::new(), true) },
    ];
    let calls = [("one", 1500), ("two", 2500)].into_iter().zip(&requests).map(|((id, remaining), request)| {
        Coalescable { correlation_id: id.to_owned(), request, remaining: Duration::from_millis(remaining) }
    });
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10);
    let (message, expires) = Outbound::coalesced(&calls.collect::<Vec<_>>(), now);
    let sent = message.message("id".to_owned(), Some(expires)).0;
    let expected = AmqpProperties::default()
        .with_type_("guirpc.calls".to_owned())
        .with_content_type("application/msgpack".to_owned())
        .with_correlation_id("id".to_owned())
        .with_app_id("tests".to_owned())
        .with_reply_to("amq.rabbitmq.reply-to".to_owned())
        .with_delivery_mode(1)
        .with_priority(7)
        .with_expiration("2500".to_owned());
    assert_eq!((sent.routing_key.as_ref(), sent.mandatory, &sent.properties), ("math.calls", true, &expected));
    let calls = decode_calls(sent.body).unwrap();
    let of = |id, content_type, deadline, timeout, headers: &Headers, body| CoalescedCall {
        id,
        function: "add",
        content_type,
        deadline: Some(deadline),
        timeout: Some(timeout),
        headers: Cow::Owned(headers.clone()),
        body,
    };
    let json = Some("application/json");
    let expected =
        [of("one", None, 11_500, 1500, &headers, b"\x90"), of("two", json, 12_500, 2500, &Headers::new(), b"{}")];
    assert_eq!(calls, expected);
    assert!(sent.body.len() <= requests.iter().map(Outbound::coalesced_bytes).sum());
}

#[test]
fn a_send_wants_no_reply_and_is_kept() {
    let headers = Headers::new();
    let request = outbound(&headers, false);
    let send = request.message("id".to_owned(), None).0;
    assert!(send.mandatory);
    assert_eq!(send.properties, request_properties().with_delivery_mode(2));
}

#[test]
fn a_deadline_is_told_to_the_broker_and_to_the_server() {
    let headers = Headers::new();
    let expires = Some(Duration::from_millis(2_500));
    let request = outbound(&headers, true);
    let call = request.message("id".to_owned(), expires).0;
    assert_eq!(call.properties.expiration().as_deref(), Some("2500"));
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10);
    let expected =
        [("guirpc-deadline", AmqpValue::LongLongInt(12_500)), ("guirpc-timeout", AmqpValue::LongLongInt(2_500))];
    assert_eq!(request_headers(&headers, expires, now), fields(expected));
}

#[test]
fn an_expiration_is_neither_at_once_nor_too_long_for_the_broker() {
    assert_eq!(expiration(Duration::ZERO).as_deref(), Some("1"));
    assert_eq!(expiration(Duration::from_millis(u32::MAX.into())).as_deref(), Some("4294967295"));
    assert_eq!(expiration(Duration::from_millis(u64::from(u32::MAX) + 1)), None, "servers go by the deadline");
}

#[test]
fn a_reply_says_who_made_it_and_its_status_as_32_bits() {
    let properties = AmqpProperties::default().with_content_type("application/json".to_owned());
    let status = ("Response-Status", AmqpValue::LongInt(201));
    for (kind, word) in [
        (ReplyKind::Output, "output"),
        (ReplyKind::Error, "error"),
        (ReplyKind::Fault, "fault"),
        (ReplyKind::Refusal, "refusal"),
    ] {
        let expected = properties.clone().with_type_(word.to_owned()).with_headers(fields([status.clone()]));
        let reply = reply(Some(kind), Headers::new());
        assert_eq!(reply_properties(&reply, None), expected);
        assert_eq!(reply_properties(&reply, Some("id".to_owned())), expected.with_correlation_id("id".to_owned()));
    }
}

/// The properties of a request as the original's clients send it.
fn python_properties(headers: Option<FieldTable>) -> AmqpProperties {
    let properties = AmqpProperties::default()
        .with_content_type("application/json".to_owned())
        .with_content_encoding("ascii".to_owned())
        .with_delivery_mode(2)
        .with_app_id("py".to_owned());
    headers.into_iter().fold(properties, AmqpProperties::with_headers)
}

#[test]
fn a_request_of_pythons_names_its_function_in_a_header() {
    let named = |field| addressee(&python_properties(Some(fields([("FaaS-Name", field)]))));
    let text = |text: &str| AmqpValue::LongString(text.to_owned());
    for (field, name) in [
        (text("add"), "add"),
        (text("niño"), "niño"),
        // What is no text names no function, and is shown as Python shows it.
        (AmqpValue::ByteArray(b"add".to_vec()), "b'add'"),
        (AmqpValue::LongInt(5), "5"),
        (AmqpValue::Boolean(true), "True"),
        (AmqpValue::Void, "None"),
    ] {
        assert_eq!(named(field), (Dialect::Python, name.to_owned()));
    }
}

#[test]
fn a_request_that_names_no_function_is_pythons_unless_its_content_type_is_ours_alone() {
    let python = (Dialect::Python, "None".to_owned());
    assert_eq!(addressee(&AmqpProperties::default()), python);
    assert_eq!(addressee(&python_properties(None)), python);
    assert_eq!(addressee(&python_properties(Some(fields([("faas-name", AmqpValue::Void)])))), python);
    for codec in [Codec::MessagePack, Codec::OctetStream] {
        let ours = AmqpProperties::default().with_content_type(codec.content_type().to_owned());
        assert_eq!(addressee(&ours), (Dialect::Native, String::new()));
    }
}

#[test]
fn the_type_of_a_request_wins() {
    let headers = fields([("FaaS-Name", AmqpValue::LongString("other".to_owned()))]);
    let both = python_properties(Some(headers)).with_type_("add".to_owned());
    assert_eq!(addressee(&both), (Dialect::Native, "add".to_owned()));
}

#[test]
fn a_reply_to_python_is_as_the_original_sends_it() {
    let reply = EncodedReply {
        content_encoding: Some("ascii".into()),
        ..reply(None, with("Response-Serializer", "JsonSerializer"))
    };
    let headers = [
        ("Response-Serializer", AmqpValue::LongString("JsonSerializer".to_owned())),
        ("Response-Status", AmqpValue::LongInt(201)),
    ];
    let expected = AmqpProperties::default()
        .with_content_type("application/json".to_owned())
        .with_content_encoding("ascii".to_owned())
        .with_headers(fields(headers.clone()));
    assert_eq!(reply_properties(&reply, None), expected);
    // A pickle says neither its type nor its encoding.
    let pickle = EncodedReply { content_type: "".into(), content_encoding: None, ..reply };
    assert_eq!(reply_properties(&pickle, None), AmqpProperties::default().with_headers(fields(headers)));
}

#[test]
fn headers_to_python_are_such_as_its_clients_survive() {
    let nested = HeaderValue::List(vec![HeaderValue::Integer(1 << 40)]);
    let values: [(HeaderValue, AmqpValue); 4] = [
        (7.into(), AmqpValue::LongInt(7)),
        ((1_i64 << 40).into(), AmqpValue::LongString("1099511627776".to_owned())),
        (0.5.into(), AmqpValue::LongString("0.5".to_owned())),
        (nested, AmqpValue::FieldArray(vec![AmqpValue::LongString("1099511627776".to_owned())])),
    ];
    for (value, field) in values {
        assert_eq!(field_for_python(&value), field);
    }
}

#[test]
fn the_status_of_a_reply_is_not_the_functions_to_overwrite() {
    let reply = reply(None, with("Response-Status", 500));
    let expected = AmqpProperties::default()
        .with_content_type("application/json".to_owned())
        .with_headers(fields([("Response-Status", AmqpValue::LongInt(201))]));
    assert_eq!(reply_properties(&reply, None), expected);
}

#[test]
fn every_width_of_amqps_is_read() {
    let integers = [
        AmqpValue::ShortShortInt(7),
        AmqpValue::ShortShortUInt(7),
        AmqpValue::ShortInt(7),
        AmqpValue::ShortUInt(7),
        AmqpValue::LongInt(7),
        AmqpValue::LongUInt(7),
        AmqpValue::LongLongInt(7),
    ];
    for field in integers {
        assert_eq!(headers(&fields([("n", field)])), with("n", 7));
    }
    for field in [AmqpValue::Float(1.5), AmqpValue::Double(1.5)] {
        assert_eq!(headers(&fields([("n", field)])), with("n", 1.5));
    }
}

#[test]
fn what_amqp_would_cut_is_refused() {
    assert!(check_short("it", &"x".repeat(255)).is_ok());
    assert_eq!(check_short("it", &"ü".repeat(128)).unwrap_err(), "it has 256 bytes, AMQP allows 255");
    assert!(check_header_names(&with(&"x".repeat(255), 1)).is_ok());
    let overlong = with(&"x".repeat(256), 1);
    let within = HeaderValue::List(vec![HeaderValue::Table(overlong.clone())]);
    for headers in [overlong, with("outer", within)] {
        let error = check_header_names(&headers).unwrap_err();
        assert_eq!(error, format!("the name of header `{}…` has 256 bytes, AMQP allows 255", "x".repeat(20)));
    }
}

#[test]
fn what_does_not_fit_into_the_frame_that_was_agreed_is_refused() {
    let limits = Limits { frame: 4096 - 8, ..Limits::default() };
    let properties = |bytes: usize| {
        let request = outbound(&with("h", "x".repeat(bytes)), true);
        (request.check_fits(limits), request.message("id".to_owned(), None).0.properties)
    };
    let (fits, few) = properties(2000);
    assert_eq!((fits, check_frame(&few, limits)), (Ok(()), Ok(())));
    let most = limits.frame - frame_size(&properties(0).1);
    assert_eq!(check_frame(&properties(most).1, limits), Ok(()));
    let error = check_frame(&properties(most + 1).1, limits).unwrap_err();
    assert!(error.contains("take 4089 bytes, at most 4088 fit into a frame"), "{error}");
    // With a call comes, on its way to the server, a longer reply address, and later its count.
    assert_eq!(properties(most - GROWTH - 255).0, Ok(()));
    let error = properties(most - GROWTH + 1).0.unwrap_err();
    assert!(error.contains("fit into a frame"), "{error}");
    assert_eq!(outbound(&with("h", "x".repeat(100 << 10)), true).check_fits(Limits::default()), Ok(()));
    let error = outbound(&with("h", "x".repeat(128 << 10)), true).check_fits(Limits::default()).unwrap_err();
    assert!(error.contains("fit into a frame"), "{error}");
}

/// The frame as the broker's library writes it, without what every frame has.
fn written_size(properties: &AmqpProperties) -> usize {
    let mut buffer = vec![0; 1 << 20];
    gen_content_header_frame((&mut buffer, 0), 1, 60, 0, properties).unwrap().1 - 8
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
        let table = btree_map(any::<String>(), inner.clone(), 0..4);
        prop_oneof![
            vec(inner, 0..4).prop_map(HeaderValue::List),
            table.prop_map(|table| HeaderValue::Table(table.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_frame_is_measured_before_it_is_written(
        headers in btree_map("[a-z]{0,20}", header_value(), 0..6),
        texts in vec(prop::option::of("[a-z]{0,30}"), 4),
        mode in prop::option::of(1_u8..3),
    ) {
        let headers: Headers = headers.into_iter().collect();
        let mut properties = AmqpProperties::default().with_headers(table(&headers));
        let set: [fn(AmqpProperties, String) -> AmqpProperties; 4] = [
            AmqpProperties::with_type_,
            AmqpProperties::with_correlation_id,
            AmqpProperties::with_expiration,
            AmqpProperties::with_app_id,
        ];
        for (set, text) in set.into_iter().zip(texts) {
            if let Some(text) = text {
                properties = set(properties, text);
            }
        }
        if let Some(mode) = mode {
            properties = properties.with_delivery_mode(mode).with_timestamp(7);
        }
        prop_assert_eq!(frame_size(&properties), written_size(&properties));
    }

    #[test]
    fn every_header_comes_back(sent in btree_map(any::<String>(), header_value(), 0..6)) {
        let sent: Headers = sent.into_iter().collect();
        prop_assert_eq!(headers(&table(&sent)), sent);
    }
}
