//! Which requests are running: what is delivered again meanwhile waits for the answer.
//!
//! Each worker has a place of its own that it writes before and after each run, without a lock: a keyed hash of the
//! correlation id. Two requests may have one hash; then one of them waits for the other for nothing, and no more.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::CachePadded;
use foldhash::fast::RandomState;

use crate::message::Request;

/// What the workers of a lane are running, across its sessions.
#[derive(Debug)]
pub(super) struct Running {
    workers: Box<[CachePadded<AtomicU64>]>,
    hasher: RandomState,
}

impl Running {
    pub(super) fn new(workers: usize) -> Self {
        let workers = (0..workers).map(|_| CachePadded::new(AtomicU64::new(0))).collect();
        Running { workers, hasher: RandomState::default() }
    }

    pub(super) fn begin(&self, worker: usize, request: &Request) {
        self.workers[worker].store(self.hash(request), Ordering::SeqCst);
    }

    /// The run is over, and its answer reported.
    pub(super) fn end(&self, worker: usize) {
        self.workers[worker].store(0, Ordering::Release);
    }

    /// Whether the request may be running.
    pub(super) fn has(&self, request: &Request) -> bool {
        let hash = self.hash(request);
        hash != 0 && self.workers.iter().any(|worker| worker.load(Ordering::SeqCst) == hash)
    }

    /// Zero if it cannot be told from others.
    fn hash(&self, request: &Request) -> u64 {
        request.correlation_id.as_ref().map_or(0, |id| self.hasher.hash_one(id) | 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_running_until_its_worker_ends() {
        let running = Running::new(2);
        let request = |id: &str| Request { correlation_id: Some(id.to_owned()), ..Request::default() };
        running.begin(1, &request("a"));
        running.begin(0, &request("b"));
        assert!(running.has(&request("a")) && running.has(&request("b")) && !running.has(&request("c")));
        running.end(1);
        assert!(!running.has(&request("a")) && running.has(&request("b")));
    }

    #[test]
    fn what_has_no_name_is_not_waited_for() {
        let running = Running::new(1);
        running.begin(0, &Request::default());
        assert!(!running.has(&Request::default()));
    }
}
