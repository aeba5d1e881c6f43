//! CPU time and memory of a process, as Linux counts them.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

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
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB"))
        .and_then(|kilobytes| kilobytes.trim().parse::<u64>().ok())
        .map(|kilobytes| kilobytes * 1024)
        .with_context(|| format!("no resident memory in {path}"))
}
