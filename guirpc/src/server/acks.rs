//! Which deliveries to acknowledge how: as few frames as is safe. Pure data, no I/O.

use std::collections::{BTreeMap, BTreeSet};

/// What is to become of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AckDecision {
    /// It is done.
    Ack,
    /// It was not begun; another server shall have it.
    Requeue,
}

/// A frame to send; `R` is whatever acknowledges a delivery.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AckFrame<R> {
    /// Acknowledges this delivery and all before it that are not acknowledged.
    AckThrough(R),
    Ack(R),
    Requeue(R),
}

/// The deliveries of one channel between being finished and being acknowledged.
///
/// Deliveries are numbered from 1 without gaps, and taken nearly in that order,
/// so every number below the highest one seen that is not finished belongs to a delivery still being worked on.
#[derive(Debug)]
pub(super) struct AckBatcher<R> {
    highest: u64,
    /// Not finished; as many as all consumers of the channel may hold at most.
    open: BTreeSet<u64>,
    /// Finished and not acknowledged.
    finished: BTreeMap<u64, (AckDecision, R)>,
}

impl<R> Default for AckBatcher<R> {
    fn default() -> Self {
        AckBatcher { highest: 0, open: BTreeSet::new(), finished: BTreeMap::new() }
    }
}

impl<R> AckBatcher<R> {
    /// Notes that a delivery is finished.
    pub(super) fn finish(&mut self, tag: u64, decision: AckDecision, receipt: R) {
        self.settled(tag);
        self.finished.insert(tag, (decision, receipt));
    }

    /// Notes that a delivery needs nothing any more.
    pub(super) fn settled(&mut self, tag: u64) {
        if tag > self.highest {
            self.open.extend(self.highest + 1..tag);
            self.highest = tag;
        } else {
            self.open.remove(&tag);
        }
    }

    /// How many are done and not acknowledged.
    pub(super) fn unacknowledged(&self) -> usize {
        self.finished.values().filter(|(decision, _)| matches!(decision, AckDecision::Ack)).count()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.finished.is_empty()
    }

    /// Everything that is finished, as the frames to send in this order.
    ///
    /// What lies before the first open delivery is merged; nothing that is open lies at or below an `AckThrough`.
    pub(super) fn take_frames(&mut self) -> Vec<AckFrame<R>> {
        let first_open = self.open.first().copied().unwrap_or(u64::MAX);
        let singly = self.finished.split_off(&first_open);
        let merged = std::mem::take(&mut self.finished);
        let mut frames = Vec::new();
        let mut through = None;
        for (decision, receipt) in merged.into_values() {
            match decision {
                AckDecision::Ack => through = Some(receipt),
                AckDecision::Requeue => {
                    frames.extend(through.take().map(AckFrame::AckThrough));
                    frames.push(AckFrame::Requeue(receipt));
                }
            }
        }
        frames.extend(through.map(AckFrame::AckThrough));
        frames.extend(singly.into_values().map(|(decision, receipt)| match decision {
            AckDecision::Ack => AckFrame::Ack(receipt),
            AckDecision::Requeue => AckFrame::Requeue(receipt),
        }));
        frames
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_requeued_is_not_unacknowledged() {
        let mut acks = AckBatcher::default();
        acks.finish(1, AckDecision::Ack, 1);
        acks.finish(2, AckDecision::Requeue, 2);
        assert_eq!(acks.unacknowledged(), 1);
    }

    #[test]
    fn a_run_from_the_lowest_is_one_frame() {
        let mut acks = AckBatcher::default();
        for tag in [2, 1, 3] {
            acks.finish(tag, AckDecision::Ack, tag);
        }
        assert_eq!(acks.take_frames(), [AckFrame::AckThrough(3)]);
        assert_eq!(acks.take_frames(), []);
    }

    #[test]
    fn what_needs_nothing_any_more_holds_up_nothing() {
        let mut acks = AckBatcher::default();
        acks.settled(1);
        for tag in [3, 2] {
            acks.finish(tag, AckDecision::Ack, tag);
        }
        assert_eq!(acks.take_frames(), [AckFrame::AckThrough(3)]);
    }

    #[test]
    fn what_lies_behind_a_long_one_does_not_wait_for_it() {
        let mut acks = AckBatcher::default();
        for tag in [1, 3, 4] {
            acks.finish(tag, AckDecision::Ack, tag);
        }
        assert_eq!(acks.take_frames(), [AckFrame::AckThrough(1), AckFrame::Ack(3), AckFrame::Ack(4)]);
        acks.finish(2, AckDecision::Ack, 2);
        assert_eq!(acks.take_frames(), [AckFrame::AckThrough(2)]);
    }

    #[test]
    fn what_is_requeued_is_never_acknowledged_along() {
        let mut acks = AckBatcher::default();
        for tag in [1, 2, 4] {
            acks.finish(tag, AckDecision::Ack, tag);
        }
        acks.finish(3, AckDecision::Requeue, 3);
        let frames = acks.take_frames();
        assert_eq!(frames, [AckFrame::AckThrough(2), AckFrame::Requeue(3), AckFrame::AckThrough(4)]);
    }

    /// What a broker makes of the frames; panics where RabbitMQ would close the channel.
    #[derive(Default)]
    struct Broker {
        unacknowledged: BTreeSet<u64>,
        acked: BTreeSet<u64>,
        requeued: BTreeSet<u64>,
    }

    impl Broker {
        fn receive(&mut self, frame: &AckFrame<u64>) {
            match frame {
                AckFrame::Ack(tag) => {
                    assert!(self.unacknowledged.remove(tag), "unknown delivery tag {tag}");
                    self.acked.insert(*tag);
                }
                AckFrame::Requeue(tag) => {
                    assert!(self.unacknowledged.remove(tag), "unknown delivery tag {tag}");
                    self.requeued.insert(*tag);
                }
                AckFrame::AckThrough(tag) => {
                    assert!(self.unacknowledged.contains(tag), "unknown delivery tag {tag}");
                    let later = self.unacknowledged.split_off(&(tag + 1));
                    self.acked.append(&mut self.unacknowledged);
                    self.unacknowledged = later;
                }
            }
        }
    }

    proptest! {
        /// In whatever order deliveries are finished, and whenever they are acknowledged in between,
        /// each gets the decision that was passed on it, and none before it was passed.
        #[test]
        fn every_delivery_gets_its_own_decision(
            order in Just((1..=40_u64).collect::<Vec<_>>()).prop_shuffle(),
            requeue in proptest::collection::btree_set(1..=40_u64, 0..10),
            pauses in proptest::collection::btree_set(0..40_usize, 0..20),
        ) {
            let mut broker = Broker { unacknowledged: (1..=40).collect(), ..Broker::default() };
            let mut acks = AckBatcher::default();
            let mut finished = BTreeSet::new();
            for (step, tag) in order.into_iter().enumerate() {
                let decision = if requeue.contains(&tag) { AckDecision::Requeue } else { AckDecision::Ack };
                acks.finish(tag, decision, tag);
                finished.insert(tag);
                if pauses.contains(&step) {
                    acks.take_frames().iter().for_each(|frame| broker.receive(frame));
                    let acknowledged: BTreeSet<u64> = broker.acked.union(&broker.requeued).copied().collect();
                    prop_assert_eq!(&acknowledged, &finished);
                }
            }
            acks.take_frames().iter().for_each(|frame| broker.receive(frame));
            prop_assert!(broker.unacknowledged.is_empty());
            prop_assert_eq!(&broker.requeued, &requeue);
        }
    }
}
