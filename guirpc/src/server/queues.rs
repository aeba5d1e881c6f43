//! The queues of a service: its own, and those beside it for calls that come together, and for what is tried again or fails.

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

/// The queue for messages that hold several calls, and what it is bound with.
///
/// A client whose exchange has no such queue learns that from the broker, and sends its calls singly.
#[derive(Debug)]
pub(super) struct CallsQueue {
    pub(super) queue: Queue,
    pub(super) routing_key: String,
}

/// Which of a service's queues a request waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QueueRole {
    Own,
    Calls,
    Retry,
    Quarantine,
}

impl FailureQueues {
    pub(super) fn all(&self) -> impl Iterator<Item = &Queue> {
        self.retry.iter().chain(&self.quarantine).chain([&self.dead_letters])
    }
}
