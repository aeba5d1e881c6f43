//! Which requests are running: what is delivered again meanwhile waits for the answer.
//!
//! Each worker has a place of its own that it writes before and after each run: a keyed hash of the correlation id.
//! Two requests may have one hash; then one of them waits for the other for nothing, and no more.
//! Beside it stands what runs, and since when, under a lock that is hardly ever asked for by anybody else.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crossbeam_utils::CachePadded;
use foldhash::fast::RandomState;

use crate::message::Request;

/// What the workers of a lane are running, across its sessions.
#[derive(Debug)]
pub(super) struct Running {
    workers: Box<[CachePadded<Place>]>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Place {
    hash: AtomicU64,
    run: Mutex<Option<Run>>,
}

/// The function that a worker runs, and since when.
pub(super) type Run = (&'static str, Instant);

impl Place {
    fn run(&self) -> MutexGuard<'_, Option<Run>> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    pub(super) fn new(workers: usize) -> Self {
        let workers = (0..workers).map(|_| CachePadded::default()).collect();
        Running { workers, hasher: RandomState::default() }
    }

    pub(super) fn begin(&self, worker: usize, request: &Request, run: Option<Run>) {
        self.workers[worker].hash.store(self.hash(request), Ordering::SeqCst);
        *self.workers[worker].run() = run;
    }

    /// The run is over, and its answer reported.
    pub(super) fn end(&self, worker: usize) {
        self.workers[worker].hash.store(0, Ordering::Release);
        *self.workers[worker].run() = None;
    }

    /// How many places there are: for workers, and for what is `async`.
    pub(super) fn places(&self) -> usize {
        self.workers.len()
    }

    /// How many of so many places are taken, from the first one; the workers have the first.
    pub(super) fn busy(&self, first: usize) -> usize {
        self.workers.iter().take(first).filter(|place| place.run().is_some()).count()
    }

    /// What a worker runs at the moment.
    pub(super) fn run(&self, worker: usize) -> Option<Run> {
        *self.workers[worker].run()
    }

    /// Whether the request may be running.
    pub(super) fn has(&self, request: &Request) -> bool {
        let hash = self.hash(request);
        hash != 0 && self.workers.iter().any(|worker| worker.hash.load(Ordering::SeqCst) == hash)
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
        running.begin(1, &request("a"), Some(("add", Instant::now())));
        running.begin(0, &request("b"), None);
        assert!(running.has(&request("a")) && running.has(&request("b")) && !running.has(&request("c")));
        assert!(running.run(1).is_some_and(|(function, _)| function == "add") && running.run(0).is_none());
        running.end(1);
        assert_eq!(running.run(1), None);
        assert!(!running.has(&request("a")) && running.has(&request("b")));
    }

    #[test]
    fn what_has_no_name_is_not_waited_for() {
        let running = Running::new(1);
        running.begin(0, &Request::default(), None);
        assert!(!running.has(&Request::default()));
    }
}
