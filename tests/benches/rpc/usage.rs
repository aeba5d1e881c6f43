//! CPU time and memory of a process, as Linux counts them.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// Linux reports CPU time in hundredths of a second, whatever its own timer does.
const TICK: Duration = Duration::from_millis(10);

/// CPU time of all threads of a process since it began.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    // The command's name, in parentheses, may contain anything; what follows is numbers.
    let (_, numbers) = stat.rsplit_once(')').with_context(|| format!("parse {path}"))?;
    let ticks = numbers
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u32>)
        .sum::<Result<u32, _>>()
        .with_context(|| format!("parse {path}"))?;
    Ok(TICK * ticks)
}

/// Resident memory of a process, in bytes.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    memory(pid, "VmRSS:")
}

/// Resident memory of a process over a while, in bytes.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// When it began.
    pub(crate) before: u64,
    /// The most since.
    pub(crate) peak: u64,
}

/// A process whose memory is watched, as [`watch`] began it.
pub(crate) struct Watch {
    pid: u32,
    before: u64,
}

/// Watches a process's memory from now on.
pub(crate) fn watch(pid: u32) -> Result<Watch> {
    let path = format!("/proc/{pid}/clear_refs");
    // The peak then begins at what is resident now.
    fs::write(&path, "5").with_context(|| format!("write {path}"))?;
    Ok(Watch { pid, before: resident(pid)? })
}

impl Watch {
    /// What there was until now.
    pub(crate) fn until_now(&self) -> Result<Memory> {
        Ok(Memory { before: self.before, peak: memory(self.pid, "VmHWM:")? })
    }
}

impl Memory {
    /// What came to it.
    pub(crate) fn growth(&self) -> u64 {
        self.peak.saturating_sub(self.before)
    }
}

fn memory(pid: u32, field: &str) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.trim().strip_suffix("kB"))
        .and_then(|kilobytes| kilobytes.trim().parse::<u64>().ok())
        .map(|kilobytes| kilobytes * 1024)
        .with_context(|| format!("no {field} in {path}"))
}
