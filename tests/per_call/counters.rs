//! What this process has done since it began: counted, so that neither a clock nor a busy machine changes it.

use std::alloc::System;
use std::fs;
use std::io;

use serde::{Deserialize, Serialize};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Counts of a whole process, of all its threads.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Counters {
    pub(crate) allocations: usize,
    pub(crate) bytes: usize,
    /// Of the threads that are still there.
    pub(crate) waits: usize,
}

impl Counters {
    /// Those of this process, now.
    pub(crate) fn now() -> io::Result<Self> {
        let stats = ALLOCATOR.stats();
        let (allocations, bytes) = (stats.allocations + stats.reallocations, stats.bytes_allocated);
        Ok(Self { allocations, bytes, waits: waits()? })
    }
}

/// How often threads began to wait, as Linux counts it.
fn waits() -> io::Result<usize> {
    let mut waits = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        // One that ends meanwhile is none of those that matter.
        let status = fs::read_to_string(thread?.path().join("status")).unwrap_or_default();
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        waits += count.and_then(|count| count.trim().parse::<usize>().ok()).unwrap_or_default();
    }
    Ok(waits)
}
