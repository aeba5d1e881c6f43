//! Why a command failed: the message that is printed, and the exit code for scripts.
//!
//! Messages may hold text from a remote, so control characters in them are escaped.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use guirpc::__private_0_1::{Exit, masked};
use guirpc::{CallError, Client, Error};

use crate::terminal;

/// Why a command failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Failure { exit: Exit::Usage, message: message.to_string() }
    }

    pub(crate) fn other(message: impl fmt::Display) -> Self {
        Failure { exit: Exit::Other, message: message.to_string() }
    }

    pub(crate) fn broker(message: impl fmt::Display) -> Self {
        Failure { exit: Exit::Broker, message: terminal::lines(&message.to_string()) }
    }

    pub(crate) fn regression(message: impl fmt::Display) -> Self {
        Failure { exit: Exit::Regression, message: message.to_string() }
    }

    pub(crate) fn unroutable(message: impl fmt::Display) -> Self {
        Failure { exit: Exit::Unroutable, message: message.to_string() }
    }

    pub(crate) fn time_up(message: impl fmt::Display) -> Self {
        Failure { exit: Exit::TimeUp, message: message.to_string() }
    }

    /// After a call that had no reply in time: says what waits for the service, if the broker tells.
    pub(crate) fn no_reply<E: fmt::Display>(error: CallError<E>, client: &Client, service: &str) -> Self {
        let backlog = match &error {
            CallError::TimedOut { .. } => client.backlog(service).ok().flatten(),
            _ => None,
        };
        let mut failure = Failure::from(error);
        if let Some(backlog) = backlog {
            let service = terminal::line(service, usize::MAX);
            failure.message = format!("{}\n`{service}`: {backlog}", failure.message);
        }
        failure
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The same, said after these words.
    pub(crate) fn after(self, words: &str) -> Self {
        Failure { message: format!("{words}{}", self.message), ..self }
    }

    /// Prints it; the only place that does.
    pub(crate) fn report(self) -> ExitCode {
        // If this fails, there is nowhere left to report it.
        let _ = writeln!(io::stderr(), "error: {}", self.message);
        self.exit.code().into()
    }
}

/// Prints what clap says of a command line, and of a URI in it no password.
pub(crate) fn refuse(error: &clap::Error) -> ExitCode {
    let (text, shown) = (error.to_string(), masked(&error.to_string()));
    // Help is none of the user's words, and shows how a URI is written.
    if shown == text || !error.use_stderr() {
        error.exit();
    }
    let _ = write!(io::stderr(), "{shown}");
    Exit::Usage.code().into()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure { exit: error.kind().into(), message: terminal::lines(&error.to_string()) }
    }
}

impl<E: fmt::Display> From<CallError<E>> for Failure {
    fn from(error: CallError<E>) -> Self {
        let exit = match &error {
            CallError::Function(_) | CallError::Fault(_) => Exit::Function,
            CallError::Refused(_) => Exit::Refused,
            CallError::Unroutable { .. } => Exit::Unroutable,
            CallError::TimedOut { .. } | CallError::Disconnected { sent: true, .. } => Exit::TimeUp,
            CallError::Disconnected { .. } | CallError::Blocked { .. } | CallError::Overloaded { .. } => Exit::Broker,
            CallError::Unsendable { .. } => Exit::Usage,
            _ => Exit::Other,
        };
        let message = match &error {
            // It is JSON, and stays that.
            CallError::Function(error) => terminal::json(&error.to_string()),
            error => terminal::line(&error.to_string(), usize::MAX),
        };
        let details = match &error {
            CallError::Fault(fault) => fault.details(),
            _ => None,
        };
        let details = details.map(|details| format!("\ndetails: {}", terminal::json(&details.to_string())));
        Failure { exit, message: message + &details.unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use guirpc::Fault;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(error: CallError<serde_json::Value>, exit: Exit, message: &str) {
        let failure = Failure::from(error);
        assert_eq!((failure.exit, failure.message.as_str()), (exit, message));
    }

    #[test]
    fn a_functions_own_error_is_json() {
        check(CallError::Function(json!({ "Missing": "ada" })), Exit::Function, r#"{"Missing":"ada"}"#);
    }

    #[test]
    fn the_details_of_a_fault_are_shown() {
        let fault = Fault::new(409, "taken");
        check(CallError::Fault(fault), Exit::Function, "fault 409: taken");
        let fault = Fault::new(409, "taken").with_details(json!({ "by": "ada" }));
        check(CallError::Fault(fault), Exit::Function, "fault 409: taken\ndetails: {\"by\":\"ada\"}");
    }

    #[test]
    fn what_a_remote_wrote_steers_no_terminal() {
        let fault = Fault::new(500, "a\u{1b}[2J\nerror: b").with_details(json!("\u{9b}1m"));
        let message = "fault 500: a\\u{1b}[2J\\nerror: b\ndetails: \"\\u009b1m\"";
        check(CallError::Fault(fault), Exit::Function, message);
        check(CallError::Function(json!("\u{202e}")), Exit::Function, "\"\\u202e\"");
    }

    #[test]
    fn a_lost_connection_matters_only_after_the_request() {
        let lost = |sent| CallError::Disconnected { reason: "reset".to_owned(), sent, idempotent: false };
        check(lost(true), Exit::TimeUp, "the connection was lost before the reply came: reset");
        check(lost(false), Exit::Broker, "not connected to the broker: reset");
        let late = CallError::TimedOut { timeout: Duration::from_secs(5), idempotent: false };
        check(late, Exit::TimeUp, "no reply within 5s");
    }
}
