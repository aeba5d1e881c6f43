//! The functions of the service as the load sees them: all alike.

use std::fmt::{Debug, Display};

use guirpc::{CallError, Client, Fault, Pending};
use harness::{Outcome, Request};

use crate::functions::{SERVICE, aborting, failing, greet, next, quick, repeatable, resting, slow};

/// A function that takes a request's number and returns it, unless it always fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Quick,
    Repeatable,
    /// Takes so many milliseconds.
    Slow(u64),
    /// As a task takes so many milliseconds.
    Resting(u64),
    Failing,
    Aborting,
    /// Called as before the upgrade.
    Greet,
    /// Called with the argument that the upgrade adds.
    GreetNext,
}

impl Function {
    pub(crate) fn start(self, client: &Client, id: u64) -> Result<Pending<u64, Fault>, CallError<Fault>> {
        match self {
            Function::Quick => quick::start(client, id),
            Function::Repeatable => repeatable::start(client, id),
            Function::Slow(milliseconds) => slow::start(client, id, milliseconds),
            Function::Resting(milliseconds) => resting::start(client, id, milliseconds),
            Function::Failing => failing::start(client, id),
            Function::Aborting => aborting::start(client, id),
            Function::Greet => greet::start(client, id),
            Function::GreetNext => next::greet::start(&client.with_service(SERVICE), id, Some(id)),
        }
    }

    pub(crate) fn send(self, client: &Client, id: u64) -> Result<(), CallError> {
        match self {
            Function::Quick => quick::send(client, id),
            Function::Repeatable => repeatable::send(client, id),
            Function::Slow(milliseconds) => slow::send(client, id, milliseconds),
            Function::Resting(milliseconds) => resting::send(client, id, milliseconds),
            Function::Failing => failing::send(client, id),
            Function::Aborting => aborting::send(client, id),
            Function::Greet => greet::send(client, id),
            Function::GreetNext => next::greet::send(&client.with_service(SERVICE), id, Some(id)),
        }
    }

    pub(crate) fn request(self, awaited: bool) -> Request {
        Request {
            awaited,
            idempotent: self == Function::Repeatable,
            fails: matches!(self, Function::Failing | Function::Aborting),
        }
    }

    /// What a caller knows who got this for the request with this number.
    pub(crate) fn outcome(self, id: u64, result: Result<u64, CallError<Fault>>) -> Outcome {
        match result {
            Ok(answer) if answer == id && self != Function::Failing => Outcome::Answered,
            Ok(answer) => Outcome::Wrong(format!("{answer}, from {self:?}")),
            Err(CallError::Fault(fault)) if self == Function::Failing && fault.message() == "as always" => {
                Outcome::Answered
            }
            Err(error) => failure(&error),
        }
    }
}

/// What a caller knows who got no answer.
pub(crate) fn failure<E: Display + Debug>(error: &CallError<E>) -> Outcome {
    match error {
        // By another clock, another version, or a smaller limit.
        CallError::Refused(refusal) if [404, 408, 413].contains(&refusal.status()) => {
            let outcome = if error.may_have_run() { Outcome::FailedMayHaveRun } else { Outcome::FailedNotRun };
            outcome(error.to_string())
        }
        // The load does nothing that one of these could be the answer to.
        CallError::Function(_)
        | CallError::Fault(_)
        | CallError::Refused(_)
        | CallError::Undecodable { .. }
        | CallError::Unsendable { .. } => Outcome::Wrong(format!("{error:?}")),
        error if error.may_have_run() => Outcome::FailedMayHaveRun(error.to_string()),
        error => Outcome::FailedNotRun(error.to_string()),
    }
}
