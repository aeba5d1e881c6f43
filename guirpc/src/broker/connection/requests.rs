//! What is asked of a connection as a whole, as far as those who watch its frames need to know.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The requests that concern a connection as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// How many there may be that the broker has not answered.
    open: AtomicUsize,
    is_closing: AtomicBool,
    keeps_consumers: AtomicBool,
}

impl Requests {
    pub(super) fn begin(&self) {
        self.0.open.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn end(&self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn may_be_open(&self) -> bool {
        self.0.open.load(Ordering::SeqCst) > 0
    }

    /// To close is the last request, and never over.
    pub(super) fn close(&self) {
        self.0.is_closing.store(true, Ordering::SeqCst);
        self.begin();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.0.is_closing.load(Ordering::SeqCst)
    }

    /// Has consumers live as long as their channels: that they are dropped cancels none.
    pub(super) fn keep_consumers(&self) {
        self.0.keeps_consumers.store(true, Ordering::SeqCst);
    }

    pub(super) fn keeps_consumers(&self) -> bool {
        self.0.keeps_consumers.load(Ordering::SeqCst)
    }
}
