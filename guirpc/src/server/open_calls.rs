//! Calls that came several in a message and have not begun: the leader takes a few of one message, then looks at other
//! queues, then takes a few of the next message. So one client's message holds up no other client for longer than that.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{mem, vec};

use super::delivery::Delivery;

/// So many calls are taken before something else is looked at.
const CHUNK: usize = 8;

/// The calls of a session that no worker has taken.
#[derive(Debug, Default)]
pub(super) struct OpenCalls {
    /// Whether there are any, which is looked at for every request.
    has_some: AtomicBool,
    /// Held for a moment only.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    messages: Messages<Delivery>,
    /// Whether no more are begun, since the server shuts down.
    is_closed: bool,
}

impl OpenCalls {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there are any.
    pub(super) fn has_some(&self) -> bool {
        self.has_some.load(Ordering::Relaxed)
    }

    /// Puts the calls of a message behind those of others; gives them back if no more are begun.
    pub(super) fn push(&self, calls: Vec<Delivery>) -> Result<(), Vec<Delivery>> {
        let mut state = self.state();
        if state.is_closed {
            return Err(calls);
        }
        state.messages.push(calls);
        self.has_some.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The next call of the few that are being taken.
    pub(super) fn next_of_chunk(&self) -> Option<Delivery> {
        if self.has_some() { self.state().messages.next_of_chunk() } else { None }
    }

    /// The first of the next few.
    pub(super) fn first_of_chunk(&self) -> Option<Delivery> {
        if !self.has_some() {
            return None;
        }
        let mut state = self.state();
        let first = state.messages.first_of_chunk();
        if state.messages.is_empty() {
            self.has_some.store(false, Ordering::Relaxed);
        }
        first
    }

    /// Takes back all that have not begun, in the end.
    pub(super) fn close(&self) -> impl Iterator<Item = Delivery> {
        let mut state = self.state();
        state.is_closed = true;
        self.has_some.store(false, Ordering::Relaxed);
        mem::take(&mut state.messages).messages.into_iter().flatten()
    }
}

/// Messages of calls, in the order in which they have their turn.
#[derive(Debug)]
struct Messages<C> {
    messages: VecDeque<vec::IntoIter<C>>,
    left_of_chunk: usize,
}

impl<C> Default for Messages<C> {
    fn default() -> Self {
        Messages { messages: VecDeque::new(), left_of_chunk: 0 }
    }
}

impl<C> Messages<C> {
    fn push(&mut self, calls: Vec<C>) {
        if !calls.is_empty() {
            self.messages.push_back(calls.into_iter());
        }
    }

    fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    fn first_of_chunk(&mut self) -> Option<C> {
        self.left_of_chunk = CHUNK;
        self.next_of_chunk()
    }

    /// What is left of a chunk when a message is at its end is the next one's.
    fn next_of_chunk(&mut self) -> Option<C> {
        self.left_of_chunk = self.left_of_chunk.checked_sub(1)?;
        let message = self.messages.front_mut()?;
        let call = message.next();
        if message.len() == 0 {
            self.messages.pop_front();
        } else if self.left_of_chunk == 0 {
            self.messages.rotate_left(1);
        }
        call
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Takes one chunk.
    fn chunk<C>(messages: &mut Messages<C>) -> Vec<C> {
        let first = messages.first_of_chunk();
        first.into_iter().chain(std::iter::from_fn(|| messages.next_of_chunk())).collect()
    }

    #[test]
    fn messages_take_turns() {
        let mut messages = Messages::default();
        messages.push(vec!["a"; 20]);
        messages.push(vec!["b"; 3]);
        assert_eq!(chunk(&mut messages), ["a"; 8]);
        assert_eq!(chunk(&mut messages), ["b", "b", "b", "a", "a", "a", "a", "a"]);
        messages.push(vec!["c"]);
        assert_eq!(chunk(&mut messages), ["a", "a", "a", "a", "a", "a", "a", "c"]);
        assert!(messages.is_empty() && chunk(&mut messages).is_empty());
    }

    proptest! {
        /// Each call is taken once, in the order of its message, and none waits for more than a chunk of each other message.
        #[test]
        fn no_message_waits_for_the_whole_of_another(sizes in vec(0_usize..40, 0..8)) {
            let mut messages = Messages::default();
            for (message, size) in sizes.iter().enumerate() {
                messages.push((0..*size).map(|call| (message, call)).collect());
            }
            let mut taken = vec![0; sizes.len()];
            let mut since = vec![0; sizes.len()];
            while !messages.is_empty() {
                for (message, call) in chunk(&mut messages) {
                    prop_assert_eq!(call, taken[message]);
                    taken[message] += 1;
                    for (other, waits) in since.iter_mut().enumerate() {
                        *waits = if other == message || taken[other] == sizes[other] { 0 } else { *waits + 1 };
                        prop_assert!(*waits <= CHUNK * sizes.len(), "message {other} waits for {waits}");
                    }
                }
            }
            prop_assert_eq!(taken, sizes);
        }
    }
}
