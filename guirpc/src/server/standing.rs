//! How a server stands with its broker, for whoever asks.

use std::sync::{Mutex, PoisonError};

use crate::health::Status;

/// The status of one lane of a server, changed by those who keep it.
#[derive(Debug)]
pub(super) struct Standing(Mutex<Status>);

impl Standing {
    pub(super) fn new() -> Self {
        Standing(Mutex::new(Status::Connected))
    }

    pub(super) fn set(&self, status: Status) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    pub(super) fn status(&self) -> Status {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What is to be said of several lanes: the worst.
pub(super) fn overall<'a>(lanes: impl IntoIterator<Item = &'a Standing>) -> Status {
    let severity = |status: &Status| match status {
        Status::Connected => 0,
        Status::Blocked { .. } => 1,
        Status::Disconnected { .. } => 2,
        Status::Stopped => 3,
    };
    lanes.into_iter().map(Standing::status).max_by_key(severity).unwrap_or(Status::Stopped)
}
