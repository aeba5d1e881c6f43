//! Requests that concern a connection as a whole, and that the broker has not answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many requests there may be that concern a connection as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenRequests(Arc<AtomicUsize>);

impl OpenRequests {
    pub(super) fn begin(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn end(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn may_be(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}
