//! What waits before it goes on, each until its own time. Pure data, no clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Before a request goes back into its queue that could not become a dead letter: the broker delivers it again at once.
const DELAY: Duration = Duration::from_secs(1);

/// Waits all the same time each, and not more than `most` of them at once.
#[derive(Debug)]
pub(super) struct Delayed<J> {
    most: usize,
    waiting: VecDeque<(Instant, J)>,
}

impl<J> Delayed<J> {
    pub(super) fn new(most: usize) -> Self {
        Delayed { most, waiting: VecDeque::new() }
    }

    /// Has a job wait; gives back the one that makes room for it, if there are too many.
    pub(super) fn push(&mut self, job: J, now: Instant) -> Option<J> {
        self.waiting.push_back((now + DELAY, job));
        if self.waiting.len() <= self.most {
            return None;
        }
        self.waiting.pop_front().map(|(_, job)| job)
    }

    /// When the next one has waited long enough.
    pub(super) fn next(&self) -> Option<Instant> {
        self.waiting.front().map(|(until, _)| *until)
    }

    /// All of them, in the end.
    pub(super) fn into_jobs(self) -> impl Iterator<Item = J> {
        self.waiting.into_iter().map(|(_, job)| job)
    }

    /// Those that have waited long enough.
    pub(super) fn due(&mut self, now: Instant) -> impl Iterator<Item = J> {
        let due = self.waiting.partition_point(|(until, _)| *until <= now);
        self.waiting.drain(..due).map(|(_, job)| job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_waits_until_its_own_time() {
        let (mut delayed, start) = (Delayed::new(10), Instant::now());
        assert_eq!(delayed.push("a", start), None);
        assert_eq!(delayed.push("b", start + DELAY / 2), None);
        assert_eq!(delayed.next(), Some(start + DELAY));
        assert_eq!(delayed.due(start + DELAY / 2).collect::<Vec<_>>(), Vec::<&str>::new());
        assert_eq!(delayed.due(start + DELAY).collect::<Vec<_>>(), ["a"]);
        assert_eq!(delayed.due(start + DELAY * 2).collect::<Vec<_>>(), ["b"]);
        assert_eq!(delayed.next(), None);
    }

    #[test]
    fn no_more_than_a_few_wait() {
        let (mut delayed, now) = (Delayed::new(2), Instant::now());
        let out: Vec<_> = ["a", "b", "c", "d"].into_iter().filter_map(|job| delayed.push(job, now)).collect();
        assert_eq!(out, ["a", "b"]);
    }
}
