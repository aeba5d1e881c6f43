//! How much memory messages take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes of messages are too much: more than a developer's tests need, less than a developer's machine has.
pub(super) const MEMORY_LIMIT: usize = 512 << 20;

/// How many bytes messages take: whole ones in queues, those on their way in, and those on their way out.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<AtomicUsize>);

impl Memory {
    pub(super) fn count(&self, bytes: usize) -> Counted {
        self.0.fetch_add(bytes, Ordering::Relaxed);
        Counted { memory: self.clone(), bytes }
    }

    pub(super) fn used(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Bytes that are counted until this is gone.
#[derive(Debug)]
pub(super) struct Counted {
    memory: Memory,
    bytes: usize,
}

impl Counted {
    /// Where they are counted.
    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Counts as many instead.
    pub(super) fn set(&mut self, bytes: usize) {
        self.memory.0.fetch_add(bytes, Ordering::Relaxed);
        self.memory.0.fetch_sub(std::mem::replace(&mut self.bytes, bytes), Ordering::Relaxed);
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.memory.count(self.bytes)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.memory.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
