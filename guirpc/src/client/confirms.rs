//! What the broker has not decided yet, by delivery tag, and what it has not even read. Pure data, no I/O, no clock.

use std::collections::{BTreeMap, HashSet};
use std::ops::{AddAssign, SubAssign};
use std::time::{Duration, Instant};

/// Bytes that amiquip writes without ever making a publisher wait for the broker.
const BYTES: usize = 1 << 20;
/// Frames that amiquip holds for a channel while the broker reads nothing, less what probes need.
const FRAMES: usize = 240;
/// Messages that wait for a decision; what is beyond that has been read, and its fate is not learnt.
const MOST_OPEN: usize = 1 << 16;
/// What was rejected longer ago says nothing of now.
const RECENT: Duration = Duration::from_secs(1);
/// The number of a message that only asks whether the broker reads; no caller has it.
pub(super) const PROBE: u64 = 0;

/// The messages of one link that the broker has not decided about.
///
/// `W` is whatever is told the decision.
#[derive(Debug)]
pub(super) struct Confirms<W> {
    open: BTreeMap<u64, Open<W>>,
    /// Of those that the broker may not have read, in amiquip's memory or on the way.
    unread: Size,
    /// The last one that the broker has read for sure.
    read: u64,
    /// Those that no queue takes, by the number of the request; their confirmation is yet to come.
    returned: HashSet<u64>,
    /// Whether a message is under way that only asks what has been read.
    probing: bool,
    /// A queue has rejected what it was given, and none has taken any since.
    rejected: Option<Rejected>,
    /// Why nothing will come any more.
    closed: Option<String>,
}

/// When a queue rejected what it was given, first and last.
#[derive(Clone, Copy, Debug)]
struct Rejected {
    since: Instant,
    last: Instant,
}

#[derive(Debug)]
struct Open<W> {
    number: u64,
    size: Size,
    waiter: W,
    /// When it was published.
    since: Instant,
}

/// How much room a message takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) bytes: usize,
    pub(super) frames: usize,
}

impl AddAssign for Size {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.frames += other.frames;
    }
}

impl SubAssign for Size {
    fn sub_assign(&mut self, other: Self) {
        self.bytes -= other.bytes;
        self.frames -= other.frames;
    }
}

/// What the broker did with a message.
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
        Confirms {
            open: BTreeMap::new(),
            unread: Size::default(),
            read: 0,
            returned: HashSet::new(),
            probing: false,
            rejected: None,
            closed: None,
        }
    }
}

impl<W> Confirms<W> {
    /// Whether a message can be published without waiting for the broker to read.
    ///
    /// amiquip takes everything at once as long as it has no more than so many bytes to write;
    /// beyond that it holds so many frames, and then has publishers wait for as long as it takes.
    pub(super) fn has_room(&self, size: Size) -> bool {
        let Size { bytes, frames } = self.unread;
        frames == 0 || bytes + size.bytes <= BYTES || frames + size.frames <= FRAMES || self.closed.is_some()
    }

    /// Enters a message that is about to be published; gives the reason if the link is gone.
    pub(super) fn insert(&mut self, tag: u64, number: u64, size: Size, waiter: W, now: Instant) -> Result<(), String> {
        if let Some(reason) = &self.closed {
            return Err(reason.clone());
        }
        self.unread += size;
        self.open.insert(tag, Open { number, size, waiter, since: now });
        if self.open.len() > MOST_OPEN
            && let Some((tag, forgotten)) = self.open.pop_first()
        {
            self.returned.remove(&forgotten.number);
            if tag > self.read {
                self.unread -= forgotten.size;
            }
        }
        Ok(())
    }

    /// Whether to ask the broker what it has read: nobody has asked since it read anything, and there is something.
    pub(super) fn begin_probe(&mut self) -> bool {
        let begins = !self.probing && self.unread.frames > 0;
        self.probing |= begins;
        begins
    }

    /// The broker has returned this one; its confirmation, which looks like any other, is yet to come.
    pub(super) fn returned(&mut self, number: u64) {
        self.returned.insert(number);
    }

    /// The broker has decided about this one, and with `multiple` about all before it: takes them out.
    ///
    /// `decide` gets the number of each, who waits for it, and what the broker did.
    pub(super) fn confirmed(
        &mut self,
        (tag, multiple, taken): (u64, bool, bool),
        now: Instant,
        mut decide: impl FnMut(u64, W, Fate),
    ) {
        if tag > self.read {
            // It reads in order.
            for (_, open) in self.open.range(self.read + 1..=tag) {
                self.unread -= open.size;
            }
            self.read = tag;
            self.probing = false;
        }
        let mut decided = |Open { number, waiter, .. }| {
            let fate = match (self.returned.remove(&number), taken) {
                (true, _) => Fate::Returned,
                (false, true) => Fate::Taken,
                (false, false) => Fate::Rejected,
            };
            match fate {
                Fate::Rejected => self.rejected.get_or_insert(Rejected { since: now, last: now }).last = now,
                // What is no message for a queue says nothing of any.
                Fate::Taken if number != PROBE => self.rejected = None,
                Fate::Taken | Fate::Returned => {}
            }
            decide(number, waiter, fate);
        };
        if multiple {
            while let Some(first) = self.open.first_entry().filter(|first| *first.key() <= tag) {
                decided(first.remove());
            }
        } else if let Some(open) = self.open.remove(&tag) {
            decided(open);
        }
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

    /// How many are undecided.
    pub(super) fn undecided(&self) -> usize {
        self.open.len()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Takes out everything, and takes no more.
    pub(super) fn close(&mut self, reason: &str) -> Vec<W> {
        self.closed.get_or_insert_with(|| reason.to_owned());
        self.unread = Size::default();
        std::mem::take(&mut self.open).into_values().map(|open| open.waiter).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Size = Size { bytes: 400, frames: 3 };

    fn decided<W>(confirms: &mut Confirms<W>, tag: u64, multiple: bool, taken: bool) -> Vec<(W, Fate)> {
        let mut fates = Vec::new();
        confirms.confirmed((tag, multiple, taken), Instant::now(), |_, waiter, fate| fates.push((waiter, fate)));
        fates
    }

    #[test]
    fn multiple_confirms_all_before() {
        let mut confirms = Confirms::default();
        for tag in 1..=4 {
            confirms.insert(tag, tag + 100, SMALL, tag, Instant::now()).unwrap();
        }
        confirms.returned(102);
        assert_eq!(decided(&mut confirms, 3, true, true), [(1, Fate::Taken), (2, Fate::Returned), (3, Fate::Taken)]);
        assert_eq!(decided(&mut confirms, 4, false, false), [(4, Fate::Rejected)]);
        assert_eq!(decided(&mut confirms, 4, false, true), []);
        assert_eq!(confirms.unread, Size::default());
    }

    #[test]
    fn a_closed_table_gives_everything_up_and_says_why() {
        let mut confirms = Confirms::default();
        confirms.insert(1, 1, SMALL, "a", Instant::now()).unwrap();
        assert_eq!(confirms.close("gone"), ["a"]);
        assert_eq!(confirms.insert(2, 2, SMALL, "b", Instant::now()), Err("gone".to_owned()));
        assert!(confirms.has_room(Size { bytes: usize::MAX, frames: 2 }), "nobody need wait to learn that");
    }

    #[test]
    fn there_is_room_for_what_nobody_need_wait_for() {
        let large = Size { bytes: 16 << 20, frames: 130 };
        let mut confirms = Confirms::default();
        let published = (1..).take_while(|tag| {
            confirms.has_room(SMALL) && confirms.insert(*tag, *tag, SMALL, (), Instant::now()).is_ok()
        });
        assert_eq!(published.count(), BYTES / SMALL.bytes, "small ones count by their bytes");
        assert!(!confirms.has_room(large));

        let mut confirms = Confirms::default();
        assert!(confirms.has_room(Size { bytes: 1 << 30, frames: 8194 }), "one goes alone, whatever its size");
        confirms.insert(1, 1, large, (), Instant::now()).unwrap();
        assert!(!confirms.has_room(large) && confirms.has_room(SMALL), "large ones count by their frames");
    }

    #[test]
    fn what_lies_before_a_decision_has_been_read() {
        let mut confirms = Confirms::default();
        for tag in 1..=3 {
            confirms.insert(tag, tag, SMALL, tag, Instant::now()).unwrap();
        }
        assert_eq!(decided(&mut confirms, 2, false, true), [(2, Fate::Taken)]);
        assert_eq!(confirms.unread, SMALL);
        assert_eq!(decided(&mut confirms, 1, false, true), [(1, Fate::Taken)]);
        assert_eq!(confirms.unread, SMALL);
    }

    #[test]
    fn what_is_read_and_never_decided_leaves_room_once_a_probe_is() {
        let mut confirms = Confirms::default();
        assert!(!confirms.begin_probe(), "there is nothing to ask about");
        let mut probe = 1;
        while confirms.has_room(SMALL) {
            confirms.insert(probe, probe, SMALL, (), Instant::now()).unwrap();
            probe += 1;
        }
        assert!(confirms.begin_probe() && !confirms.begin_probe(), "one is enough");
        confirms.insert(probe, 0, Size { bytes: 0, frames: 2 }, (), Instant::now()).unwrap();
        assert_eq!(decided(&mut confirms, probe, false, true), [((), Fate::Taken)]);
        assert!(confirms.has_room(SMALL) && !confirms.begin_probe());
    }

    #[test]
    fn what_is_stuck_is_found() {
        let mut confirms = Confirms::default();
        let start = Instant::now();
        assert_eq!(confirms.stuck(start), None);
        confirms.insert(1, 1, SMALL, (), start).unwrap();
        confirms.insert(2, 2, SMALL, (), Instant::now()).unwrap();
        assert_eq!(confirms.stuck(start), Some((start, false)));
        decided(&mut confirms, 2, false, true);
        assert_eq!(confirms.stuck(start), Some((start, true)));
        decided(&mut confirms, 1, false, true);
        assert_eq!(confirms.stuck(start), None);
        for (tag, taken, is_stuck) in [(3, false, true), (4, false, true), (5, true, false)] {
            confirms.insert(tag, tag, SMALL, (), start).unwrap();
            decided(&mut confirms, tag, false, taken);
            assert_eq!(confirms.stuck(start).is_some(), is_stuck, "{tag}");
        }
    }

    #[test]
    fn what_is_never_decided_does_not_grow_for_ever() {
        let mut confirms = Confirms::default();
        for tag in (1..=4 * MOST_OPEN as u64).step_by(2) {
            confirms.insert(tag, tag, SMALL, (), Instant::now()).unwrap();
            confirms.returned(tag);
            confirms.insert(tag + 1, tag + 1, SMALL, (), Instant::now()).unwrap();
            confirms.confirmed((tag + 1, false, true), Instant::now(), |_, (), _| {});
        }
        assert!(confirms.open.len() <= MOST_OPEN && confirms.returned.len() <= MOST_OPEN);
    }
}
