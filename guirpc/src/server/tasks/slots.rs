//! How many functions run side by side, and which wait for that. Pure data, no I/O.

use std::collections::VecDeque;

/// So many slots, and those who wait for one: nobody waits while one is free.
#[derive(Debug)]
pub(super) struct Slots<T> {
    free: Vec<usize>,
    waiting: VecDeque<T>,
}

impl<T> Slots<T> {
    /// The slots of these numbers.
    pub(super) fn new(numbers: impl DoubleEndedIterator<Item = usize>) -> Self {
        // The lowest is taken first.
        Slots { free: numbers.rev().collect(), waiting: VecDeque::new() }
    }

    /// Gives a slot to this one, or has it wait.
    pub(super) fn enter(&mut self, next: T) -> Option<(usize, T)> {
        if let Some(slot) = self.free.pop() {
            return Some((slot, next));
        }
        self.waiting.push_back(next);
        None
    }

    /// Gives a slot to whoever has waited longest, or frees it.
    pub(super) fn leave(&mut self, slot: usize) -> Option<(usize, T)> {
        let next = self.waiting.pop_front();
        if next.is_none() {
            self.free.push(slot);
        }
        Some((slot, next?))
    }

    /// Takes away those of who wait for which that is true.
    pub(super) fn take_waiting(&mut self, mut is_such: impl FnMut(&T) -> bool) -> Vec<T> {
        let (taken, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|waiting| is_such(waiting));
        self.waiting = waiting;
        Vec::from(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whoever comes runs once, in turn, never more than there are slots at a time, and nobody waits beside a free one.
        #[test]
        fn everybody_runs_once_in_turn(count in 1_usize..5, steps in vec(any::<bool>(), 0..60)) {
            let mut slots = Slots::new(10..10 + count);
            let (mut running, mut begun, mut came) = (Vec::new(), 0, 0);
            for comes in steps {
                let begins = if comes || running.is_empty() {
                    came += 1;
                    slots.enter(came)
                } else {
                    let slot = running.remove(running.len() / 2);
                    slots.leave(slot)
                };
                if let Some((slot, who)) = begins {
                    begun += 1;
                    prop_assert_eq!(who, begun);
                    prop_assert!((10..10 + count).contains(&slot) && !running.contains(&slot));
                    running.push(slot);
                }
                prop_assert_eq!(running.len() + slots.free.len(), count);
                prop_assert_eq!(slots.waiting.len(), came - begun);
                prop_assert!(slots.waiting.is_empty() || slots.free.is_empty());
            }
            let odd = slots.take_waiting(|who| who % 2 == 1);
            prop_assert!(odd.iter().all(|who| who % 2 == 1) && slots.waiting.iter().all(|who| who % 2 == 0));
        }
    }
}
