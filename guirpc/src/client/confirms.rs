//! What the broker has not confirmed yet, by delivery tag. Pure data, no I/O, no clock.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use super::routes::RouteId;
use super::window::Mark;

/// Messages that wait for a confirm; the outcome of what is beyond that is not learnt.
const MOST_OPEN: usize = 1 << 16;
/// What was rejected longer ago says nothing of now.
const RECENT: Duration = Duration::from_secs(1);

/// The messages of one confirming channel that the broker has not decided about.
#[derive(Debug, Default)]
pub(super) struct Confirms {
    last_tag: u64,
    open: BTreeMap<u64, Open>,
    /// The last one that the broker has read for sure.
    read: u64,
    /// Those that no queue takes; their confirm is yet to come.
    returned: HashSet<u64>,
    /// A queue has rejected what it was given, and none has taken any since.
    rejected: Option<Rejected>,
}

/// When a queue rejected what it was given, first and last.
#[derive(Clone, Copy, Debug)]
struct Rejected {
    since: Instant,
    last: Instant,
}

#[derive(Debug)]
struct Open {
    /// None, if it is a probe.
    message: Option<Message>,
    mark: Mark,
    /// When it was published.
    since: Instant,
}

/// A message that is to be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) number: u64,
    pub(super) route: Option<RouteId>,
    /// Whether it is a call; else a send.
    pub(super) is_call: bool,
}

/// What the broker did with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Confirmed {
    /// It is in a queue.
    Accepted,
    /// No queue takes it.
    Returned,
    /// A queue should have taken it, and did not.
    Rejected,
}

impl Confirms {
    /// Enters a message that is being published; gives the one whose confirm is not waited for any more, if there is one.
    pub(super) fn publish(&mut self, message: Option<Message>, mark: Mark, now: Instant) -> Option<Message> {
        self.last_tag += 1;
        self.open.insert(self.last_tag, Open { message, mark, since: now });
        if self.open.len() <= MOST_OPEN {
            return None;
        }
        let given_up = self.open.pop_first()?.1.message?;
        self.returned.remove(&given_up.number);
        Some(given_up)
    }

    /// The broker has returned this one; its confirm, which looks like any other, is yet to come.
    pub(super) fn returned(&mut self, number: u64) {
        self.returned.insert(number);
    }

    /// The broker has decided about this one, and with `multiple` about all before it: takes them out, with their numbers.
    ///
    /// Gives how far the broker has read, if it has read on.
    pub(super) fn confirmed(
        &mut self,
        (tag, multiple, accepted): (u64, bool, bool),
        now: Instant,
        mut decide: impl FnMut(Message, Confirmed),
    ) -> Option<Mark> {
        let mut decided = |Open { message, .. }| {
            let Some(message) = message else { return };
            let confirmed = match (self.returned.remove(&message.number), accepted) {
                (true, _) => Confirmed::Returned,
                (false, true) => Confirmed::Accepted,
                (false, false) => Confirmed::Rejected,
            };
            match confirmed {
                Confirmed::Rejected => self.rejected.get_or_insert(Rejected { since: now, last: now }).last = now,
                Confirmed::Accepted => self.rejected = None,
                Confirmed::Returned => {}
            }
            decide(message, confirmed);
        };
        let mark = self.open.get(&tag).map(|open| open.mark).filter(|_| tag > self.read);
        self.read = self.read.max(tag);
        if multiple {
            while let Some(first) = self.open.first_entry().filter(|first| *first.key() <= tag) {
                decided(first.remove());
            }
        } else if let Some(open) = self.open.remove(&tag) {
            decided(open);
        }
        mark
    }

    /// Since when nothing was taken although there was something to take, and whether the broker reads on.
    ///
    /// Either everything has been rejected since then, or the oldest one is undecided.
    pub(super) fn stuck(&self, now: Instant) -> Option<(Instant, bool)> {
        let oldest = self.open.first_key_value().map(|(tag, open)| (open.since, *tag < self.read));
        let still = self.rejected.filter(|rejected| now.duration_since(rejected.last) < RECENT);
        let rejected = still.map(|rejected| (rejected.since, true));
        rejected.into_iter().chain(oldest).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: Mark = Mark { bytes: 400, frames: 3 };

    fn publish(confirms: &mut Confirms, number: u64, mark: Mark, now: Instant) {
        confirms.publish(Some(Message { number, route: None, is_call: true }), mark, now);
    }

    /// So many messages, numbered from 101 on.
    fn published(count: u64, now: Instant) -> Confirms {
        let mut confirms = Confirms::default();
        for tag in 1..=count {
            publish(&mut confirms, 100 + tag, MARK, now);
        }
        confirms
    }

    fn decided(confirms: &mut Confirms, tag: u64, multiple: bool, accepted: bool) -> Vec<(u64, Confirmed)> {
        let mut all = Vec::new();
        confirms.confirmed((tag, multiple, accepted), Instant::now(), |message, what| all.push((message.number, what)));
        all
    }

    #[test]
    fn multiple_confirms_all_before() {
        let mut confirms = published(4, Instant::now());
        confirms.returned(102);
        let expected = [(101, Confirmed::Accepted), (102, Confirmed::Returned), (103, Confirmed::Accepted)];
        assert_eq!(decided(&mut confirms, 3, true, true), expected);
        assert_eq!(decided(&mut confirms, 4, false, false), [(104, Confirmed::Rejected)]);
        assert_eq!(decided(&mut confirms, 4, false, true), []);
    }

    #[test]
    fn a_confirm_says_how_far_the_broker_has_read_once() {
        let mut confirms = Confirms::default();
        for frames in [3, 6] {
            publish(&mut confirms, frames, Mark { bytes: 0, frames }, Instant::now());
        }
        let now = Instant::now();
        assert_eq!(confirms.confirmed((2, false, true), now, |_, _| {}), Some(Mark { bytes: 0, frames: 6 }));
        assert_eq!(confirms.confirmed((1, false, true), now, |_, _| {}), None);
    }

    #[test]
    fn what_is_stuck_is_found() {
        let start = Instant::now();
        assert_eq!(Confirms::default().stuck(start), None);
        let mut confirms = published(2, start);
        assert_eq!(confirms.stuck(start), Some((start, false)));
        decided(&mut confirms, 2, false, true);
        assert_eq!(confirms.stuck(start), Some((start, true)));
        decided(&mut confirms, 1, false, true);
        assert_eq!(confirms.stuck(start), None);
        for (accepted, is_stuck) in [(false, true), (false, true), (true, false)] {
            publish(&mut confirms, 1, MARK, start);
            let tag = confirms.last_tag;
            decided(&mut confirms, tag, false, accepted);
            assert_eq!(confirms.stuck(start).is_some(), is_stuck, "{tag}");
        }
    }

    #[test]
    fn what_is_never_decided_does_not_grow_for_ever() {
        let mut confirms = Confirms::default();
        for number in 1..=4 * MOST_OPEN as u64 {
            publish(&mut confirms, number, MARK, Instant::now());
            confirms.returned(number);
        }
        assert!(confirms.open.len() <= MOST_OPEN && confirms.returned.len() <= MOST_OPEN);
    }
}
