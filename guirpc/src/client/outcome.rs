//! What becomes of a call or a send, and how it looks to the caller.

use std::convert::Infallible;
use std::time::Duration;

use serde_json::Value;

use crate::broker::{Received, TooLarge};
use crate::codec::{self, DecodeError, Format};
use crate::error::CallError;
use crate::function::{ErrorOf, Failure, Function, Output, OutputOf, Return};
use crate::message::{EncodedReply, Reply, ReplyKind, ServiceInfo};
#[cfg(feature = "metrics")]
use crate::metrics::CallOutcome;

/// What becomes of a call or a send.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Reply(EncodedReply),
    /// There is one, of so many bytes, which are too many.
    ReplyTooLarge(u64),
    /// A send is in a queue.
    Accepted,
    /// No queue takes it.
    Unroutable,
    /// The queue did not take it: it is full, or has failed.
    Overloaded,
    /// The broker takes no messages, for this reason.
    Blocked(String),
    /// The broker does not permit it.
    Denied(String),
    /// It was in flight when the link was lost.
    Lost(String),
    /// It was not published by its deadline, for this reason.
    NotSent(String),
    TimedOut,
}

/// What an outcome is to be told with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'a> {
    pub(super) service: &'a str,
    pub(super) timeout: Duration,
    pub(super) idempotent: bool,
    /// How many bytes a reply may have.
    pub(super) max_body: usize,
}

impl From<Received> for Outcome {
    fn from(reply: Received) -> Self {
        match reply {
            Ok(reply) => Outcome::Reply(reply),
            Err(TooLarge { bytes }) => Outcome::ReplyTooLarge(bytes),
        }
    }
}

impl Outcome {
    /// What it means for a call that was in flight before, on another link: that nothing ran is true of this time only.
    pub(super) fn of_call(self, repeated: bool) -> Self {
        if !repeated {
            return self;
        }
        let lost = |what: &str| Outcome::Lost(format!("the call was made again, and {what}"));
        match self {
            Outcome::Reply(mut reply) => {
                reply.note_attempts(1);
                Outcome::Reply(reply)
            }
            Outcome::Unroutable => lost("no queue takes it now"),
            Outcome::Blocked(reason) => lost(&format!("the broker took no messages: {reason}")),
            Outcome::Denied(reason) => lost(&format!("the broker did not permit it: {reason}")),
            Outcome::NotSent(reason) => Outcome::Lost(reason),
            outcome @ (Outcome::ReplyTooLarge(_)
            | Outcome::Accepted
            | Outcome::Overloaded
            | Outcome::Lost(_)
            | Outcome::TimedOut) => outcome,
        }
    }

    /// What kind of failure it is, in a trace; a reply says that itself.
    pub(super) fn error_type(&self) -> Option<&'static str> {
        match self {
            Outcome::Reply(_) | Outcome::Accepted => None,
            Outcome::ReplyTooLarge(_) => Some("reply_too_large"),
            Outcome::Unroutable => Some("unroutable"),
            Outcome::Overloaded => Some("overloaded"),
            Outcome::Blocked(_) => Some("blocked"),
            Outcome::Denied(_) => Some("denied"),
            Outcome::Lost(_) => Some("disconnected"),
            Outcome::NotSent(_) => Some("not_sent"),
            Outcome::TimedOut => Some("timed_out"),
        }
    }

    /// As metrics have it.
    #[cfg(feature = "metrics")]
    pub(super) fn measured(&self) -> CallOutcome {
        match self {
            Outcome::Reply(reply) => match reply.outcome() {
                ReplyKind::Refusal => CallOutcome::Refusal,
                ReplyKind::Error => CallOutcome::Error,
                ReplyKind::Fault => CallOutcome::Fault,
                ReplyKind::Output => CallOutcome::Output,
            },
            Outcome::ReplyTooLarge(_) => CallOutcome::TooLarge,
            Outcome::Accepted => CallOutcome::Accepted,
            Outcome::Unroutable => CallOutcome::Unroutable,
            Outcome::Overloaded => CallOutcome::Overloaded,
            Outcome::Blocked(_) => CallOutcome::Blocked,
            Outcome::Denied(_) => CallOutcome::Denied,
            Outcome::Lost(_) => CallOutcome::Disconnected,
            Outcome::NotSent(_) => CallOutcome::NotSent,
            Outcome::TimedOut => CallOutcome::TimedOut,
        }
    }

    /// The reply; a send that was accepted has none.
    pub(super) fn into_reply(self, told: Told<'_>) -> Result<Option<EncodedReply>, CallError> {
        let Told { service, timeout, idempotent, max_body } = told;
        let service = || service.to_owned();
        let too_large = |bytes: u64| CallError::Undecodable {
            message: format!("the reply has {bytes} bytes, this client takes at most {max_body} (`max_body`)"),
        };
        Err(match self {
            Outcome::Reply(reply) if reply.body.len() > max_body => too_large(reply.body.len() as u64),
            Outcome::Reply(reply) => return Ok(Some(reply)),
            Outcome::ReplyTooLarge(bytes) => too_large(bytes),
            Outcome::Accepted => return Ok(None),
            Outcome::Unroutable => CallError::Unroutable { service: service() },
            Outcome::Overloaded => CallError::Overloaded { service: service(), idempotent },
            Outcome::Blocked(reason) => CallError::Blocked { reason },
            Outcome::Denied(message) => CallError::Unsendable { message },
            Outcome::Lost(reason) => CallError::Disconnected { reason, sent: true, idempotent },
            Outcome::NotSent(reason) => CallError::Disconnected { reason, sent: false, idempotent },
            Outcome::TimedOut => CallError::TimedOut { timeout, idempotent },
        })
    }
}

/// The reply of a function that the caller has the stub of.
pub(super) fn decode<F: Function>(reply: Option<&EncodedReply>) -> Result<Reply<OutputOf<F>>, CallError<ErrorOf<F>>> {
    decode_reply(reply, OutputOf::<F>::decode, |format, body| {
        <<F::Return as Return>::Failure as Failure>::decode(format, body).map(<F::Return as Return>::error)
    })
}

/// The reply of a function that the caller knows only the name of.
pub(super) fn decode_json(reply: Option<&EncodedReply>) -> Result<Reply<Value>, CallError<Value>> {
    decode_reply(reply, Format::decode, Format::decode)
}

/// The same, as the JSON that it is.
pub(super) fn decode_json_text(reply: Option<&EncodedReply>) -> Result<Reply<String>, CallError<String>> {
    decode_reply(reply, Format::decode_json_text, Format::decode_json_text)
}

pub(super) fn decode_service_info(reply: Option<&EncodedReply>) -> Result<Reply<ServiceInfo>, CallError> {
    decode_reply::<ServiceInfo, Infallible>(reply, Format::decode, |_, _| {
        Err(DecodeError::Unsupported("a service answers a ping itself, and has no error of its own".to_owned()))
    })
}

/// A send has no reply, and nothing to decode.
#[allow(clippy::unnecessary_wraps, reason = "it is one of several decoders")]
pub(super) fn decode_nothing(_: Option<&EncodedReply>) -> Result<Reply<()>, CallError> {
    Ok(Reply::new(()))
}

fn decode_reply<T, E>(
    reply: Option<&EncodedReply>,
    decode_output: impl FnOnce(Format, &[u8]) -> Result<T, DecodeError>,
    decode_error: impl FnOnce(Format, &[u8]) -> Result<E, DecodeError>,
) -> Result<Reply<T>, CallError<E>> {
    let reply = reply.expect("a call that is accepted goes on, until it is answered");
    let undecodable = |what: &str, error: &dyn std::fmt::Display| CallError::Undecodable {
        message: format!("the {what} cannot be decoded, caller and service disagree about its type: {error}"),
    };
    let format =
        || Format::of(reply).map_err(|what| CallError::Undecodable { message: format!("the reply has {what}") });
    match reply.kind {
        Some(ReplyKind::Error) => match decode_error(format()?, &reply.body) {
            Ok(error) => Err(CallError::Function(error)),
            Err(error) => Err(undecodable("function's error", &error)),
        },
        Some(ReplyKind::Fault | ReplyKind::Refusal) => Err(codec::decode_failure(reply)),
        None if is_failure(reply.status) => Err(codec::decode_failure(reply)),
        None if reply.status == 0 => {
            Err(CallError::Undecodable { message: "the reply has no status, so that it means nothing".to_owned() })
        }
        Some(ReplyKind::Output) | None => {
            let value = decode_output(format()?, &reply.body).map_err(|error| undecodable("output", &error))?;
            Ok(Reply::from_parts(reply.status, reply.headers.clone(), value))
        }
    }
}

/// Whether a status stands for a failure where only the status says so: Python goes by its first digit.
fn is_failure(status: u16) -> bool {
    matches!(status.to_string().as_bytes(), [b'4' | b'5', ..])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::message::Headers;

    /// One whose body is that of a refusal.
    pub(in crate::client) fn encoded(kind: ReplyKind, status: u16) -> EncodedReply {
        EncodedReply {
            kind: Some(kind),
            status,
            content_type: "application/json".into(),
            content_encoding: None,
            headers: Headers::new(),
            body: br#"{"message":"no"}"#.to_vec(),
        }
    }

    fn reply(kind: ReplyKind, status: u16) -> Outcome {
        Outcome::Reply(encoded(kind, status))
    }

    /// Whether the function may have run, as the caller learns it.
    fn may_have_run(outcome: Outcome, repeated: bool) -> bool {
        let told = Told { service: "math", timeout: Duration::ZERO, idempotent: true, max_body: 100 };
        let reply = outcome.of_call(repeated).into_reply(told);
        match reply
            .and_then(|reply| decode_json(reply.as_ref()).map_err(|error| error.map_function(|_| unreachable!())))
        {
            Ok(_) => true,
            Err(error) => error.may_have_run(),
        }
    }

    #[test]
    fn a_reply_that_is_too_large_says_so_and_may_have_run() {
        let told = Told { service: "math", timeout: Duration::ZERO, idempotent: false, max_body: 2 };
        for outcome in [reply(ReplyKind::Output, 200), Outcome::ReplyTooLarge(16)] {
            let error = outcome.into_reply(told).unwrap_err();
            assert_eq!(error.to_string(), "the reply has 16 bytes, this client takes at most 2 (`max_body`)");
            assert!(error.may_have_run() && !error.is_retryable());
        }
    }

    #[test]
    fn what_was_published_twice_may_have_run_whatever_becomes_of_the_second() {
        let outcomes: [fn() -> Outcome; 6] = [
            || Outcome::Unroutable,
            || Outcome::Blocked("memory".to_owned()),
            || Outcome::Denied("no".to_owned()),
            || Outcome::NotSent("gone".to_owned()),
            || reply(ReplyKind::Refusal, 404),
            || reply(ReplyKind::Refusal, 408),
        ];
        for outcome in outcomes {
            assert!(!may_have_run(outcome(), false), "{:?}", outcome());
            assert!(may_have_run(outcome(), true), "{:?}", outcome());
        }
        assert_eq!(reply(ReplyKind::Fault, 500).of_call(true), reply(ReplyKind::Fault, 500));
        assert!(may_have_run(Outcome::Overloaded, false), "it may be more than full");
    }
}
