//! What becomes of a call or a send, and how it looks to the caller.

use std::convert::Infallible;
use std::time::Duration;

use serde_json::Value;

use super::table::Fate;
use crate::codec::{self, DecodeError, Format};
use crate::error::CallError;
use crate::function::{ErrorOf, Failure, Function, Output, OutputOf, Return};
use crate::message::{EncodedReply, Pong, Reply, ReplyKind};

/// What becomes of a call.
#[derive(Debug)]
pub(super) enum Outcome {
    Reply(EncodedReply),
    /// No queue takes calls for this service.
    Unroutable(String),
    Lost(String),
    TimedOut,
}

impl Outcome {
    pub(super) fn into_reply(self, timeout: Duration, idempotent: bool) -> Result<EncodedReply, CallError> {
        match self {
            Outcome::Reply(reply) => Ok(reply),
            Outcome::Unroutable(service) => Err(CallError::Unroutable { service }),
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
            SendOutcome::Decided(Fate::Rejected) => Err(CallError::Rejected { service: service.to_owned() }),
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
