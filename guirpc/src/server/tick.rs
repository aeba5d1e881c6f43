//! When the consumer thread wakes: at every tick while there is something to do, else when it is woken.
//!
//! A thread that does something for the consumer thread to look after wakes it only if it does not tick, which costs
//! next to nothing while it does. The consumer thread stops ticking before it looks for the last time, and a worker
//! makes its work visible before it looks whether there are ticks: so one of the two sees the other.

use super::sync::{AtomicBool, Ordering};

/// Whether the consumer thread ticks.
#[derive(Debug)]
pub(super) struct Tick(AtomicBool);

impl Tick {
    /// It ticks in the beginning: a leader from the session before may be held up at this very moment.
    pub(super) fn new() -> Self {
        Tick(AtomicBool::new(true))
    }

    pub(super) fn is_ticking(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    pub(super) fn start(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Stops ticking, unless there is something to do after all.
    pub(super) fn stop(&self, is_busy: impl FnOnce() -> bool) {
        self.0.store(false, Ordering::SeqCst);
        let is_busy = is_busy();
        self.0.store(is_busy, Ordering::SeqCst);
    }
}
