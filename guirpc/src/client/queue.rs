//! Numbers in their order, of which nearly all come last and leave first.

use std::collections::VecDeque;

use super::batches::turn;

/// A queue of calls and of coalesced messages: those that were made earlier come first, whenever they are queued.
#[derive(Debug, Default)]
pub(super) struct Queue(VecDeque<u64>);

impl Queue {
    pub(super) fn first(&self) -> Option<u64> {
        self.0.front().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn insert(&mut self, number: u64) {
        if self.0.back().is_none_or(|last| turn(*last) < turn(number)) {
            return self.0.push_back(number);
        }
        if let Err(place) = self.place(number) {
            self.0.insert(place, number);
        }
    }

    pub(super) fn remove(&mut self, number: u64) {
        if self.first() == Some(number) {
            self.0.pop_front();
        } else if let Some(place) = self.place(number).ok().filter(|place| self.0[*place] == number) {
            self.0.remove(place);
        }
    }

    fn place(&self, number: u64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&turn(number), |other| turn(*other))
    }

    #[cfg(test)]
    pub(super) fn contains(&self, number: u64) -> bool {
        self.0.contains(&number)
    }

    pub(super) fn pop_first(&mut self) -> Option<u64> {
        self.0.pop_front()
    }

    pub(super) fn retain(&mut self, stays: impl FnMut(&u64) -> bool) {
        self.0.retain(stays);
    }
}

impl Extend<u64> for Queue {
    fn extend<I: IntoIterator<Item = u64>>(&mut self, numbers: I) {
        numbers.into_iter().for_each(|number| self.insert(number));
    }
}

impl IntoIterator for Queue {
    type Item = u64;
    type IntoIter = std::collections::vec_deque::IntoIter<u64>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_turn_of_its_first_call() {
        let mut queue = Queue::default();
        let message = (1 << 63) | 3;
        queue.extend([4, message, 2]);
        queue.remove(3);
        assert!(queue.contains(message), "it is not its call");
        assert_eq!(queue.into_iter().collect::<Vec<_>>(), [2, message, 4]);
    }

    #[test]
    fn the_earliest_comes_first_whenever_it_is_queued() {
        let mut queue = Queue::default();
        queue.extend([3, 5, 1, 4, 5]);
        queue.remove(4);
        queue.remove(9);
        assert_eq!(queue.first(), Some(1));
        assert_eq!(queue.into_iter().collect::<Vec<_>>(), [1, 3, 5]);
    }
}
