//! Replies that wait for others to the same address, so that they leave in one message. Pure data, no I/O, no clock.

use std::mem;

/// A message holds so many replies at most.
const MOST_REPLIES: usize = 256;
/// And so many bytes.
pub(super) const MOST_BYTES: usize = 64 << 10;
/// Replies to so many addresses wait at a time.
const MOST_ADDRESSES: usize = 16;

/// Replies to one address.
#[derive(Debug, PartialEq)]
pub(super) struct Batch<A, R> {
    pub(super) address: A,
    pub(super) replies: Vec<R>,
    bytes: usize,
}

impl<A, R> Batch<A, R> {
    fn is_full(&self, most_bytes: usize) -> bool {
        self.replies.len() >= MOST_REPLIES || self.bytes >= most_bytes
    }
}

/// Replies that wait, the oldest batch first.
#[derive(Debug)]
pub(super) struct ReplyBatches<A, R>(Vec<Batch<A, R>>);

impl<A, R> Default for ReplyBatches<A, R> {
    fn default() -> Self {
        ReplyBatches(Vec::new())
    }
}

impl<A: PartialEq, R> ReplyBatches<A, R> {
    /// Whether none waits.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Has a reply of so many bytes wait, for others with which it is no larger than this; gives what is to leave now.
    pub(super) fn push(&mut self, address: A, reply: R, bytes: usize, most_bytes: usize) -> Vec<Batch<A, R>> {
        let mut leaving = Vec::new();
        let same = self.0.iter().position(|batch| batch.address == address);
        let new = Batch { address, replies: Vec::new(), bytes: 0 };
        let mut batch = match same.map(|at| self.0.remove(at)) {
            Some(same) if same.bytes + bytes <= most_bytes => same,
            full_or_none => {
                leaving.extend(full_or_none);
                new
            }
        };
        batch.replies.push(reply);
        batch.bytes += bytes;
        if batch.is_full(most_bytes) {
            leaving.push(batch);
        } else {
            self.0.push(batch);
        }
        if self.0.len() > MOST_ADDRESSES {
            leaving.push(self.0.remove(0));
        }
        leaving
    }

    /// All that wait.
    pub(super) fn take(&mut self) -> Vec<Batch<A, R>> {
        mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_full_leaves() {
        let mut batches = ReplyBatches::default();
        for reply in 0..MOST_REPLIES - 1 {
            assert_eq!(batches.push("a", reply, 10, MOST_BYTES), []);
        }
        let full = batches.push("a", MOST_REPLIES - 1, 10, MOST_BYTES);
        assert_eq!(full.iter().map(|batch| batch.replies.len()).collect::<Vec<_>>(), [MOST_REPLIES]);
        assert!(batches.is_empty());
        assert_eq!(batches.push("a", 1, 999, 1000), []);
        let full = batches.push("a", 2, 2, 1000);
        assert_eq!(full.iter().map(|batch| &batch.replies[..]).collect::<Vec<_>>(), [[1]]);
        let full = batches.push("a", 3, 1000, 1000);
        assert_eq!(
            full.iter().map(|batch| &batch.replies[..]).collect::<Vec<_>>(),
            [[2], [3]],
            "it is too large to join"
        );
    }

    proptest! {
        /// Each reply leaves once, to its own address and in order, in no message that is too large.
        #[test]
        fn every_reply_leaves_once(
            replies in vec((0_usize..20, prop_oneof![4 => 0_usize..100, 1 => 0_usize..2 * MOST_BYTES]), 0..400),
        ) {
            let mut batches = ReplyBatches::default();
            let mut left: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            let mut leave = |leaving: Vec<Batch<usize, usize>>| {
                for Batch { address, replies: together, bytes } in leaving {
                    let is_small = bytes <= MOST_BYTES || together.len() == 1;
                    prop_assert!((1..=MOST_REPLIES).contains(&together.len()) && is_small);
                    left.entry(address).or_default().extend(together);
                }
                Ok(())
            };
            for (number, (address, bytes)) in replies.iter().enumerate() {
                leave(batches.push(*address, number, *bytes, MOST_BYTES))?;
                prop_assert!(batches.0.len() <= MOST_ADDRESSES);
            }
            leave(batches.take())?;
            prop_assert!(batches.is_empty());
            let mut expected: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for (number, (address, _)) in replies.iter().enumerate() {
                expected.entry(*address).or_default().push(number);
            }
            prop_assert_eq!(left, expected);
        }
    }
}
