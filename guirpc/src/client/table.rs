//! Who waits for what: calls by correlation number, sends by delivery tag. Pure data, no I/O, no clock.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::time::Instant;

/// The calls of one connection that have no outcome yet.
///
/// `W` is whatever is told the outcome.
#[derive(Debug)]
pub(super) struct Calls<W> {
    waiting: HashMap<u64, W>,
    /// Of the calls that nobody's thread waits for; an entry may be outdated.
    deadlines: BinaryHeap<Reverse<(Instant, u64)>>,
    /// Why nothing will come any more.
    closed: Option<String>,
}

impl<W> Default for Calls<W> {
    fn default() -> Self {
        Calls { waiting: HashMap::new(), deadlines: BinaryHeap::new(), closed: None }
    }
}

impl<W> Calls<W> {
    /// Enters a call; gives the reason if the connection is gone.
    pub(super) fn insert(&mut self, number: u64, waiter: W) -> Result<(), String> {
        if let Some(reason) = &self.closed {
            return Err(reason.clone());
        }
        self.waiting.insert(number, waiter);
        Ok(())
    }

    /// Takes out a call that has an outcome, or that its caller gives up. `None`: it was taken out before.
    pub(super) fn take(&mut self, number: u64) -> Option<W> {
        self.waiting.remove(&number)
    }

    /// Has [`expired`](Calls::expired) give up this call at this time.
    pub(super) fn expire_at(&mut self, deadline: Instant, number: u64) {
        if self.deadlines.len() > 2 * self.waiting.len() + 1024 {
            // Most are of calls that are long done.
            self.deadlines.retain(|Reverse((_, number))| self.waiting.contains_key(number));
        }
        self.deadlines.push(Reverse((deadline, number)));
    }

    /// When [`expired`](Calls::expired) has something to do next.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.peek().map(|Reverse((deadline, _))| *deadline)
    }

    /// Takes out all calls that are to be given up by now.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<W> {
        let mut expired = Vec::new();
        while let Some(Reverse((deadline, number))) = self.deadlines.peek().copied() {
            if deadline > now {
                break;
            }
            self.deadlines.pop();
            expired.extend(self.waiting.remove(&number));
        }
        expired
    }

    /// Takes out all calls, and takes no more.
    pub(super) fn close(&mut self, reason: &str) -> Vec<W> {
        self.closed.get_or_insert_with(|| reason.to_owned());
        self.deadlines.clear();
        self.waiting.drain().map(|(_, waiter)| waiter).collect()
    }
}

/// The sends of one connection that the broker has not confirmed yet.
#[derive(Debug)]
pub(super) struct Confirms<W> {
    waiting: BTreeMap<u64, (u64, W)>,
    returned: HashSet<u64>,
    closed: Option<String>,
}

/// What the broker did with a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is in a queue.
    Taken,
    /// No queue takes it.
    Returned,
    /// A queue should have taken it, and did not.
    Rejected,
}

impl<W> Default for Confirms<W> {
    fn default() -> Self {
        Confirms { waiting: BTreeMap::new(), returned: HashSet::new(), closed: None }
    }
}

impl<W> Confirms<W> {
    /// Enters a send; gives the reason if the connection is gone.
    pub(super) fn insert(&mut self, tag: u64, number: u64, waiter: W) -> Result<(), String> {
        if let Some(reason) = &self.closed {
            return Err(reason.clone());
        }
        self.waiting.insert(tag, (number, waiter));
        Ok(())
    }

    /// Takes out a send that its sender gives up.
    pub(super) fn take(&mut self, tag: u64) {
        self.waiting.remove(&tag);
    }

    /// The broker has returned this one; its confirmation, which looks like any other, is yet to come.
    pub(super) fn returned(&mut self, number: u64) {
        self.returned.insert(number);
    }

    /// The broker has confirmed this one, and with `multiple` all before it: takes them out.
    pub(super) fn confirmed(&mut self, tag: u64, multiple: bool, taken: bool) -> Vec<(W, Fate)> {
        let confirmed = if multiple {
            let later = self.waiting.split_off(&(tag + 1));
            std::mem::replace(&mut self.waiting, later)
        } else {
            self.waiting.remove_entry(&tag).into_iter().collect()
        };
        let mut fates = Vec::with_capacity(confirmed.len());
        for (number, waiter) in confirmed.into_values() {
            let fate = match (self.returned.remove(&number), taken) {
                (true, _) => Fate::Returned,
                (false, true) => Fate::Taken,
                (false, false) => Fate::Rejected,
            };
            fates.push((waiter, fate));
        }
        if self.waiting.is_empty() {
            // What remains was returned for senders that have given up.
            self.returned.clear();
        }
        fates
    }

    /// Takes out all sends, and takes no more.
    pub(super) fn close(&mut self, reason: &str) -> Vec<W> {
        self.closed.get_or_insert_with(|| reason.to_owned());
        std::mem::take(&mut self.waiting).into_values().map(|(_, waiter)| waiter).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_call_has_one_outcome() {
        let mut calls = Calls::default();
        calls.insert(1, "a").unwrap();
        assert_eq!(calls.take(1), Some("a"));
        assert_eq!(calls.take(1), None);
    }

    #[test]
    fn only_what_is_still_waiting_expires() {
        let start = Instant::now();
        let mut calls = Calls::default();
        for number in 1..=3 {
            calls.insert(number, number).unwrap();
            calls.expire_at(start + Duration::from_secs(number), number);
        }
        calls.take(1);
        assert_eq!(calls.expired(start + Duration::from_secs(2)), [2]);
        assert_eq!(calls.next_deadline(), Some(start + Duration::from_secs(3)));
        assert_eq!(calls.take(3), Some(3));
    }

    #[test]
    fn a_closed_table_gives_everything_up_and_says_why() {
        let mut calls = Calls::default();
        calls.insert(1, "a").unwrap();
        assert_eq!(calls.close("gone"), ["a"]);
        assert_eq!(calls.insert(2, "b"), Err("gone".to_owned()));
    }

    #[test]
    fn multiple_confirms_all_before() {
        let mut sends = Confirms::default();
        for tag in 1..=4 {
            sends.insert(tag, tag + 100, tag).unwrap();
        }
        sends.returned(102);
        assert_eq!(sends.confirmed(3, true, true), [(1, Fate::Taken), (2, Fate::Returned), (3, Fate::Taken)]);
        assert_eq!(sends.confirmed(4, false, false), [(4, Fate::Rejected)]);
        assert_eq!(sends.confirmed(4, false, true), []);
    }
}
