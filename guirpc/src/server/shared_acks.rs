//! The acknowledgements of messages that hold several calls: each is decided when all its calls are. Pure data, no I/O.

use std::collections::BTreeMap;

use super::acks::AckDecision;

/// Messages of which some calls are finished, and not all, by delivery tag.
#[derive(Debug, Default)]
pub(super) struct SharedAcks(BTreeMap<u64, Open>);

#[derive(Debug)]
struct Open {
    /// How many calls are not finished.
    left: usize,
    decision: AckDecision,
}

impl SharedAcks {
    /// One more of so many calls is finished: gives what is to become of the message, when that was the last.
    ///
    /// One call that has to be delivered again has the broker deliver all of the message again.
    pub(super) fn finish(&mut self, tag: u64, calls: usize, decision: AckDecision) -> Option<AckDecision> {
        let open = self.0.entry(tag).or_insert(Open { left: calls, decision: AckDecision::Ack });
        open.left -= 1;
        if decision == AckDecision::Requeue {
            open.decision = AckDecision::Requeue;
        }
        if open.left > 0 {
            return None;
        }
        self.0.remove(&tag).map(|open| open.decision)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// In whatever order the calls of several messages are finished, each message is decided once, with its last call,
        /// and is acknowledged only if none of its calls has to come again.
        #[test]
        fn a_message_is_decided_with_its_last_call(
            messages in vec(vec(any::<bool>(), 1..12), 1..8),
            order in vec(any::<prop::sample::Index>(), 100),
        ) {
            let mut acks = SharedAcks::default();
            let mut open: Vec<(usize, bool)> = messages
                .iter()
                .enumerate()
                .flat_map(|(tag, calls)| calls.iter().map(move |is_requeued| (tag, *is_requeued)))
                .collect();
            let mut decided = BTreeMap::new();
            for index in order {
                if open.is_empty() {
                    break;
                }
                let (tag, is_requeued) = open.swap_remove(index.index(open.len()));
                let decision = if is_requeued { AckDecision::Requeue } else { AckDecision::Ack };
                let outcome = acks.finish(tag as u64, messages[tag].len(), decision);
                let is_last = open.iter().all(|(other, _)| *other != tag);
                prop_assert_eq!(outcome.is_some(), is_last);
                if let Some(outcome) = outcome {
                    prop_assert!(decided.insert(tag, outcome).is_none());
                }
            }
            for (tag, outcome) in decided {
                let is_requeued = messages[tag].iter().any(|is_requeued| *is_requeued);
                prop_assert_eq!(outcome == AckDecision::Requeue, is_requeued);
            }
            prop_assert_eq!(acks.0.is_empty(), open.is_empty() || acks.0.len() <= open.len());
        }
    }
}
