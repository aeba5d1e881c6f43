//! Whether a server or a client is connected.

use std::fmt;

/// How a server or a client stands with its broker at the moment, for health checks and dashboards.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Connected, and working.
    Connected,
    /// Connected, but the broker takes no messages at the moment (a memory or disk alarm); it goes on by itself.
    Blocked {
        /// The broker's reason.
        reason: String,
    },
    /// Not connected; it is tried again and again.
    Disconnected {
        /// What happened to the connection, or why there is none yet.
        reason: String,
    },
    /// Stopped, or about to: there will be no connection any more.
    Stopped,
}

impl Status {
    /// Whether it is connected and the broker takes messages.
    pub fn is_connected(&self) -> bool {
        *self == Status::Connected
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Connected => f.write_str("connected"),
            Status::Blocked { reason } => write!(f, "blocked: {reason}"),
            Status::Disconnected { reason } => write!(f, "disconnected: {reason}"),
            Status::Stopped => f.write_str("stopped"),
        }
    }
}
