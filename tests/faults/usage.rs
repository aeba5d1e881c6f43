//! What processes use: it has to return to where it was.

use std::fs;

use anyhow::Context;
use harness::eventually;

use crate::fleet::LONG;

/// What an allocator may keep of what was in use, in bytes.
const SLACK: u64 = 48 << 20;

/// What a process uses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// In bytes.
    pub(crate) memory: u64,
    pub(crate) threads: u64,
}

impl Usage {
    /// What a process uses now, where `/proc` shows it.
    pub(crate) fn of(process: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let field = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name))?;
            value.split_whitespace().next()?.parse::<u64>().ok()
        };
        Some(Self { memory: field("VmRSS:")? * 1024, threads: field("Threads:")? })
    }

    /// Waits until the process uses as much again as here, but for what an allocator keeps, and for so many
    /// bytes that are kept on purpose.
    pub(crate) fn wait_for_return(self, process: u32, kept: u64) -> anyhow::Result<()> {
        let mut now = None;
        let has_returned = |now: Usage| now.memory <= self.memory + SLACK + kept && now.threads <= self.threads;
        let outcome = eventually(LONG, || {
            now = Usage::of(process);
            Ok(now.is_some_and(has_returned))
        });
        outcome.with_context(|| format!("it used {self:?} and uses {now:?}"))
    }
}

/// Waits until this process has no thread any more of a client or a broker.
pub(crate) fn wait_for_threads() -> anyhow::Result<()> {
    let mut left = vec![];
    let outcome = eventually(LONG, || {
        left = threads();
        Ok(left.is_empty())
    });
    outcome.with_context(|| format!("these threads are left behind: {left:?}"))
}

/// The names of the threads of this process that are guirpc's or amiquip's, where `/proc` shows them.
fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    let ours = |name: &String| name.starts_with("guirpc") || name.starts_with("amiquip");
    names.map(|name| name.trim_end().to_owned()).filter(ours).collect()
}
