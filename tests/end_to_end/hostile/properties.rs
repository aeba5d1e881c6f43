//! Properties and headers with anything in them.

use super::message::{Fate, Message};
use super::table::{array, integer, odd, table, text, void};
use crate::raw::short;
use crate::service::SERVICE;

/// The headers that guirpc or RabbitMQ reads, or that travel through.
const HEADERS: [&str; 13] = [
    "guirpc-deadline",
    "guirpc-timeout",
    "guirpc-attempts",
    "guirpc-time",
    "guirpc-dead-reason",
    "guirpc-dead-queue",
    "FaaS-Name",
    "Response-Status",
    "Response-Serializer",
    "traceparent",
    "tracestate",
    "x-death",
    "x-delivery-count",
];

pub(super) fn messages() -> Vec<Message> {
    let mut messages = texts();
    messages.extend(numbers());
    messages.extend(headers());
    messages.extend(routed());
    messages.extend(dropped());
    messages
}

fn texts() -> Vec<Message> {
    let longest = [b'x'; 255];
    let bad = [0xff; 255];
    let mut messages = vec![
        Message::bare("no properties"),
        Message::bare("no properties, a body").body([0xff; 1000]),
        Message::new("a function of the longest name").function(&longest),
        Message::new("a function that is not UTF-8").function(&bad),
        Message::new("a function of zeros").function(&[0; 255]),
        Message::new("no function's name").function(b""),
        Message::new("guirpc's own function").function(b"guirpc.ping"),
        Message::new("guirpc's function that is not there").function(b"guirpc.shutdown"),
        Message::new("a path for a function").function(b"/etc/passwd/./x"),
        Message::new("a format for a function").function(b"{}%s%n{0}"),
        Message::new("a terminal's command for a function").function(b"\x1b[2J\x1b]0;owned\x07\r\n"),
        Message::new("a content type that is not UTF-8").content_type(&bad),
        Message::new("the longest content type").content_type(&longest),
        Message::new("an empty content type").content_type(b""),
        Message::new("only a semicolon").content_type(b";;;;"),
        Message::new("an unknown content type").content_type(b"application/x-python-pickle"),
        Message::new("a content type of parameters").content_type(b"application/json; charset=utf-16; q=\"\\\"\""),
        Message::new("another content type than the body's").content_type(b"application/msgpack"),
        Message::new("a text for two arguments").content_type(b"text/plain"),
        Message::new("bytes for two arguments").content_type(b"application/octet-stream"),
        Message::new("a correlation id of the longest").correlation_id(&longest),
        Message::new("a correlation id that is not UTF-8").correlation_id(&bad),
        Message::new("an empty correlation id").correlation_id(b""),
        Message::new("a correlation id of zeros").correlation_id(&[0; 10]),
        Message::new("a correlation id of others").correlation_id(b"again"),
        Message::new("the same correlation id").correlation_id(b"again"),
        Message::new("an app id that is not UTF-8").app_id(&bad),
        Message::new("a message id that is not UTF-8").message_id(&bad).app_id(&longest).cluster_id(&bad),
    ];
    for encoding in [&b"gzip"[..], b"zstd", b"deflate", b"br", b"identity", b"utf-16", b"\xff\xff", b"", &longest] {
        let name = format!("encoded in {}", encoding.escape_ascii());
        messages.push(Message::new(name).content_encoding(encoding).body(*b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xff\xff"));
    }
    messages
}

fn numbers() -> Vec<Message> {
    let mut messages = Vec::new();
    for timestamp in [0, 1, u64::MAX, i64::MAX as u64, 1 << 63, u64::from(u32::MAX) + 1] {
        messages.push(Message::new(format!("at {timestamp}")).timestamp(timestamp));
    }
    for priority in [0, 10, 127, 128, 255] {
        messages.push(Message::new(format!("priority {priority}")).priority(priority));
    }
    for mode in [1, 2] {
        messages.push(Message::new(format!("delivery mode {mode}")).delivery_mode(mode));
    }
    messages
}

fn headers() -> Vec<Message> {
    let mut messages = Vec::new();
    for header in HEADERS {
        for (kind, field) in odd() {
            messages.push(Message::new(format!("{header}: {kind}")).header(header, field));
        }
    }
    // Python's requests have their function's name in one.
    for (kind, field) in odd() {
        let mut headers = short(b"FaaS-Name");
        headers.extend(field);
        messages.push(Message::bare(format!("a function in Python: {kind}")).headers(&headers).body(*b"e30="));
    }
    let arrays = (0..3000).fold(vec![], |inner: Vec<u8>, _| array(&inner));
    let tables = (0..3000).fold(void(), |inner, _| table(b"", &inner));
    let both = (0..2000).fold(void(), |inner, _| array(&table(b"a", &inner)));
    let many = |name: fn(u32) -> Vec<u8>| -> Vec<u8> {
        (0..5000).flat_map(|n| [short(&name(n)), integer(n.into())].concat()).collect()
    };
    messages.extend([
        Message::new("arrays in arrays").header("nested", arrays),
        Message::new("tables in tables").header("nested", tables),
        Message::new("arrays in tables in arrays").header("nested", both),
        Message::new("thousands of headers").headers(&many(|n| format!("header-{n}").into_bytes())),
        Message::new("thousands of one name").headers(&many(|_| b"guirpc-deadline".to_vec())),
        Message::new("thousands without a name").headers(&many(|_| Vec::new())),
        Message::new("a name that is not UTF-8").headers(&[short(&[0xff; 255]), void()].concat()),
        Message::new("a name of zeros").headers(&[short(&[0; 255]), text(&[0; 255])].concat()),
        Message::new("headers without any").headers(b""),
        Message::new("one large header").header("large", text(&vec![b'x'; 100_000])),
        Message::new("both dialects").header("FaaS-Name", text(b"find")),
        Message::new("a deadline in 1970").header("guirpc-deadline", integer(0)),
        Message::new("a deadline at the end").header("guirpc-deadline", integer(i64::MAX)),
        Message::new("no time at all").header("guirpc-timeout", integer(0)),
        Message::new("less than no time").header("guirpc-timeout", integer(i64::MIN)),
    ]);
    messages
}

/// Routed by its headers, under a key of the caller's choice.
fn routed() -> Vec<Message> {
    let copies = |queues: &[&[u8]]| array(&queues.iter().flat_map(|queue| text(queue)).collect::<Vec<u8>>());
    let queue = SERVICE.as_bytes();
    let mut messages = vec![
        Message::new("CC under a key that is not UTF-8").routing_key(b"\xff").header("CC", copies(&[queue])),
        Message::new("CC under the longest key").routing_key(&[b'k'; 255]).header("CC", copies(&[queue])),
        Message::new("CC twice").header("CC", copies(&[queue, queue])),
        Message::new("BCC").routing_key(b"").header("BCC", copies(&[queue])),
        Message::new("CC to a queue that is not there").header("CC", copies(&[b"no-such-queue", b"\xff", b""])),
        Message::new("CC to nobody").header("CC", copies(&[])),
    ];
    for (kind, field) in odd() {
        messages.push(Message::new(format!("CC: {kind}")).header("CC", field).fate(Fate::Perhaps));
        messages
            .push(Message::new(format!("BCC of {kind}")).header("BCC", array(&[void()].concat())).fate(Fate::Perhaps));
    }
    messages
}

/// What the broker may refuse, or drop before anybody sees it.
fn dropped() -> Vec<Message> {
    let mut messages = Vec::new();
    for expiration in
        [&b"0"[..], b"1", b"", b"soon", b"-1", b"1.5", b" 1", b"4294967295", b"4294967296", b"\xff", &[b'9'; 255]]
    {
        let name = format!("expires after {}", expiration.escape_ascii());
        messages.push(Message::new(name).expiration(expiration).fate(Fate::Perhaps));
    }
    for user in [&b"guest"[..], b"root", b"", b"\xff", &[b'u'; 255]] {
        let name = format!("from the user {}", user.escape_ascii());
        messages.push(Message::new(name).user_id(user).fate(Fate::Perhaps));
    }
    for mode in [0, 3, 255] {
        messages.push(Message::new(format!("delivery mode {mode}")).delivery_mode(mode).fate(Fate::Perhaps));
    }
    // A field of a kind that nobody knows, and some that are not whole.
    for (name, headers) in [
        ("a field of no kind", &b"\x01a?"[..]),
        ("a field cut short", b"\x01aS\0\0\0\xffabc"),
        ("a name cut short", b"\xffabc"),
        ("a number cut short", b"\x01al\0\0"),
        // RabbitMQ cannot read these.
        ("no float", b"\x01af\x7f\xc0\0\0"),
        ("an infinite double", b"\x01ad\x7f\xf0\0\0\0\0\0\0"),
    ] {
        messages.push(Message::new(name).headers(headers).fate(Fate::Perhaps));
    }
    messages
}
