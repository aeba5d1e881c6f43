//! How the connection of one lane stands, as those see it who ask for a server's status.

use std::sync::{Mutex, PoisonError};

use crate::health::Status;

/// The status of one lane of a server; once that has stopped, it stays so.
#[derive(Debug)]
pub(super) struct ConnectionStatus(Mutex<Status>);

impl ConnectionStatus {
    pub(super) fn new() -> Self {
        ConnectionStatus(Mutex::new(Status::Connected))
    }

    /// Says whether the status is still of interest: after the end it is not, also not for the log.
    pub(super) fn set(&self, status: Status) -> bool {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *current == Status::Stopped {
            return false;
        }
        *current = status;
        true
    }

    pub(super) fn status(&self) -> Status {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The status of several lanes: the worst.
pub(super) fn overall<'a>(lanes: impl IntoIterator<Item = &'a ConnectionStatus>) -> Status {
    let severity = |status: &Status| match status {
        Status::Connected => 0,
        Status::Blocked { .. } => 1,
        Status::Disconnected { .. } => 2,
        Status::Stopped => 3,
    };
    lanes.into_iter().map(ConnectionStatus::status).max_by_key(severity).unwrap_or(Status::Stopped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_the_end() {
        let status = ConnectionStatus::new();
        assert!(status.set(Status::Blocked { reason: "memory".to_owned() }));
        assert!(status.set(Status::Stopped));
        assert!(!status.set(Status::Connected));
        assert_eq!(status.status(), Status::Stopped);
    }
}
