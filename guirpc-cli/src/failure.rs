//! Why a command failed: what is printed, and the exit code by which a script can tell.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use guirpc::{CallError, Error, ErrorKind};

pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  something else went wrong: a file cannot be written, a reply cannot be understood
  2  the command line, the arguments or the URI cannot be understood
  3  the function ran and returned its own error (printed as JSON) or a fault
  4  the broker cannot be reached, refuses the user or vhost, or takes no messages
  5  the service refused: it has no such function, or the arguments do not fit it
  6  no answer: the time was up, or the connection was lost; the function may have run
  7  no queue takes calls for the service: not served, or its name is misspelt";

/// The kinds of failure, each with its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Other = 1,
    Usage = 2,
    Function = 3,
    Broker = 4,
    Refused = 5,
    NoAnswer = 6,
    Unroutable = 7,
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
}

impl Failure {
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Failure { kind: Kind::Usage, message: message.to_string() }
    }

    pub(crate) fn other(message: impl fmt::Display) -> Self {
        Failure { kind: Kind::Other, message: message.to_string() }
    }

    pub(crate) fn unroutable(message: impl fmt::Display) -> Self {
        Failure { kind: Kind::Unroutable, message: message.to_string() }
    }

    /// Prints it; the only place that does.
    pub(crate) fn report(self) -> ExitCode {
        // There is nobody left to tell if this fails.
        let _ = writeln!(io::stderr(), "error: {}", self.message);
        ExitCode::from(self.kind as u8)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Unreachable | ErrorKind::Denied => Kind::Broker,
            ErrorKind::Configuration => Kind::Usage,
            _ => Kind::Other,
        };
        Failure { kind, message: error.to_string() }
    }
}

impl<E: fmt::Display> From<CallError<E>> for Failure {
    fn from(error: CallError<E>) -> Self {
        let kind = match &error {
            CallError::Function(_) | CallError::Fault(_) => Kind::Function,
            CallError::Refused(_) => Kind::Refused,
            CallError::Unroutable { .. } => Kind::Unroutable,
            CallError::TimedOut { .. } | CallError::Disconnected { sent: true, .. } => Kind::NoAnswer,
            CallError::Disconnected { .. } | CallError::Blocked { .. } | CallError::Overloaded { .. } => Kind::Broker,
            CallError::Unsendable { .. } => Kind::Usage,
            _ => Kind::Other,
        };
        let mut message = error.to_string();
        if let CallError::Fault(fault) = &error
            && let Some(details) = fault.details()
        {
            message = format!("{message}\ndetails: {details}");
        }
        Failure { kind, message }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use guirpc::Fault;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(error: CallError<serde_json::Value>, kind: Kind, message: &str) {
        let failure = Failure::from(error);
        assert_eq!((failure.kind, failure.message.as_str()), (kind, message));
    }

    #[test]
    fn a_functions_own_error_is_json() {
        check(CallError::Function(json!({ "Missing": "ada" })), Kind::Function, r#"{"Missing":"ada"}"#);
    }

    #[test]
    fn the_details_of_a_fault_are_shown() {
        let fault = Fault::new(409, "taken");
        check(CallError::Fault(fault), Kind::Function, "fault 409: taken");
        let fault = Fault::new(409, "taken").with_details(json!({ "by": "ada" }));
        check(CallError::Fault(fault), Kind::Function, "fault 409: taken\ndetails: {\"by\":\"ada\"}");
    }

    #[test]
    fn a_lost_connection_matters_only_after_the_request() {
        let lost = |sent| CallError::Disconnected { reason: "reset".to_owned(), sent, idempotent: false };
        check(lost(true), Kind::NoAnswer, "the connection was lost before the reply came: reset");
        check(lost(false), Kind::Broker, "not connected to the broker: reset");
        let late = CallError::TimedOut { timeout: Duration::from_secs(5), idempotent: false };
        check(late, Kind::NoAnswer, "no reply within 5s");
    }

    #[test]
    fn help_explains_every_exit_code() {
        let kinds =
            [Kind::Other, Kind::Usage, Kind::Function, Kind::Broker, Kind::Refused, Kind::NoAnswer, Kind::Unroutable];
        for (line, kind) in EXIT_CODES.lines().skip(2).zip(kinds) {
            assert!(line.trim_start().starts_with(&(kind as u8).to_string()), "{line}");
        }
    }
}
