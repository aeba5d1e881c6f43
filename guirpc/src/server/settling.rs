//! Which deliveries to acknowledge how: as few frames as is safe. Pure data, no I/O.

use std::collections::{BTreeMap, BTreeSet};

/// What is to become of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is done.
    Ack,
    /// It was not begun; another server shall have it.
    GiveBack,
}

/// A frame to send; `R` is whatever settles a delivery.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Settlement<R> {
    /// Acknowledges this delivery and all before it that are not settled.
    AckThrough(R),
    Ack(R),
    GiveBack(R),
}

/// The deliveries of one channel between being finished and being settled.
///
/// Deliveries are numbered from 1 without gaps, and taken nearly in that order,
/// so every number below the highest one seen that is not finished belongs to a delivery still being worked on.
#[derive(Debug)]
pub(super) struct Settling<R> {
    highest: u64,
    /// Not finished; as many as all consumers of the channel may hold at most.
    open: BTreeSet<u64>,
    /// Finished and not settled.
    finished: BTreeMap<u64, (Verdict, R)>,
}

impl<R> Default for Settling<R> {
    fn default() -> Self {
        Settling { highest: 0, open: BTreeSet::new(), finished: BTreeMap::new() }
    }
}

impl<R> Settling<R> {
    /// Notes that a delivery is finished.
    pub(super) fn finish(&mut self, tag: u64, verdict: Verdict, receipt: R) {
        if tag > self.highest {
            self.open.extend(self.highest + 1..tag);
            self.highest = tag;
        } else {
            self.open.remove(&tag);
        }
        self.finished.insert(tag, (verdict, receipt));
    }

    /// Everything that is finished, as the frames to send in this order.
    ///
    /// What lies before the first open delivery is merged; nothing that is open lies at or below an `AckThrough`.
    pub(super) fn settle(&mut self) -> Vec<Settlement<R>> {
        let first_open = self.open.first().copied().unwrap_or(u64::MAX);
        let singly = self.finished.split_off(&first_open);
        let merged = std::mem::take(&mut self.finished);
        let mut frames = Vec::new();
        let mut through = None;
        for (verdict, receipt) in merged.into_values() {
            match verdict {
                Verdict::Ack => through = Some(receipt),
                Verdict::GiveBack => {
                    frames.extend(through.take().map(Settlement::AckThrough));
                    frames.push(Settlement::GiveBack(receipt));
                }
            }
        }
        frames.extend(through.map(Settlement::AckThrough));
        frames.extend(singly.into_values().map(|(verdict, receipt)| match verdict {
            Verdict::Ack => Settlement::Ack(receipt),
            Verdict::GiveBack => Settlement::GiveBack(receipt),
        }));
        frames
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_run_from_the_lowest_is_one_frame() {
        let mut settling = Settling::default();
        for tag in [2, 1, 3] {
            settling.finish(tag, Verdict::Ack, tag);
        }
        assert_eq!(settling.settle(), [Settlement::AckThrough(3)]);
        assert_eq!(settling.settle(), []);
    }

    #[test]
    fn what_lies_behind_a_long_one_does_not_wait_for_it() {
        let mut settling = Settling::default();
        for tag in [1, 3, 4] {
            settling.finish(tag, Verdict::Ack, tag);
        }
        assert_eq!(settling.settle(), [Settlement::AckThrough(1), Settlement::Ack(3), Settlement::Ack(4)]);
        settling.finish(2, Verdict::Ack, 2);
        assert_eq!(settling.settle(), [Settlement::AckThrough(2)]);
    }

    #[test]
    fn what_is_given_back_is_never_acknowledged_along() {
        let mut settling = Settling::default();
        for tag in [1, 2, 4] {
            settling.finish(tag, Verdict::Ack, tag);
        }
        settling.finish(3, Verdict::GiveBack, 3);
        let frames = settling.settle();
        assert_eq!(frames, [Settlement::AckThrough(2), Settlement::GiveBack(3), Settlement::AckThrough(4)]);
    }

    /// What a broker makes of the frames; panics where RabbitMQ would close the channel.
    #[derive(Default)]
    struct Broker {
        unsettled: BTreeSet<u64>,
        acked: BTreeSet<u64>,
        given_back: BTreeSet<u64>,
    }

    impl Broker {
        fn receive(&mut self, frame: &Settlement<u64>) {
            match frame {
                Settlement::Ack(tag) => {
                    assert!(self.unsettled.remove(tag), "unknown delivery tag {tag}");
                    self.acked.insert(*tag);
                }
                Settlement::GiveBack(tag) => {
                    assert!(self.unsettled.remove(tag), "unknown delivery tag {tag}");
                    self.given_back.insert(*tag);
                }
                Settlement::AckThrough(tag) => {
                    assert!(self.unsettled.contains(tag), "unknown delivery tag {tag}");
                    let later = self.unsettled.split_off(&(tag + 1));
                    self.acked.append(&mut self.unsettled);
                    self.unsettled = later;
                }
            }
        }
    }

    proptest! {
        /// In whatever order deliveries are finished, and whenever they are settled in between,
        /// each gets the verdict that was passed on it, and none before it was passed.
        #[test]
        fn every_delivery_gets_its_own_verdict(
            order in Just((1..=40_u64).collect::<Vec<_>>()).prop_shuffle(),
            give_back in proptest::collection::btree_set(1..=40_u64, 0..10),
            pauses in proptest::collection::btree_set(0..40_usize, 0..20),
        ) {
            let mut broker = Broker { unsettled: (1..=40).collect(), ..Broker::default() };
            let mut settling = Settling::default();
            let mut finished = BTreeSet::new();
            for (step, tag) in order.into_iter().enumerate() {
                let verdict = if give_back.contains(&tag) { Verdict::GiveBack } else { Verdict::Ack };
                settling.finish(tag, verdict, tag);
                finished.insert(tag);
                if pauses.contains(&step) {
                    settling.settle().iter().for_each(|frame| broker.receive(frame));
                    let settled: BTreeSet<u64> = broker.acked.union(&broker.given_back).copied().collect();
                    prop_assert_eq!(&settled, &finished);
                }
            }
            settling.settle().iter().for_each(|frame| broker.receive(frame));
            prop_assert!(broker.unsettled.is_empty());
            prop_assert_eq!(&broker.given_back, &give_back);
        }
    }
}
