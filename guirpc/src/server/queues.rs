//! The queues of a service: its own, and those beside it for what is tried again or fails.

use crate::broker::QueueKind;

/// Where requests go that are not run at once, or fail.
#[derive(Debug)]
pub(super) struct FailureQueues {
    /// For another attempt, as many at a time as there are workers; `None` for both if it is the service's own queue.
    pub(super) retry: Option<Queue>,
    /// For another attempt, one at a time.
    pub(super) quarantine: Option<Queue>,
    pub(super) dead_letters: Queue,
    /// How often a function begins on one message.
    pub(super) max_deliveries: u32,
}

/// A queue of guirpc's own beside a service's.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) kind: QueueKind,
}

/// Which of a service's queues a request waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QueueRole {
    Own,
    Retry,
    Quarantine,
}

impl FailureQueues {
    pub(super) fn all(&self) -> impl Iterator<Item = &Queue> {
        self.retry.iter().chain(&self.quarantine).chain([&self.dead_letters])
    }

    /// The queue of this role; `None` if it is the service's own.
    pub(super) fn of(&self, role: QueueRole) -> Option<&Queue> {
        match role {
            QueueRole::Own => None,
            QueueRole::Retry => self.retry.as_ref(),
            QueueRole::Quarantine => self.quarantine.as_ref(),
        }
    }
}
