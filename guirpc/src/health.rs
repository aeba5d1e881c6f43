//! Whether a server or a client is connected.

use std::fmt;

/// How a server or a client stands with its broker at the moment, for health checks and dashboards.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionStatus {
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

impl ConnectionStatus {
    /// Whether it is connected and the broker takes messages.
    pub fn is_connected(&self) -> bool {
        *self == ConnectionStatus::Connected
    }
}

impl fmt::Display for ConnectionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectionStatus::Connected => f.write_str("connected"),
            ConnectionStatus::Blocked { reason } => write!(f, "blocked: {reason}"),
            ConnectionStatus::Disconnected { reason } => write!(f, "disconnected: {reason}"),
            ConnectionStatus::Stopped => f.write_str("stopped"),
        }
    }
}
