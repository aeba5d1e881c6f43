//! The rules that messages keep by themselves, whoever makes them.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::{Fault, HeaderValue, Headers, OrFault, Reply, ReplyKind, Request, status};
use crate::error::CallError;

/// An error with another behind it.
#[derive(Debug)]
struct Unreadable(std::num::ParseIntError);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unreadable")
    }
}

impl std::error::Error for Unreadable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn number(text: &str) -> Result<i64, Fault> {
    Ok(text.parse::<i64>().map_err(Unreadable)?)
}

#[test]
fn a_fault_is_never_a_success() {
    for (given, status) in [(400, 400), (599, 599), (200, 500), (399, 500), (600, 500), (0, 500)] {
        assert_eq!(Fault::new(given, "").status(), status);
    }
}

#[test]
fn a_reply_is_never_a_failure() {
    for (given, status) in [(200, 200), (399, 399), (199, 200), (400, 200), (0, 200)] {
        assert_eq!(Reply::with_status(given, ()).status(), status);
    }
}

#[test]
fn any_error_becomes_a_fault_that_keeps_its_sources_to_itself() {
    let fault = number("x").unwrap_err();
    assert_eq!(fault, Fault::new(status::INTERNAL, "unreadable"));
    assert_eq!(fault.source().expect("it is kept for the log").to_string(), "unreadable");
    assert!(!format!("{fault:?}").contains("invalid digit"));
    // What has nothing behind it says everything itself.
    assert!(Fault::from(fmt::Error).source().is_none());
}

#[test]
fn the_fault_of_a_function_that_was_called_stays_what_it_was() {
    let fault = || Fault::new(409, "taken").with_details(json!([1]));
    let called = |error: CallError| -> Result<(), Fault> { Err(error)? };
    assert_eq!(called(CallError::Fault(fault())), Err(fault()));
    let called = |error: CallError<Fault>| -> Result<(), Fault> { Err(error)? };
    assert_eq!(called(CallError::Fault(fault())), Err(fault()));
    let unroutable = called(CallError::Unroutable { service: "math".to_owned() }).unwrap_err();
    assert_eq!(unroutable.status(), status::INTERNAL);
    assert!(unroutable.message().contains("no queue takes calls for service `math`"), "{unroutable}");
}

#[test]
fn what_is_no_error_becomes_a_fault_by_a_status() {
    assert_eq!(Err::<(), _>("a text").or_fault(418), Err(Fault::new(418, "a text")));
    assert_eq!(None::<()>.or_fault(404), Err(Fault::new(404, "no such value")));
    assert_eq!(Some(1).or_fault(404), Ok(1));
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
