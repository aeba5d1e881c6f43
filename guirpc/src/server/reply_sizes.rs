//! How large a reply the broker takes: a larger one than any before is tried before it is sent.
//!
//! A message that is too large costs the channel, and the replies that are on it. So it is tried by a thread of its own,
//! and whoever has such a reply goes on with something else meanwhile.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::broker::{Checked, MessageSizes, Presence, PublishCheck, PublishChecker};
use crate::log::in_same_lane;

/// What is done when it is known.
pub(super) type Then = Box<dyn FnOnce() + Send>;

/// What is known of the sizes that the broker takes.
pub(super) struct ReplySizes {
    checker: PublishChecker,
    /// Any body of so many bytes is sent, which is looked at for every reply.
    sent: AtomicUsize,
    state: Mutex<State>,
    /// Whether it was tried how large a body may be that is made as large as it can be.
    is_asked: AtomicBool,
}

struct State {
    sizes: MessageSizes,
    /// Bodies of so many bytes wait for the trial.
    waiting: Vec<(usize, Then)>,
    is_running: bool,
}

impl ReplySizes {
    pub(super) fn new(checker: PublishChecker, sizes: MessageSizes) -> Self {
        let state = State { sizes, waiting: Vec::new(), is_running: false };
        ReplySizes { checker, sent: AtomicUsize::new(0), state: Mutex::new(state), is_asked: AtomicBool::new(false) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is known what becomes of a body of this size.
    pub(super) fn is_known(&self, bytes: usize) -> bool {
        if bytes <= self.sent.load(Ordering::Relaxed) {
            return true;
        }
        let takes = self.state().sizes.takes(bytes);
        if takes == Some(true) {
            self.sent.fetch_max(bytes, Ordering::Relaxed);
        }
        takes.is_some()
    }

    /// How large a body may be that is made as large as it can be, up to this size: what is not known is found out meanwhile.
    pub(super) fn largest(self: &Arc<Self>, bytes: usize) -> usize {
        if self.is_known(bytes) {
            let is_sent = bytes <= self.sent.load(Ordering::Relaxed);
            return if is_sent { bytes } else { self.state().sizes.largest().min(bytes) };
        }
        if !self.is_asked.swap(true, Ordering::Relaxed) {
            self.find_out(bytes, Box::new(|| ()));
        }
        self.state().sizes.largest()
    }

    /// Whether a body of this size can be sent.
    ///
    /// # Errors
    /// It is too large; says so, and what to do.
    pub(super) fn check(&self, bytes: usize) -> Result<(), String> {
        if bytes <= self.sent.load(Ordering::Relaxed) {
            return Ok(());
        }
        let sizes = self.state().sizes;
        if sizes.takes(bytes) == Some(false) { Err(sizes.too_large("it", bytes)) } else { Ok(()) }
    }

    /// Finds out whether the broker takes a body of this size, in the background.
    pub(super) fn find_out(self: &Arc<Self>, bytes: usize, then: Then) {
        let mut state = self.state();
        state.waiting.push((bytes, then));
        if mem::replace(&mut state.is_running, true) {
            return;
        }
        drop(state);
        let sizes = Arc::clone(self);
        let spawned =
            thread::Builder::new().name("guirpc-check".to_owned()).spawn(in_same_lane(move || sizes.try_all()));
        if spawned.is_err() {
            // It is sent, and may cost the channel.
            self.go_on(usize::MAX, &Checked::unanswered());
        }
    }

    /// Tries the largest of those that wait, until none waits.
    fn try_all(&self) {
        loop {
            let largest = self.state().waiting.iter().map(|(bytes, _)| *bytes).max();
            let Some(bytes) = largest else { return };
            let checked = self.checker.check(&PublishCheck::of_reply(bytes));
            if !self.go_on(bytes, &checked) {
                return;
            }
        }
    }

    /// Goes on with all that are no larger than what was tried; says whether others wait.
    fn go_on(&self, tried: usize, checked: &Checked) -> bool {
        let mut state = self.state();
        state.sizes.learn(checked.sizes);
        let (known, waiting) = mem::take(&mut state.waiting).into_iter().partition(|(bytes, _)| *bytes <= tried);
        let known: Vec<(usize, Then)> = known;
        state.waiting = waiting;
        if checked.presence == Presence::Unanswered {
            let largest = known.iter().map(|(bytes, _)| *bytes).max();
            self.sent.fetch_max(largest.unwrap_or_default(), Ordering::Relaxed);
        }
        state.is_running = !state.waiting.is_empty();
        let goes_on = state.is_running;
        drop(state);
        for (_, then) in known {
            then();
        }
        goes_on
    }
}
