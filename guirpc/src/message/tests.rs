//! The rules that messages keep by themselves.

use std::time::{Duration, SystemTime};

use super::{HeaderValue, Headers, Reply, ReplyKind, Request};

#[test]
fn a_reply_is_never_a_failure() {
    for (given, status) in [(200, 200), (399, 399), (199, 200), (400, 200), (0, 200)] {
        assert_eq!(Reply::with_status(given, ()).status(), status);
    }
}

#[test]
fn headers_keep_their_order_and_one_value_for_each_name() {
    let mut headers = Headers::new();
    for (name, value) in [("b", 1), ("a", 2), ("b", 3)] {
        headers.set(name, value);
    }
    let values: Vec<(&str, Option<i64>)> = headers.iter().map(|(name, value)| (name, value.as_integer())).collect();
    assert_eq!(values, [("b", Some(3)), ("a", Some(2))]);
    assert_eq!((headers.get("B"), headers.get("a").and_then(HeaderValue::as_str)), (None, None));
}

#[test]
fn a_kind_of_reply_is_known_by_its_word_only() {
    for kind in [ReplyKind::Output, ReplyKind::Error, ReplyKind::Fault, ReplyKind::Refusal] {
        assert_eq!(ReplyKind::from_name(kind.as_str()), Some(kind));
    }
    assert_eq!(["", "Output", "result"].map(ReplyKind::from_name), [None; 3]);
}

#[test]
fn a_deadline_is_milliseconds_since_the_epoch() {
    let deadline = |value: HeaderValue| {
        let mut request = Request::default();
        request.headers.set("guirpc-deadline", value);
        request.deadline()
    };
    assert_eq!(deadline(1_500.into()), Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_500)));
    assert_eq!([deadline((-1).into()), deadline("1500".into()), deadline(HeaderValue::Void)], [None; 3]);
    assert_eq!(Request::default().deadline(), None);
}

#[test]
fn nothing_that_may_be_secret_is_shown_by_debug() {
    let mut request = Request { body: b"hunter2".to_vec(), function: "login".to_owned(), ..Request::default() };
    request.headers.set("authorization", "hunter2");
    request.headers.set("key", HeaderValue::Bytes(b"hunter2".to_vec()));
    let shown = format!("{request:?}");
    assert!(
        shown.contains("login") && shown.contains("authorization: ") | shown.contains("\"authorization\": "),
        "{shown}"
    );
    assert!(!shown.contains("hunter2") && !shown.contains("104, 117"), "{shown}");
}
