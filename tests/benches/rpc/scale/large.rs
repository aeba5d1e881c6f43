//! Large bodies, there and back.

use anyhow::Result;

use super::ROUNDS;
use crate::contestant::Contestant;
use crate::figures::{Spread, Table, float, mebibytes, most_mebibytes};
use crate::load::Load;
use crate::message::{Function, LARGE};
use crate::stage::Stage;

const IN_FLIGHT: [usize; 2] = [1, 8];

/// Echoes bodies, one after another and several at once.
pub(super) fn measure(stage: &Stage) -> Result<String> {
    let servers = stage.start(stage.among(&Contestant::CONCURRENT))?;
    let mut samples = Vec::new();
    stage.rounds(ROUNDS, |turns| {
        for in_flight in IN_FLIGHT {
            for contestant in turns.of(&servers.contestants) {
                samples.push(servers.sample(contestant, Load::in_flight(Function::Echo, in_flight))?);
            }
        }
        Ok(())
    })?;
    let size = mebibytes(LARGE as u64);
    let columns = IN_FLIGHT.iter().map(|in_flight| format!("MB/s, {in_flight} in flight"));
    let mut table = Table::new("echo", columns.chain(["the server's memory in MiB".to_owned()]));
    for &contestant in &servers.contestants {
        let samples = || samples.iter().filter(move |sample| sample.contestant == contestant);
        let cells = IN_FLIGHT.map(|in_flight| {
            let samples = samples().filter(|sample| sample.load.window == in_flight);
            format!("{:.0}", Spread::of(samples.map(|sample| sample.tally.rate() * float(LARGE) / 1e6)))
        });
        let cells = cells.into_iter().chain([most_mebibytes(samples().map(|sample| sample.memory.peak))]);
        table.row(&stage.title(contestant), cells);
    }
    servers.end()?;
    Ok(format!(
        "Bodies of {size} MiB that come back, from one thread: MB/s in each direction, \
         the median of the rounds (smallest to largest); the server's peak in any round.\n\n{table}"
    ))
}
