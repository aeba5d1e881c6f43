//! Who waits for which call, by its number. Pure data, no I/O, no clock.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Instant;

#[cfg(test)]
mod properties;

/// How often a call may be under way on a channel that the broker closes: it may be the one that has it closed.
const MOST_CLOSURES: u32 = 3;

/// The calls of a client that have no outcome yet.
///
/// `W` is whatever is told the outcome, `R` what is needed to publish the call again.
/// Links are numbered in the order in which they come: when one is lost, those before it are as well.
#[derive(Debug)]
pub(super) struct Calls<W, R> {
    waiting: HashMap<u64, Entry<W, R>>,
    /// Of the calls that nobody's thread waits for; an entry may be outdated.
    deadlines: BinaryHeap<Reverse<(Instant, u64)>>,
    /// The last link that was lost, and why.
    lost: Option<(u64, String)>,
}

#[derive(Debug)]
struct Entry<W, R> {
    waiter: W,
    /// The link that it is published on; none, if it was lost with its own.
    link: Option<u64>,
    /// Only for what may be published twice.
    repeat: Option<R>,
    repeated: bool,
    closures: u32,
}

/// A call that has been taken out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken<W> {
    pub(super) waiter: W,
    /// Whether it was published twice, so that the first one may have had an effect of which the second knows nothing.
    pub(super) repeated: bool,
}

/// What a link was lost with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    Connection,
    /// The broker has closed the channel only.
    Channel,
}

impl<W, R> Default for Calls<W, R> {
    fn default() -> Self {
        Calls { waiting: HashMap::new(), deadlines: BinaryHeap::new(), lost: None }
    }
}

impl<W, R> Entry<W, R> {
    fn taken(self) -> Taken<W> {
        Taken { waiter: self.waiter, repeated: self.repeated }
    }
}

impl<W, R: Clone> Calls<W, R> {
    /// Enters a call that is about to be published on this link; gives the reason if the link is lost.
    pub(super) fn insert(&mut self, number: u64, link: u64, waiter: W, repeat: Option<R>) -> Result<(), String> {
        self.check(link)?;
        let entry = Entry { waiter, link: Some(link), repeat, repeated: false, closures: 0 };
        self.waiting.insert(number, entry);
        Ok(())
    }

    /// How many calls wait on this link that cannot be made again.
    pub(super) fn waiting_on(&self, link: u64) -> usize {
        self.waiting.values().filter(|entry| entry.link == Some(link) && entry.repeat.is_none()).count()
    }

    fn check(&self, link: u64) -> Result<(), String> {
        match &self.lost {
            Some((lost, reason)) if link <= *lost => Err(reason.clone()),
            _ => Ok(()),
        }
    }

    /// Takes out a call that has an outcome, or that its caller gives up. `None`: it was taken out before.
    pub(super) fn take(&mut self, number: u64) -> Option<Taken<W>> {
        self.waiting.remove(&number).map(Entry::taken)
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
            expired.extend(self.waiting.remove(&number).map(|entry| entry.waiter));
        }
        expired
    }

    /// Takes out all calls that were published on this link, but for those that can be published again: these wait
    /// for [`adrift`](Calls::adrift).
    pub(super) fn lose(&mut self, link: u64, reason: &str, loss: Loss) -> Vec<W> {
        self.lost = Some((link, reason.to_owned()));
        let failed = self.waiting.extract_if(|_, entry| {
            if entry.link.is_none_or(|on| on > link) {
                return false;
            }
            entry.link = None;
            entry.closures += u32::from(loss == Loss::Channel);
            entry.repeat.is_none() || entry.closures >= MOST_CLOSURES
        });
        failed.map(|(_, entry)| entry.waiter).collect()
    }

    /// The calls that are on no link, in the order in which they were made.
    pub(super) fn adrift(&self) -> Vec<(u64, R)> {
        let adrift = self.waiting.iter().filter(|(_, entry)| entry.link.is_none());
        let mut adrift: Vec<_> = adrift.filter_map(|(number, entry)| Some((*number, entry.repeat.clone()?))).collect();
        adrift.sort_unstable_by_key(|(number, _)| *number);
        adrift
    }

    /// Says that a call is about to be published again, on this link.
    ///
    /// Gives whether it is to be: it may have been given up meanwhile, and the link may be lost.
    pub(super) fn adopt(&mut self, number: u64, link: u64) -> bool {
        if self.check(link).is_err() {
            return false;
        }
        match self.waiting.get_mut(&number) {
            Some(entry) if entry.link.is_none() => {
                entry.link = Some(link);
                entry.repeated = true;
                true
            }
            _ => false,
        }
    }

    /// Takes out all calls.
    pub(super) fn close(&mut self) -> Vec<W> {
        self.deadlines.clear();
        self.waiting.drain().map(|(_, entry)| entry.waiter).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn calls() -> Calls<&'static str, u8> {
        Calls::default()
    }

    fn taken<W>(waiter: W, repeated: bool) -> Taken<W> {
        Taken { waiter, repeated }
    }

    #[test]
    fn a_call_has_one_outcome() {
        let mut calls = calls();
        calls.insert(1, 1, "a", None).unwrap();
        assert_eq!(calls.take(1), Some(taken("a", false)));
        assert_eq!(calls.take(1), None);
    }

    #[test]
    fn only_what_is_still_waiting_expires() {
        let start = Instant::now();
        let mut calls = Calls::<_, ()>::default();
        for number in 1..=3 {
            calls.insert(number, 1, number, None).unwrap();
            calls.expire_at(start + Duration::from_secs(number), number);
        }
        calls.take(1);
        assert_eq!(calls.expired(start + Duration::from_secs(2)), [2]);
        assert_eq!(calls.next_deadline(), Some(start + Duration::from_secs(3)));
        assert_eq!(calls.take(3), Some(taken(3, false)));
    }

    #[test]
    fn what_may_not_be_repeated_fails_with_its_link() {
        let mut calls = calls();
        calls.insert(1, 1, "once", None).unwrap();
        calls.insert(2, 1, "again", Some(7)).unwrap();
        assert_eq!(calls.lose(1, "gone", Loss::Connection), ["once"]);
        assert_eq!(calls.insert(3, 1, "late", None), Err("gone".to_owned()));
        assert_eq!(calls.adrift(), [(2, 7)]);
        assert!(!calls.adopt(2, 1) && calls.adopt(2, 2) && !calls.adopt(2, 2));
        assert_eq!(calls.adrift(), []);
        assert_eq!(calls.take(2), Some(taken("again", true)));
    }

    #[test]
    fn what_was_given_up_is_not_repeated() {
        let mut calls = calls();
        calls.insert(1, 1, "a", Some(7)).unwrap();
        calls.lose(1, "gone", Loss::Connection);
        let adrift = calls.adrift();
        calls.take(1);
        assert_eq!(adrift, [(1, 7)]);
        assert!(!calls.adopt(1, 2));
    }

    #[test]
    fn what_is_adrift_expires_as_anything_else() {
        let now = Instant::now();
        let mut calls = calls();
        calls.insert(1, 1, "a", Some(7)).unwrap();
        calls.expire_at(now, 1);
        assert!(calls.lose(1, "gone", Loss::Connection).is_empty());
        assert_eq!(calls.expired(now), ["a"]);
        assert_eq!(calls.adrift(), []);
    }

    #[test]
    fn what_has_channels_closed_fails_in_the_end() {
        let mut calls = calls();
        calls.insert(1, 1, "a", Some(7)).unwrap();
        for link in 1..3 {
            assert!(calls.lose(link, "not found", Loss::Channel).is_empty());
            assert!(calls.adopt(1, link + 1));
        }
        assert_eq!(calls.lose(3, "not found", Loss::Channel), ["a"]);
    }
}
