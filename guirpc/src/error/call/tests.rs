//! What a caller may conclude from an error, and what it reads.

use std::time::Duration;

use super::{CallError, Refusal};
use crate::error::Fault;

type Error = CallError<String>;

fn timed_out(idempotent: bool) -> Error {
    CallError::TimedOut { timeout: Duration::from_millis(1_500), idempotent }
}

fn disconnected(sent: bool, idempotent: bool) -> Error {
    CallError::Disconnected { reason: "gone".to_owned(), sent, idempotent }
}

fn refused(status: u16) -> Error {
    CallError::Refused(Refusal::new(status, "no".to_owned()))
}

/// Refused on a second delivery.
fn refused_later(status: u16, idempotent: bool) -> Error {
    let refusal = Refusal { may_have_run: true, ..Refusal::new(status, "no".to_owned()) };
    CallError::Refused(refusal).of_function(idempotent)
}

fn overloaded(idempotent: bool) -> Error {
    CallError::Overloaded { service: "math".to_owned(), idempotent }
}

/// Each error with whether the function may have run, whether the call may be repeated, and what it says.
fn conclusions() -> Vec<(Error, bool, bool, &'static str)> {
    let service = || "math".to_owned();
    let message = || "what".to_owned();
    vec![
        (CallError::Function("own".to_owned()), true, false, "own"),
        (CallError::Fault(Fault::new(404, "none")), true, false, "fault 404: none"),
        (CallError::Fault(Fault::new(408, "late")), true, false, "fault 408: late"),
        (refused(400), false, false, "refused (400): no"),
        (refused(408), false, true, "refused (408): no"),
        (refused_later(404, true), true, false, "refused (404): no; it may have run before, on an earlier delivery"),
        (refused_later(408, false), true, false, "refused (408): no; it may have run before, on an earlier delivery"),
        (refused_later(408, true), true, true, "refused (408): no; it may have run before, on an earlier delivery"),
        (timed_out(false), true, false, "no reply within 1s 500ms"),
        (timed_out(true), true, true, "no reply within 1s 500ms"),
        (disconnected(true, false), true, false, "the connection was lost before the reply came: gone"),
        (disconnected(true, true), true, true, "the connection was lost before the reply came: gone"),
        (disconnected(false, false), false, true, "not connected to the broker: gone"),
        (CallError::Blocked { reason: message() }, false, true, "the broker takes no messages at the moment: what"),
        (
            overloaded(false),
            true,
            false,
            "the queue of service `math` did not take the request: it is full, or it has failed",
        ),
        (
            overloaded(true),
            true,
            true,
            "the queue of service `math` did not take the request: it is full, or it has failed",
        ),
        (
            CallError::Unroutable { service: service() },
            false,
            true,
            "no queue takes calls for service `math`: is it being served, and spelt right?",
        ),
        (CallError::Unsendable { message: message() }, false, false, "what"),
        (CallError::Undecodable { message: message() }, true, false, "what"),
    ]
}

#[test]
fn what_may_have_run_is_repeated_only_if_that_is_safe() {
    for (error, may_have_run, is_retryable, said) in conclusions() {
        assert_eq!(error.to_string(), said);
        assert_eq!((error.may_have_run(), error.is_retryable()), (may_have_run, is_retryable), "{error:?}");
    }
}

#[test]
fn another_type_for_the_functions_error_changes_nothing_else() {
    for (error, may_have_run, is_retryable, said) in conclusions() {
        let error = error.map_function(Box::<dyn std::error::Error>::from);
        assert_eq!((error.may_have_run(), error.is_retryable()), (may_have_run, is_retryable), "{error:?}");
        assert_eq!(error.to_string(), said);
    }
}

#[test]
fn a_refusal_does_not_grow_with_what_it_quotes() {
    let quoting = |text: String| Refusal::new(400, format!("invalid type: string \"{text}\", expected i64")).message;
    for (text, length) in [("x", 1), ("x", 1_000_000), ("é", 1_000), ("€x", 1_000), ("🦀", 1_000)] {
        let message = quoting(text.repeat(length));
        assert!(message.len() < 1_010, "{}", message.len());
        assert!(message.starts_with("invalid type: string \"") && message.ends_with("\", expected i64"), "{message}");
        assert_eq!(message.contains(" … "), length > 1, "{message}");
    }
}
