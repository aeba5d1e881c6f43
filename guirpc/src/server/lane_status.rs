//! How the connection of one lane stands, as those see it who ask for a server's status.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::health::ConnectionStatus;

/// The status of one lane of a server; once that has stopped, it stays so.
#[derive(Debug)]
pub(super) struct LaneStatus {
    status: Mutex<ConnectionStatus>,
    /// How many sessions there were.
    sessions: AtomicU64,
    /// How often the broker ceased to take messages.
    blocks: AtomicU64,
}

impl LaneStatus {
    pub(super) fn new() -> Self {
        LaneStatus {
            status: Mutex::new(ConnectionStatus::Connected),
            sessions: AtomicU64::new(0),
            blocks: AtomicU64::new(0),
        }
    }

    /// Says whether the status is still of interest: after the end it is not, also not for the log.
    pub(super) fn set(&self, status: ConnectionStatus) -> bool {
        let mut current = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if *current == ConnectionStatus::Stopped {
            return false;
        }
        let is_blocked = |status: &ConnectionStatus| matches!(status, ConnectionStatus::Blocked { .. });
        if is_blocked(&status) && !is_blocked(&current) {
            self.blocks.fetch_add(1, Ordering::Relaxed);
        }
        *current = status;
        true
    }

    /// A session is open.
    pub(super) fn connected(&self) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
        self.set(ConnectionStatus::Connected);
    }

    /// How many sessions followed the first.
    pub(super) fn reconnects(&self) -> u64 {
        self.sessions.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// How often the broker ceased to take messages.
    #[cfg(feature = "metrics")]
    pub(super) fn blocks(&self) -> u64 {
        self.blocks.load(Ordering::Relaxed)
    }

    pub(super) fn status(&self) -> ConnectionStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The status of several lanes: the worst.
pub(super) fn overall<'a>(lanes: impl IntoIterator<Item = &'a LaneStatus>) -> ConnectionStatus {
    let severity = |status: &ConnectionStatus| match status {
        ConnectionStatus::Connected => 0,
        ConnectionStatus::Blocked { .. } => 1,
        ConnectionStatus::Disconnected { .. } => 2,
        ConnectionStatus::Stopped => 3,
    };
    lanes.into_iter().map(LaneStatus::status).max_by_key(severity).unwrap_or(ConnectionStatus::Stopped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_the_end() {
        let status = LaneStatus::new();
        assert!(status.set(ConnectionStatus::Blocked { reason: "memory".to_owned() }));
        assert!(status.set(ConnectionStatus::Stopped));
        assert!(!status.set(ConnectionStatus::Connected));
        assert_eq!(status.status(), ConnectionStatus::Stopped);
    }
}
