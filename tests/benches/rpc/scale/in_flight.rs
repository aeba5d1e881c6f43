//! As many calls in flight from one process as thousands of callers have.

use anyhow::Result;

use super::ROUNDS;
use crate::contestant::Contestant;
use crate::figures::{Spread, Table, mebibytes};
use crate::load::Extent;
use crate::role::Caller;
use crate::stage::Stage;

const IN_FLIGHT: usize = 10_000;
/// In number rather than in time, so that they all are in flight for most of it.
const CALLS: Extent = Extent::Calls(5 * IN_FLIGHT);

/// Calls in processes of their own.
pub(super) fn measure(stage: &Stage) -> Result<String> {
    let servers = stage.start(stage.among(&Contestant::CONCURRENT))?;
    let mut called = Vec::new();
    stage.rounds(ROUNDS, |turns| {
        for contestant in turns.of(&servers.contestants) {
            let uri = stage.broker(contestant).uri();
            called.push((contestant, Caller::Contestant(contestant).call(uri, IN_FLIGHT, CALLS)?));
        }
        Ok(())
    })?;
    let mut table = Table::new("client", ["calls per second", "p99 in ms", "idle in MiB", "peak in MiB"]);
    for &contestant in &servers.contestants {
        let called = || called.iter().filter(move |(it, _)| *it == contestant).map(|(_, called)| called);
        let cells = [
            Spread::of(called().map(|called| called.rate)).to_string(),
            Spread::of(called().map(|called| called.p99.as_secs_f64() * 1e3)).to_string(),
            format!("{:.1}", Spread::of(called().map(|called| mebibytes(called.memory.before)))),
            format!("{:.1}", Spread::of(called().map(|called| mebibytes(called.memory.peak)))),
        ];
        table.row(&stage.title(contestant), cells);
    }
    servers.end()?;
    Ok(format!(
        "{IN_FLIGHT} calls in flight from one thread, and the memory of its process: \
         medians of the rounds (smallest to largest).\n\n{table}"
    ))
}
