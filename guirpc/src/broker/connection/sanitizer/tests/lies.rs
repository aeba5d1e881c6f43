//! Of what a broker might send, nothing reaches amiquip that it would not survive.

use super::super::super::frames::LARGEST_FRAME;
use super::*;

/// What `amq-protocol` knows of methods, with all arguments empty, whether a broker sends them or a client.
fn every_method() -> impl Iterator<Item = (bool, Vec<u8>)> {
    let ids =
        [10_u16, 20, 30, 40, 50, 60, 85, 90].into_iter().flat_map(|class| (0..200_u16).map(move |id| (class, id)));
    ids.filter_map(|(class, id)| {
        let payload = [&class.to_be_bytes()[..], &id.to_be_bytes(), &[0; 40]].concat();
        let frame = frame_on(u8::from(class != 10), METHOD, &payload);
        let parsed = parsed(frame.clone())?;
        let AMQPFrame::Method(_, method) = parsed else { return None };
        let shown = format!("{method:?}");
        let name = shown.split('(').nth(1).unwrap_or_default().split(' ').next().unwrap_or_default();
        let by_broker = name.ends_with("Ok")
            || ["Start", "Secure", "Tune", "Close", "Blocked", "Unblocked", "Cancel", "Return", "Deliver", "GetEmpty"]
                .contains(&name)
            || (["Ack", "Nack"].contains(&name));
        let never = ["StartOk", "SecureOk", "TuneOk", "FlowOk"].contains(&name) || [30, 90].contains(&class);
        Some((by_broker && !never, frame))
    })
}

#[test]
fn only_what_brokers_send_reaches_the_parser() {
    let mut passed = 0;
    for (by_broker, frame) in every_method() {
        let requests = Requests::default();
        requests.close();
        requests.end();
        let mut sanitizer = sanitizer([frame.clone()], requests);
        let mut buffer = [0; 4096];
        let is_ok = sanitizer.read(&mut buffer).is_ok();
        assert_eq!(is_ok, by_broker, "{:?}", parsed(frame));
        passed += usize::from(is_ok);
    }
    assert_eq!(passed, methods::SENT_BY_BROKERS.len(), "each is known to the codec");
}

#[test]
fn what_would_break_amiquip_ends_the_stream() {
    let large = |kind: u8, size: u32| [&[kind, 0, 1][..], &size.to_be_bytes()].concat();
    let header = |body: u64| frame(2, &[&[0, 60, 0, 0][..], &body.to_be_bytes(), &[0, 0]].concat());
    let ends: [(Vec<u8>, &str); 13] = [
        (large(1, 1 << 20), "a frame of 1048576 bytes"),
        (large(3, u32::MAX), "a frame of 4294967295 bytes"),
        (large(8, 1 << 20), "a frame of 1048576 bytes"),
        (header(100_000_000_000), "a message of 100000000000 bytes"),
        (header(u64::MAX), "a message of"),
        (frame(2, &[0, 60]), "a content header that is cut short"),
        (frame(2, &[0; 13]), "a content header that is cut short"),
        (frame_on(0, 2, &[0; 14]), "content without a channel"),
        (frame_on(0, 3, b"body"), "content without a channel"),
        (frame(METHOD, b"\0\x0a\0\x32\x01\x40\0\0\0\0\0"), "method 10.50"),
        (frame_on(0, METHOD, b"\0\x14\0\x28\x01\x96\0\0\0\0\0"), "method 20.40"),
        (frame(METHOD, b"\0"), "a method without a number"),
        (b"HTTP/1.1 400 Bad Request\r\n".to_vec(), "what is no frame"),
    ];
    for (bytes, why) in ends {
        for at in 0..bytes.len() {
            let before = deliver(b"k");
            let (start, end) = bytes.split_at(at);
            let pieces = [[&before[..], start].concat(), vec![], end.to_vec()];
            let mut sanitizer = sanitizer(pieces, Requests::default());
            let (mut came, mut buffer) = (Vec::new(), [0; 4096]);
            let error = loop {
                match sanitizer.read(&mut buffer) {
                    Ok(0) => panic!("{why}: it ends in silence"),
                    Ok(length) => came.extend_from_slice(&buffer[..length]),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => break error,
                }
            };
            assert_eq!(came, before);
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}

/// Which would end the thread of a connection that somebody uses.
#[test]
fn an_answer_to_a_close_that_nobody_asked_for_ends_the_stream() {
    let close_ok = frame_on(0, METHOD, b"\0\x0a\0\x33");
    assert_eq!(sanitized(&close_ok), b"");
    let requests = Requests::default();
    requests.close();
    let mut buffer = [0; 64];
    assert_eq!(sanitizer([close_ok.clone()], requests).read(&mut buffer).unwrap(), close_ok.len());
}

#[test]
fn tables_of_the_broker_are_sanitized_as_well() {
    let nested = (0..15_000).fold(Vec::new(), |inner, _| [b"\x01a", &long(b'F', &inner)[..]].concat());
    let start = |table: &[u8]| {
        let arguments = [&length(table)[..], table, b"\0\0\0\x05PLAIN\0\0\0\x05en_US"].concat();
        frame_on(0, METHOD, &[&[0, 10, 0, 10, 0, 9], &arguments[..]].concat())
    };
    assert!(parsed(sanitized(&start(&nested))).is_some());
    assert!(parsed(sanitized(&start(b"\x03a\xffbS\0\0\0\x02\xc3\xa4"))).is_some());
}

/// A consumer that is dropped is cancelled under a tag that the broker does not know, and lives on.
#[test]
fn consumers_that_are_kept_have_other_tags() {
    let about = |method: &[u8], tag: &[u8]| {
        frame(METHOD, &[method, &[u8::try_from(tag.len()).unwrap()], tag, b"\0\0\0\0\0\0\0\0\0\0\0"].concat())
    };
    for method in [b"\0\x3c\0\x15", b"\0\x3c\0\x1e", b"\0\x3c\0\x1f", b"\0\x3c\0\x3c"] {
        for (tag, renamed) in [(&b"amq.ctag"[..], &b"`mq.ctag"[..]), (b"`", b"a"), (b"", b"")] {
            let requests = Requests::default();
            assert_eq!(sanitized(&about(method, tag)), about(method, tag));
            requests.keep_consumers();
            let mut buffer = [0; 4096];
            let length = sanitizer([about(method, tag)], requests).read(&mut buffer).unwrap();
            assert_eq!(buffer[..length], about(method, renamed));
        }
    }
}

proptest! {
    /// What is handed out is always what amiquip's parser takes, and never announces more than it may.
    #[test]
    fn any_frames_are_parsed(
        frames in vec((prop::sample::select(&[1_u8, 1, 1, 2, 3, 8, 0, 255][..]), 0_u8..2, nearly_methods()), 1..10),
    ) {
        let bytes: Vec<u8> =
            frames.iter().flat_map(|(kind, channel, payload)| frame_on(*channel, *kind, payload)).collect();
        let mut rest = &sanitized(&bytes)[..];
        while let Some(size) = rest.get(3..7) {
            let size = u32::from_be_bytes(size.try_into().unwrap()) as usize;
            prop_assert!(size < LARGEST_FRAME as usize);
            let (frame, next) = rest.split_at(size + 8);
            prop_assert!(parsed(frame.to_vec()).is_some(), "{frame:?}");
            rest = next;
        }
        prop_assert!(rest.is_empty());
    }
}

/// A number of a method, or a content header, and arguments that may belong to it.
fn nearly_methods() -> impl Strategy<Value = Vec<u8>> {
    let class = prop::sample::select(&[10_u8, 20, 40, 50, 60, 85, 90][..]);
    let method = (class, 0_u8..125).prop_map(|(class, method)| vec![0, class, 0, method]);
    let arguments = vec(prop_oneof![nearly_fields(), vec(Just(0), 0..20)], 0..4).prop_map(|parts| parts.concat());
    (method, arguments).prop_map(|(method, arguments)| [method, arguments].concat())
}
