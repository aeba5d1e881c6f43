//! Whatever comes in goes out unchanged or sanitized, wherever it is cut; and amiquip's parser takes it.

use std::collections::VecDeque;
use std::thread;

use amq_protocol::frame::{AMQPFrame, parse_frame};
use amq_protocol::protocol::basic::AMQPProperties;
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::written::WrittenCounts;
use super::*;

mod dropped;
mod lies;

const METHOD: u8 = 1;
const HEADERS: u16 = 1 << 13;
const CORRELATION_ID: u16 = 1 << 10;

fn sanitizer(pieces: impl IntoIterator<Item = Vec<u8>>, requests: Requests) -> Sanitizer<Pieces> {
    sanitizer_that_notes(pieces, requests, Heard::default())
}

fn sanitizer_that_notes(
    pieces: impl IntoIterator<Item = Vec<u8>>,
    requests: Requests,
    heard: Heard,
) -> Sanitizer<Pieces> {
    let pieces = Pieces(pieces.into_iter().collect());
    let who = ("tests", Login::default());
    Sanitizer::new(pieces, who, requests, heard, WrittenFrames::new(WrittenCounts::default()))
}

/// A socket: each read brings one piece; an empty one says that there is no more for now.
struct Pieces(VecDeque<Vec<u8>>);

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.front_mut() {
            None => Ok(0),
            Some(piece) if piece.is_empty() => {
                self.0.pop_front();
                Err(io::ErrorKind::WouldBlock.into())
            }
            Some(piece) => {
                let length = piece.as_slice().read(buffer)?;
                piece.drain(..length);
                if piece.is_empty() {
                    self.0.pop_front();
                }
                Ok(length)
            }
        }
    }
}

/// What a reader with a buffer of this size gets, until the end of the stream.
fn read_all(pieces: impl IntoIterator<Item = Vec<u8>>, buffer: usize) -> Vec<u8> {
    read_all_of(sanitizer(pieces, Requests::default()), buffer)
}

fn read_all_of(mut sanitizer: Sanitizer<Pieces>, buffer: usize) -> Vec<u8> {
    let mut buffer = vec![0; buffer];
    let mut all = Vec::new();
    loop {
        match sanitizer.read(&mut buffer) {
            Ok(0) => return all,
            Ok(length) => all.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
                return all;
            }
        }
    }
}

fn sanitized(bytes: &[u8]) -> Vec<u8> {
    read_all([bytes.to_vec()], 4096)
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    frame_on(1, kind, payload)
}

fn frame_on(channel: u8, kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind, 0, channel], &length(payload)[..], payload, &[0xCE]].concat()
}

fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap().to_be_bytes()
}

fn content_header(flags: u16, properties: &[u8]) -> Vec<u8> {
    frame(2, &[&[0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5], &flags.to_be_bytes()[..], properties].concat())
}

fn deliver(routing_key: &[u8]) -> Vec<u8> {
    let key_length = u8::try_from(routing_key.len()).unwrap();
    frame(1, &[b"\0\x3c\0\x3c\x03tag\0\0\0\0\0\0\0\x01\0\x06guirpc", &[key_length][..], routing_key].concat())
}

fn get_ok(routing_key: &[u8]) -> Vec<u8> {
    let key_length = u8::try_from(routing_key.len()).unwrap();
    let key = [&[key_length], routing_key].concat();
    frame(1, &[b"\0\x3c\0\x47\0\0\0\0\0\0\0\x01\0\x06guirpc", &key[..], &[0; 4]].concat())
}

fn long(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag], &length(content)[..], content].concat()
}

/// A content header whose headers are this table.
fn headers(table: &[u8]) -> Vec<u8> {
    content_header(HEADERS, &[&length(table)[..], table].concat())
}

/// An array in an array, so many times.
fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(vec![b'V'], |inner, _| long(b'A', &inner))
}

/// What amiquip's parser makes of a frame, on a stack of a quarter of that which it has in amiquip.
fn parsed(frame: Vec<u8>) -> Option<AMQPFrame> {
    let parser = thread::Builder::new().stack_size(512 << 10);
    let thread = parser.spawn(move || match parse_frame(&frame) {
        Ok(([], frame)) => Some(frame),
        _ => None,
    });
    thread.unwrap().join().unwrap()
}

#[track_caller]
fn properties(frame: Vec<u8>) -> AMQPProperties {
    match parsed(frame) {
        Some(AMQPFrame::Header(_, _, header)) => header.properties,
        other => panic!("no content header but {other:?}"),
    }
}

#[track_caller]
fn check_headers(before: &[u8], after: &[u8]) {
    assert_eq!(sanitized(&headers(before)), headers(after));
    assert!(parsed(headers(after)).is_some());
}

#[test]
fn what_is_nested_too_deep_becomes_void() {
    let inner =
        |content: &[u8]| [b"\x01a", &(1..32).fold(content.to_vec(), |inner, _| long(b'A', &inner))[..]].concat();
    check_headers(&inner(&long(b'A', b"t\x01t\x01")), &inner(&long(b'A', b"VVVV")));
    check_headers(&inner(&long(b'F', b"\x01at\x01")), &inner(&long(b'F', b"\0V\0V")));
    check_headers(&inner(&long(b'F', b"\x02abt\x01")), &inner(&long(b'F', b"\x01?V\0V")));
    check_headers(&inner(&long(b'F', b"\xff")), &inner(&long(b'F', b"\0")));
    check_headers(&inner(b"t\x01"), &inner(b"t\x01"));
}

/// This ends the process if the sanitizer lets it pass.
#[test]
fn depth_ends_no_stack() {
    let deep = headers(&[b"\x04deep", &nested(20_000)[..], b"\x05afterI\0\0\0\x07"].concat());
    let headers = properties(sanitized(&deep)).headers().clone().unwrap();
    assert_eq!(headers["after"], amiquip::AmqpValue::LongInt(7));
}

#[test]
fn texts_become_utf8() {
    check_headers(b"\x03a\xffbS\0\0\0\x02\xc3\xa4", b"\x03a?bS\0\0\0\x02\xc3\xa4");
    check_headers(b"\x02\xc3\xa4S\0\0\0\x04\xc3a\xf0\x9f", b"\x02\xc3\xa4S\0\0\0\x04?a??");
    check_headers(b"\x01ax\0\0\0\x01\xff", b"\x01ax\0\0\0\x01\xff");
    let id = |text: &[u8]| content_header(CORRELATION_ID, text);
    assert_eq!(sanitized(&id(b"\x03\xff1\xff")), id(b"\x03?1?"));
    assert_eq!(sanitized(&deliver(b"\xff")), deliver(b"?"));
    assert!(parsed(deliver(b"\xff")).is_none() && parsed(deliver(b"?")).is_some());
    assert_eq!(sanitized(&get_ok(b"\xff")), get_ok(b"?"));
    assert!(parsed(get_ok(b"\xff")).is_none() && parsed(get_ok(b"?")).is_some());
}

#[test]
fn what_cannot_be_followed_becomes_void_to_its_containers_end() {
    check_headers(b"\x01at\x01\x01b?\x07", b"\x01at\x01\0V\0V");
    check_headers(b"\x01aA\0\0\0\x03t\x01?\x01bV", b"\x01aA\0\0\0\x03t\x01V\x01bV");
    check_headers(b"\x01aS\0\0\0\x09abc", b"\0V\0V\0V\0V\0V");
    check_headers(b"\x01aS\xff\xff\xff\xff", b"\x01?V\0V\0V");
    check_headers(b"\xff", b"\0");
}

#[test]
fn properties_that_run_out_of_their_frame_are_none() {
    for broken in
        [content_header(HEADERS, &[0, 0, 0, 1]), content_header(CORRELATION_ID, b"\x02a"), content_header(!0, &[])]
    {
        assert!(parsed(broken.clone()).is_none());
        assert_eq!(properties(sanitized(&broken)), AMQPProperties::default());
    }
}

/// An administrator may allow larger frames than the sanitizer would keep.
#[test]
fn too_large_a_header_loses_its_properties() {
    let large = headers(&[b"\x04deep", &nested(100_000)[..]].concat());
    let next = content_header(CORRELATION_ID, b"\x01a");
    for pieces in
        [vec![[&large[..], &next].concat()], large.chunks(1000).map(<[u8]>::to_vec).chain([next.clone()]).collect()]
    {
        let mut after = read_all(pieces, 4096);
        assert_eq!(after.split_off(content_header(0, &[]).len()), next);
        assert_eq!(after, content_header(0, &[]));
    }
}

/// A delivery of each kind, with things to be sanitized, and a heartbeat.
fn deliveries() -> Vec<u8> {
    let body = frame(3, b"\x02\0\x01\0\0\0\x09\xff\xce");
    let bad = headers(&[b"\x01\xffS\0\0\0\x01\xff\x01a", &nested(40)[..]].concat());
    let heartbeat = [8, 0, 0, 0, 0, 0, 0, 0xCE];
    [deliver(b"k"), bad, body.clone(), deliver(b"\xff"), content_header(0, &[]), body, heartbeat.to_vec()].concat()
}

#[test]
fn it_does_not_matter_where_reads_end() {
    let bytes = deliveries();
    let clean = sanitized(&bytes);
    assert_eq!(clean.len(), bytes.len());
    assert_ne!(clean, bytes);
    for at in 0..=bytes.len() {
        let (start, end) = bytes.split_at(at);
        assert_eq!(read_all([start.to_vec(), vec![], end.to_vec()], 4096), clean, "split at {at}");
    }
    for buffer in 1..50 {
        assert_eq!(read_all([bytes.clone()], buffer), clean, "read by {buffer}");
        let pieces = bytes.chunks(buffer).flat_map(|piece| [piece.to_vec(), vec![]]);
        assert_eq!(read_all(pieces, 4096), clean, "sent by {buffer}");
    }
}

/// What is complete comes before the reader has to wait for more; what is not, never does.
#[test]
fn waiting_keeps_back_nothing_that_is_whole() {
    let whole = [deliver(b"k"), headers(b"\x01aV"), frame(3, b"body")].concat();
    let next = deliver(b"k");
    for cut in 1..next.len() {
        let pieces = [[&whole[..], &next[..cut]].concat(), vec![]];
        let mut sanitizer = sanitizer(pieces, Requests::default());
        let mut buffer = [0; 4096];
        assert_eq!(sanitizer.read(&mut buffer).unwrap(), whole.len());
        assert_eq!(sanitizer.read(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(sanitizer.read(&mut buffer).unwrap(), 0, "the stream has ended");
    }
}

/// A field of any kind, nested as deep as is allowed at most.
fn field() -> impl Strategy<Value = Vec<u8>> {
    let scalar = prop_oneof![
        Just(b"V".to_vec()),
        (prop::sample::select(&b"tbB"[..]), any::<[u8; 1]>()).prop_map(|(tag, value)| [&[tag], &value[..]].concat()),
        (prop::sample::select(&b"suU"[..]), any::<[u8; 2]>()).prop_map(|(tag, value)| [&[tag], &value[..]].concat()),
        (prop::sample::select(&b"iIf"[..]), any::<[u8; 4]>()).prop_map(|(tag, value)| [&[tag], &value[..]].concat()),
        any::<[u8; 5]>().prop_map(|value| [b"D", &value[..]].concat()),
        (prop::sample::select(&b"lLdT"[..]), any::<[u8; 8]>()).prop_map(|(tag, value)| [&[tag], &value[..]].concat()),
        any::<String>().prop_map(|text| long(b'S', text.as_bytes())),
        vec(any::<u8>(), 0..20).prop_map(|bytes| long(b'x', &bytes)),
    ];
    scalar.prop_recursive(31, 100, 5, |field| {
        prop_oneof![
            vec(field.clone(), 0..5).prop_map(|fields| long(b'A', &fields.concat())),
            table(field).prop_map(|table| long(b'F', &table)),
        ]
    })
}

fn table(field: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let named = ("[a-zä]{0,20}", field)
        .prop_map(|(name, field)| [&[u8::try_from(name.len()).unwrap()], name.as_bytes(), &field].concat());
    vec(named, 0..5).prop_map(|fields| fields.concat())
}

/// Bytes that often are tags, lengths and texts.
fn nearly_fields() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        field(),
        vec(any::<u8>(), 0..20),
        prop::sample::select(&[b"F\0\0\0\x40", b"A\0\0\0\x07", b"S\0\0\0\x03"][..]).prop_map(|bytes| bytes.to_vec()),
        (0_usize..100).prop_map(nested),
    ];
    vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_in_order_passes_unchanged(
        table in table(field()),
        id in "[a-zä]{0,100}",
        body in vec(any::<u8>(), 0..10_000),
        size in 1_usize..5_000,
    ) {
        let id = [&[u8::try_from(id.len()).unwrap()], id.as_bytes()].concat();
        let properties = [&length(&table)[..], &table, &id].concat();
        let bytes = [deliver(b"math"), content_header(HEADERS | CORRELATION_ID, &properties), frame(3, &body)].concat();
        prop_assert_eq!(&read_all(bytes.chunks(size).map(<[u8]>::to_vec), 4096), &bytes);
    }

    #[test]
    fn any_properties_are_parsed(flags: u16, properties in nearly_fields()) {
        let before = content_header(flags, &properties);
        let after = sanitized(&before);
        prop_assert_eq!(after.len(), before.len());
        prop_assert_eq!(&sanitized(&after), &after, "sanitized twice");
        prop_assert!(parsed(after).is_some());
    }

    #[test]
    fn any_field_leaves_the_next_alone(table in nearly_fields()) {
        let before = headers(&[b"\x01a", &long(b'F', &table)[..], b"\x05afterI\0\0\0\x07"].concat());
        let headers = properties(sanitized(&before)).headers().clone().unwrap();
        prop_assert_eq!(&headers["after"], &amiquip::AmqpValue::LongInt(7));
    }

    #[test]
    fn any_bytes_at_all_keep_their_length(pieces in vec(vec(any::<u8>(), 1..50), 0..20), size in 1_usize..100) {
        let sent: usize = pieces.iter().map(Vec::len).sum();
        prop_assert!(read_all(pieces, size).len() <= sent);
    }
}

/// However the stream is cut, what came before the broker's goodbye is handed out whole, and the goodbye never.
#[test]
fn a_close_during_a_request_is_the_end() {
    let before = frame(METHOD, b"\0\x3c\0\x50\0\0\0\0\0\0\0\x01\0");
    let close = frame_on(0, METHOD, b"\0\x0a\0\x32\x01\x40\0\0\0\0\0");
    let all = [&before[..], &close].concat();
    for at in 0..all.len() {
        let requests = Requests::default();
        requests.begin();
        let pieces = [all[..at].to_vec(), Vec::new(), all[at..].to_vec()];
        let mut sanitizer = sanitizer(pieces.into_iter().filter(|piece| at > 0 || !piece.is_empty()), requests);
        let (mut came, mut buffer) = (Vec::new(), [0; 64]);
        loop {
            match sanitizer.read(&mut buffer) {
                Ok(length) => came.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => break assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted),
            }
        }
        assert_eq!(came, before, "cut at {at}");
    }
    assert_eq!(sanitized(&all), all);
}

/// RabbitMQ 3 closes a channel again and again while it waits for the answer.
#[test]
fn a_channel_is_closed_once() {
    let close = frame(METHOD, b"\0\x14\0\x28\x01\x96\0\0\0\0\0");
    let others = [deliver(b"k"), frame(2, &[0; 14])].concat();
    let all = [&close[..], &others, &close, &close, &others].concat();
    let expected = [&close[..], &others, &others].concat();
    assert_eq!(sanitized(&all), expected);
    for at in 0..all.len() {
        let (start, end) = all.split_at(at);
        assert_eq!(read_all([start.to_vec(), vec![], end.to_vec()], 4096), expected, "split at {at}");
    }
}

#[test]
fn a_channel_that_is_opened_again_may_be_closed_again() {
    let close = frame(METHOD, b"\0\x14\0\x28\x01\x96\0\0\0\0\0");
    let mut sanitizer = sanitizer([close.clone(), close.clone()], Requests::default());
    sanitizer.closed.insert(1);
    sanitizer.written = WrittenFrames::new(WrittenCounts::default());
    let _ = sanitizer.written.wrote(b"AMQP\0\0\x09\x01");
    for channel in sanitizer.written.wrote(&frame(METHOD, b"\0\x14\0\x0a\0")).collect::<Vec<_>>() {
        sanitizer.closed.remove(&channel);
    }
    let mut buffer = [0; 4096];
    assert_eq!(sanitizer.read(&mut buffer).unwrap(), close.len());
    assert_eq!(sanitizer.read(&mut buffer).unwrap(), 0, "the second is dropped");
}
