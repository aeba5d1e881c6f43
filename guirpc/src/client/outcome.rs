//! What becomes of a call or a send, and how it looks to the caller.

use std::convert::Infallible;
use std::time::Duration;

use serde_json::Value;

use super::confirms::Fate;
use crate::codec::{self, DecodeError, Format};
use crate::error::CallError;
use crate::function::{ErrorOf, Failure, Function, Output, OutputOf, Return};
use crate::message::{EncodedReply, Pong, Reply, ReplyKind, status};

/// What becomes of a call.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    Reply(EncodedReply),
    /// No queue takes calls for this service.
    Unroutable(String),
    /// The queue of the service is full.
    Overloaded,
    Lost(String),
    TimedOut,
}

impl Outcome {
    /// What it means for a call that may have been published before: that nothing ran is true of this time only.
    pub(super) fn of_call(self, repeated: bool) -> Self {
        if !repeated {
            return self;
        }
        let lost = |what: &str| Outcome::Lost(format!("the call was made again, and {what}"));
        match self {
            Outcome::Reply(reply) if reply.kind == Some(ReplyKind::Refusal) => match reply.status {
                status::EXPIRED => Outcome::TimedOut,
                status => lost(&format!("refused ({status}): {}", codec::failure_message(&reply))),
            },
            Outcome::Unroutable(service) => lost(&format!("no queue takes calls for service `{service}` now")),
            Outcome::Overloaded => lost("the queue of the service was full"),
            outcome => outcome,
        }
    }

    pub(super) fn into_reply(
        self,
        service: &str,
        timeout: Duration,
        idempotent: bool,
    ) -> Result<EncodedReply, CallError> {
        match self {
            Outcome::Reply(reply) => Ok(reply),
            Outcome::Unroutable(service) => Err(CallError::Unroutable { service }),
            Outcome::Overloaded => Err(CallError::Overloaded { service: service.to_owned() }),
            Outcome::Lost(reason) => Err(CallError::Disconnected { reason, sent: true, idempotent }),
            Outcome::TimedOut => Err(CallError::TimedOut { timeout, idempotent }),
        }
    }
}

/// What becomes of a send.
#[derive(Debug)]
pub(super) enum SendOutcome {
    Decided(Fate),
    Lost(String),
}

impl SendOutcome {
    pub(super) fn into_result(self, service: &str, idempotent: bool) -> Result<(), CallError> {
        match self {
            SendOutcome::Decided(Fate::Taken) => Ok(()),
            SendOutcome::Decided(Fate::Returned) => Err(CallError::Unroutable { service: service.to_owned() }),
            SendOutcome::Decided(Fate::Rejected) => Err(CallError::Overloaded { service: service.to_owned() }),
            SendOutcome::Lost(reason) => Err(CallError::Disconnected { reason, sent: true, idempotent }),
        }
    }
}

/// The reply of a function that the caller has the stub of.
pub(super) fn decode<F: Function>(reply: &EncodedReply) -> Result<Reply<OutputOf<F>>, CallError<ErrorOf<F>>> {
    decode_reply(reply, |format, body| {
        <<F::Return as Return>::Failure as Failure>::decode(format, body).map(<F::Return as Return>::error)
    })
}

/// The reply of a function that the caller knows only the name of.
pub(super) fn decode_json(reply: &EncodedReply) -> Result<Reply<Value>, CallError<Value>> {
    decode_reply(reply, Format::decode)
}

pub(super) fn decode_pong(reply: &EncodedReply) -> Result<Reply<Pong>, CallError> {
    decode_reply::<Pong, Infallible>(reply, |_, _| {
        Err(DecodeError::Unsupported("a service answers a ping itself, and has no error of its own".to_owned()))
    })
}

fn decode_reply<T: Output, E>(
    reply: &EncodedReply,
    decode_error: impl FnOnce(Format, &[u8]) -> Result<E, DecodeError>,
) -> Result<Reply<T>, CallError<E>> {
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
            let value = T::decode(format()?, &reply.body).map_err(|error| undecodable("output", &error))?;
            Ok(Reply::from_parts(reply.status, reply.headers.clone(), value))
        }
    }
}

/// Whether a status stands for a failure where only the status says so: Python goes by its first digit.
fn is_failure(status: u16) -> bool {
    matches!(status.to_string().as_bytes(), [b'4' | b'5', ..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Headers;

    fn reply(kind: ReplyKind, status: u16) -> Outcome {
        Outcome::Reply(EncodedReply {
            kind: Some(kind),
            status,
            content_type: "application/json".into(),
            content_encoding: None,
            headers: Headers::new(),
            body: br#"{"message":"no"}"#.to_vec(),
        })
    }

    /// Whether the function may have run, as the caller learns it.
    fn may_have_run(outcome: Outcome, repeated: bool) -> bool {
        let reply = outcome.of_call(repeated).into_reply("math", Duration::ZERO, true);
        match reply.and_then(|reply| decode_json(&reply).map_err(|error| error.map_function(|_| unreachable!()))) {
            Ok(_) => true,
            Err(error) => error.may_have_run(),
        }
    }

    #[test]
    fn what_was_published_twice_may_have_run_whatever_becomes_of_the_second() {
        let outcomes: [fn() -> Outcome; 4] = [
            || Outcome::Unroutable("math".to_owned()),
            || Outcome::Overloaded,
            || reply(ReplyKind::Refusal, 404),
            || reply(ReplyKind::Refusal, 408),
        ];
        for outcome in outcomes {
            assert!(!may_have_run(outcome(), false), "{:?}", outcome());
            assert!(may_have_run(outcome(), true), "{:?}", outcome());
        }
        assert_eq!(reply(ReplyKind::Fault, 500).of_call(true), reply(ReplyKind::Fault, 500));
    }
}
