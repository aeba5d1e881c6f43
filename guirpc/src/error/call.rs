//! The outcome of a call that has no output.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::{Fault, shown};

#[cfg(test)]
mod tests;

/// Why a call failed: one variant for each kind of failure.
///
/// For every variant, [`may_have_run`](CallError::may_have_run) answers whether the function may have run,
/// and [`is_retryable`](CallError::is_retryable) whether a retry is safe and may succeed.
///
/// ```
/// use guirpc::CallError;
///
/// fn next_step(error: &CallError) -> &'static str {
///     match error {
///         CallError::Unroutable { .. } => "not served: start the service",
///         error if error.is_retryable() => "try again",
///         error if error.may_have_run() => "check whether it was done",
///         _ => "fix the call",
///     }
/// }
/// # let error = CallError::Unroutable { service: "math".into() };
/// # assert_eq!(next_step(&error), "not served: start the service");
/// ```
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum CallError<E = Infallible> {
    /// The function ran and returned its own error.
    Function(E),
    /// The function ran and returned a [`Fault`], or panicked (status 500).
    Fault(Fault),
    /// The service received the call and refused to run the function; see [`Refusal::may_have_run`].
    Refused(Refusal),
    /// Unroutable: no queue takes calls for this service. It is not served, or its name is misspelt. Nothing ran.
    Unroutable {
        /// The service that was called.
        service: String,
    },
    /// Timeout: no reply came by the deadline. The function may have run, or may be running now.
    TimedOut {
        /// The timeout of the call.
        timeout: Duration,
        /// Whether the function is declared to be safe to run twice.
        idempotent: bool,
    },
    /// The connection to the broker was lost, or could not be opened in time.
    Disconnected {
        /// What happened to the connection.
        reason: String,
        /// Whether the request had been published before.
        sent: bool,
        /// Whether the function is declared to be safe to run twice.
        idempotent: bool,
    },
    /// The broker takes no messages at the moment: a memory or disk alarm. Nothing was sent.
    Blocked {
        /// The broker's reason.
        reason: String,
    },
    /// The queue of the service did not take the request: it is full and rejects, or it has failed.
    ///
    /// The broker does not say which (it is a `basic.nack` either way), and what a queue loses when it fails may have been
    /// delivered before. So the function may have run.
    Overloaded {
        /// The service whose queue it is.
        service: String,
        /// Whether the function is declared to be safe to run twice.
        idempotent: bool,
    },
    /// The client's queue of unpublished calls is full. Nothing was sent: try again later.
    Backpressure {
        /// The bytes in that queue, at most [`Client::with_max_queued`](crate::Client::with_max_queued).
        queued: u64,
    },
    /// The request cannot be sent as it is, or the broker does not take it; the message explains what to change. Nothing
    /// ran.
    Unsendable {
        /// What is wrong with it.
        message: String,
    },
    /// The reply cannot be decoded: caller and service disagree about a type, or it is larger than the client's
    /// [`max_body`](crate::Client::with_max_body). The function ran.
    Undecodable {
        /// What is wrong with it.
        message: String,
    },
}

/// Why a service refused to run a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
    pub(crate) may_have_run: bool,
    /// Whether the function is declared to be safe to run twice.
    pub(crate) idempotent: bool,
}

/// The longest message of a refusal, in bytes.
const LONGEST_MESSAGE: usize = 1000;

impl Refusal {
    /// A refusal of a request that may be quoted in the message: a reply must not grow with what it refuses.
    pub(crate) fn new(status: u16, message: String) -> Self {
        Refusal { status, message: shortened(message, LONGEST_MESSAGE), may_have_run: false, idempotent: false }
    }

    /// 400 arguments that do not decode, 404 unknown function, 408 expired before it could run,
    /// 409 delivered before to a function that runs at most once, 413 body too large,
    /// 415 content type that the function cannot be called with.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// What was wrong, in the service's words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the function may have run before the service refused it.
    ///
    /// The request was delivered before, to a server that has ended or lost its connection, or the client had published
    /// it before. Otherwise nothing ran, which is certain.
    pub fn may_have_run(&self) -> bool {
        self.may_have_run
    }
}

/// The text without its middle, if it is too long: its end may name what was expected.
fn shortened(text: String, longest: usize) -> String {
    if text.len() <= longest {
        return text;
    }
    let head = text.floor_char_boundary(longest * 2 / 3);
    let tail = text.ceil_char_boundary(text.len() - longest / 3);
    format!("{} … {}", &text[..head], &text[tail..])
}

impl<E> CallError<E> {
    /// Whether the function may have been run, completely or in part.
    ///
    /// `false` is certain; `true` means that only the function's own effects show it.
    pub fn may_have_run(&self) -> bool {
        match self {
            CallError::Function(_)
            | CallError::Fault(_)
            | CallError::TimedOut { .. }
            | CallError::Overloaded { .. }
            | CallError::Undecodable { .. } => true,
            CallError::Disconnected { sent, .. } => *sent,
            CallError::Refused(refusal) => refusal.may_have_run,
            CallError::Unroutable { .. }
            | CallError::Blocked { .. }
            | CallError::Backpressure { .. }
            | CallError::Unsendable { .. } => false,
        }
    }

    /// Whether the very same call may succeed later and does no harm if it is made again.
    ///
    /// So the reason must be one that passes (a timeout, a lost connection, a missing server), and
    /// either the function did not run or it is declared `idempotent`.
    pub fn is_retryable(&self) -> bool {
        match self {
            CallError::TimedOut { idempotent, .. } | CallError::Overloaded { idempotent, .. } => *idempotent,
            CallError::Disconnected { sent, idempotent, .. } => !sent || *idempotent,
            CallError::Refused(Refusal { status, may_have_run, idempotent, .. }) => {
                *status == crate::message::status::EXPIRED && (!may_have_run || *idempotent)
            }
            CallError::Unroutable { .. } | CallError::Blocked { .. } | CallError::Backpressure { .. } => true,
            CallError::Function(_)
            | CallError::Fault(_)
            | CallError::Unsendable { .. }
            | CallError::Undecodable { .. } => false,
        }
    }

    /// The same error of a function that is, or is not, declared to be safe to run twice.
    pub(crate) fn of_function(self, idempotent: bool) -> Self {
        match self {
            CallError::Refused(refusal) => CallError::Refused(Refusal { idempotent, ..refusal }),
            error => error,
        }
    }

    /// The same error with the function's own error replaced; for callers that name error types of their own.
    pub fn map_function<F>(self, replace: impl FnOnce(E) -> F) -> CallError<F> {
        match self {
            CallError::Function(error) => CallError::Function(replace(error)),
            CallError::Fault(fault) => CallError::Fault(fault),
            CallError::Refused(refusal) => CallError::Refused(refusal),
            CallError::Unroutable { service } => CallError::Unroutable { service },
            CallError::TimedOut { timeout, idempotent } => CallError::TimedOut { timeout, idempotent },
            CallError::Disconnected { reason, sent, idempotent } => {
                CallError::Disconnected { reason, sent, idempotent }
            }
            CallError::Blocked { reason } => CallError::Blocked { reason },
            CallError::Overloaded { service, idempotent } => CallError::Overloaded { service, idempotent },
            CallError::Backpressure { queued } => CallError::Backpressure { queued },
            CallError::Unsendable { message } => CallError::Unsendable { message },
            CallError::Undecodable { message } => CallError::Undecodable { message },
        }
    }
}

impl CallError {
    /// An error that no function of its own made, as the error of a call to any function.
    pub(crate) fn widen<E>(self) -> CallError<E> {
        self.map_function(|never| match never {})
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Function(error) => error.fmt(f),
            CallError::Fault(fault) => write!(f, "fault {}: {}", fault.status(), fault.message()),
            CallError::Refused(Refusal { status, message, may_have_run, .. }) => {
                let earlier = if *may_have_run { "; it may have run before, on an earlier delivery" } else { "" };
                write!(f, "refused ({status}): {message}{earlier}")
            }
            CallError::Unroutable { service } => {
                write!(f, "no queue takes calls for service `{service}`: is it being served, and spelt right?")
            }
            CallError::TimedOut { timeout, .. } => write!(f, "no reply within {}", shown(*timeout)),
            CallError::Disconnected { reason, sent: true, .. } => {
                write!(f, "the connection was lost before the reply came: {reason}")
            }
            CallError::Disconnected { reason, sent: false, .. } => write!(f, "not connected to the broker: {reason}"),
            CallError::Blocked { reason } => write!(f, "the broker takes no messages at the moment: {reason}"),
            CallError::Overloaded { service, .. } => {
                write!(f, "the queue of service `{service}` did not take the request: it is full, or it has failed")
            }
            CallError::Backpressure { queued } => write!(
                f,
                "{queued} bytes of calls wait in this client for the broker, and it takes no more (`max_queued`): \
                 nothing was sent, try again later"
            ),
            CallError::Unsendable { message } | CallError::Undecodable { message } => f.write_str(message),
        }
    }
}

impl<E: fmt::Display + fmt::Debug> Error for CallError<E> {}
