//! A pause before new work, for as long as the broker takes no messages.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// What is begun while a broker is short of memory could not be answered, so it waits.
#[derive(Debug, Default)]
pub(super) struct Pause {
    /// Read for every request.
    is_paused: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Pause {
    pub(super) fn begin(&self) {
        self.is_paused.store(true, Ordering::SeqCst);
    }

    pub(super) fn end(&self) {
        let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_paused.store(false, Ordering::SeqCst);
        self.changed.notify_all();
    }

    /// Waits until there is no pause.
    pub(super) fn wait(&self) {
        let is_paused = || self.is_paused.load(Ordering::SeqCst);
        if !is_paused() {
            return;
        }
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(lock, |()| is_paused()).unwrap_or_else(PoisonError::into_inner));
    }
}
