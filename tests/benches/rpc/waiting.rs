//! The suite `waiting`: many calls at once of a function that waits, as for a database, and takes no thread for that.

use std::fmt::{self, Display, Formatter};

use anyhow::Result;

use crate::contestant::Contestant;
use crate::figures::{Spread, Table};
use crate::load::{Extent, Load};
use crate::message::{Function, PREFETCH, WAIT};
use crate::stage::{Sample, Stage};

const ROUNDS: usize = 3;
/// Calls that are made at once.
const CALLS: usize = 1000;
/// How many of them a server has under way: guirpc by its default, the others by their prefetch.
const CONCURRENCY: usize = PREFETCH as usize;

/// What was measured.
pub(crate) struct Report<'a> {
    stage: &'a Stage,
    samples: Vec<Sample>,
}

/// Measures everything.
pub(crate) fn measure(stage: &Stage) -> Result<Report<'_>> {
    let servers = stage.start(stage.among(&Contestant::CONCURRENT))?;
    let load = Load::in_flight(Function::AddLater, CALLS);
    // One after another, which takes no memory that many at once would find.
    let warm_up = (Load::in_flight(Function::AddLater, 1), Extent::Calls(3));
    let mut samples = Vec::new();
    stage.rounds(ROUNDS, |turns| {
        for contestant in turns.of(&servers.contestants) {
            samples.push(servers.sample_after(warm_up, contestant, load, Extent::Calls(CALLS))?);
        }
        Ok(())
    })?;
    servers.end()?;
    Ok(Report { stage, samples })
}

/// Seconds, if nothing but the function took any time: wave after wave.
fn possible() -> f64 {
    let waves = u32::try_from(CALLS.div_ceil(CONCURRENCY)).unwrap_or(u32::MAX);
    (WAIT * waves).as_secs_f64()
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{CALLS} calls at once of a function that waits {} ms, {CONCURRENCY} of them under way at a time: \
             seconds until all are answered, and those to the {:.1} s that are possible, the median of the rounds \
             (smallest to largest); KiB that the server's memory grows by for each under way, the most in any round.\n",
            WAIT.as_millis(),
            possible()
        )?;
        let mut table = Table::new("server", ["seconds", "to the possible", "KiB each"]);
        for contestant in self.stage.among(&Contestant::CONCURRENT) {
            let samples = || self.samples.iter().filter(move |sample| sample.contestant == contestant);
            let seconds = samples().map(|sample| sample.tally.elapsed.as_secs_f64());
            let growth = samples().map(|sample| sample.memory.growth()).max().unwrap_or_default();
            let cells = [
                format!("{:.3}", Spread::of(seconds.clone())),
                format!("{:.2}", Spread::of(seconds.map(|seconds| seconds / possible()))),
                (growth / 1024 / CONCURRENCY as u64).to_string(),
            ];
            table.row(&self.stage.title(contestant), cells);
        }
        writeln!(f, "{table}")
    }
}
