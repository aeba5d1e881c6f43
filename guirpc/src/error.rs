//! What can go wrong: [`Error`] when serving or connecting, [`CallError`] when calling.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

mod call;
mod fault;
mod masked;

pub use call::{CallError, Refusal};
pub use fault::{Fault, OrFault};
pub use masked::masked;

/// Why a server or a client could not do what it was asked to.
///
/// The text contains what was attempted, why it failed and what to do; it never contains a password.
/// Where the operating system refused, [`source`](std::error::Error::source) is its [`std::io::Error`], whose text is
/// in this one's already.
#[derive(Clone)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The program itself is put together wrongly: missing state, two functions of one name, nothing to serve.
    Setup,
    /// A setting has a value that cannot be used.
    Configuration,
    /// No broker answers at the address, or the connection to it was lost.
    Unreachable,
    /// The broker answers and refuses: wrong password, missing virtual host, missing permission, a limit.
    Denied,
    /// An exchange or queue is missing and may not be declared, or exists already and is declared differently.
    Topology,
    /// It was shut down before it was up.
    Stopped,
    /// The operating system refused something, such as a thread.
    System,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), source: None }
    }

    /// What this error says already, as a value.
    pub(crate) fn with_source(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Error { source: Some(Arc::new(source)), ..self }
    }

    /// The operating system has no thread for this.
    pub(crate) fn no_thread(what: impl fmt::Display, error: std::io::Error) -> Self {
        Error::new(ErrorKind::System, format!("no thread {what}: {error}")).with_source(error)
    }

    /// The same error in other words.
    pub(crate) fn with_message(self, message: impl Into<String>) -> Self {
        Error { message: message.into(), ..self }
    }

    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// A duration as people write it: `2s`, `150ms`.
pub(crate) fn shown(duration: Duration) -> impl fmt::Display {
    humantime::format_duration(Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
}

/// The candidate most like `name`, if it differs by no more than a third of its letters.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (candidate, candidate.chars().count()))
        // The sender chose the length of the name, and measuring the distance takes time and memory in proportion.
        .filter(|(_, length)| name.len() <= 8 * length)
        .map(|(candidate, length)| (strsim::damerau_levenshtein(name, candidate), candidate, length))
        .filter(|(distance, _, length)| distance * 3 <= (*length).max(3))
        .map(|(distance, candidate, _)| (distance, candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
