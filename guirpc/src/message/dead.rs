//! Dead letters: the headers that a request gets when it is moved to the dead-letter queue.
//!
//! A dead letter is the request as it was, properties and all, in the durable queue `SERVICE.dead`,
//! with these headers beside its own.

use std::time::SystemTime;

/// Header: why it is dead, one of the reasons below.
pub(crate) const REASON: &str = "guirpc-dead-reason";
/// Header: the queue that it was taken off, where it is put when it is requeued.
pub(crate) const QUEUE: &str = "guirpc-dead-queue";
/// Header: when it became a dead letter, in milliseconds since the Unix epoch.
pub(crate) const TIME: &str = "guirpc-dead-time";
/// Header: the status of the reply to a failed `send`, if there was one.
pub(crate) const STATUS: &str = "guirpc-dead-status";
/// Header: what was wrong, in words.
pub(crate) const MESSAGE: &str = "guirpc-dead-message";

/// Header: how many bytes the body of the request had, if it was too large to be kept.
pub(crate) const DROPPED: &str = "guirpc-dead-dropped";

/// Header: which letter it is, so that copies of one are recognised; a request that was put back has it, too.
pub(crate) const ID: &str = "guirpc-dead-id";
/// Header: who looked through the letters when this copy was made.
pub(crate) const LOOK: &str = "guirpc-dead-look";

/// The headers that a letter has beside those of its request.
pub(crate) const ADDED: [&str; 9] = [REASON, QUEUE, TIME, STATUS, MESSAGE, DROPPED, ID, LOOK, super::ATTEMPTS];

/// Headers by which a quorum queue says how often it has delivered a message: of that delivery, not of the request.
pub(crate) const COUNTS: [&str; 2] = ["x-delivery-count", "x-acquired-count"];

/// Reason: its function began on it again and again, and each time the delivery did not come to an end.
pub(crate) const CRASHED: &str = "crashed";
/// Reason: its function may have begun on it, and that it begins once more cannot be counted.
pub(crate) const UNCOUNTED: &str = "uncounted";
/// Reason: a `send` (fire-and-forget) failed.
pub(crate) const FAILED: &str = "failed";
/// Reason: it asks for a reply to an address to which nothing can be sent.
pub(crate) const UNANSWERABLE: &str = "unanswerable";

/// How the queues end that guirpc has beside a service's own.
pub(crate) const BESIDE: [&str; 4] = ["dead", "retry", "quarantine", "calls"];

/// The queue of a service's dead letters.
pub(crate) fn queue(service: &str) -> String {
    format!("{service}.dead")
}

/// Why a request becomes a dead letter, and when.
#[derive(Debug)]
pub(crate) struct Death<'a> {
    pub(crate) reason: &'static str,
    pub(crate) queue: &'a str,
    pub(crate) time: SystemTime,
    pub(crate) status: Option<u16>,
    pub(crate) message: String,
    pub(crate) attempts: u32,
    pub(crate) dropped: Option<u64>,
}
