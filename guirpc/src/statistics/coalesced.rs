//! Messages that hold several.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many messages held several calls or replies, and how many they held.
#[derive(Debug, Default)]
pub(crate) struct Coalesced {
    messages: AtomicU64,
    parts: AtomicU64,
}

impl Coalesced {
    /// There is a message of so many.
    pub(crate) fn note(&self, parts: usize) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.parts.fetch_add(parts as u64, Ordering::Relaxed);
    }

    /// How many messages there were, and how many calls or replies in them.
    #[cfg(feature = "metrics")]
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.messages.load(Ordering::Relaxed), self.parts.load(Ordering::Relaxed))
    }
}
