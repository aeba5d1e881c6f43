//! What failed, how far that reaches, and why: the one word for it between the broker's room and the others.

use std::fmt;

use amiquip::ConsumerMessage;

use super::connection::explain;
use crate::error::{Error, ErrorKind};

/// Something failed at the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) scope: Scope,
    /// In words, for logs and for callers.
    pub(crate) reason: String,
}

/// How far a failure reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A channel, or its consumer: the connection may be as good as ever.
    Channel,
    /// The connection, and all channels on it.
    Connection,
}

impl Failure {
    pub(crate) fn channel(reason: impl Into<String>) -> Self {
        Failure { scope: Scope::Channel, reason: reason.into() }
    }

    pub(crate) fn connection(reason: impl Into<String>) -> Self {
        Failure { scope: Scope::Connection, reason: reason.into() }
    }

    /// A connection that ended, where nothing says why.
    pub(crate) fn silent() -> Self {
        Failure::connection("it was closed without a word")
    }
}

/// What an error means that came of using a channel.
impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Topology | ErrorKind::Denied => Failure::channel(error.to_string()),
            _ => Failure::connection(error.to_string()),
        }
    }
}

/// What it means that a consumer has ended so.
impl From<&ConsumerMessage> for Failure {
    fn from(end: &ConsumerMessage) -> Self {
        match end {
            ConsumerMessage::ServerCancelled => Failure::channel("the queue was deleted"),
            ConsumerMessage::ServerClosedChannel(error) => Failure::channel(explain(error).to_string()),
            ConsumerMessage::ServerClosedConnection(error) => Failure::connection(explain(error).to_string()),
            ConsumerMessage::ClientClosedConnection => Failure::connection("it was closed on this side"),
            _ => Failure::channel("it was closed on this side"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}
