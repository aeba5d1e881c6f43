//! A gate before new work, closed while the broker takes no messages.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// What is begun while a broker is short of memory could not be answered, so it waits.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// Read for every request.
    is_closed: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Gate {
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }

    pub(super) fn open(&self) {
        let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_closed.store(false, Ordering::SeqCst);
        self.changed.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// Waits until the gate is open.
    pub(super) fn pass(&self) {
        if !self.is_closed() {
            return;
        }
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = |(): &mut ()| self.is_closed();
        drop(self.changed.wait_while(lock, closed).unwrap_or_else(PoisonError::into_inner));
    }
}
