//! The suite `calls`: quick calls, from one caller to many, by everybody.

mod report;

use anyhow::{Context as _, Result};

use crate::contestant::Contestant;
use crate::load::{Extent, Load};
use crate::message::SLOW;
use crate::stage::{Sample, Servers, Stage};
use crate::usage;

pub(crate) use report::Report;

const ROUNDS: usize = 7;

/// Everything that was measured.
pub(crate) struct Outcome {
    /// Every meeting of a contestant with a load.
    samples: Vec<Sample>,
    /// The slow function.
    slow: Vec<Slow>,
    /// Resident memory of the servers, idle, in bytes.
    idle_memory: Vec<(Contestant, u64)>,
}

/// How fast a function that takes 50 ms was, of which so many run at once.
struct Slow {
    contestant: Contestant,
    parallel: usize,
    rate: f64,
}

/// Measures everything; a wrong or missing reply ends it.
pub(crate) fn measure(stage: &Stage) -> Result<Outcome> {
    let servers = stage.start(stage.contestants.clone())?;
    let idle_memory = servers.running().map(|it| Ok((it, usage::resident(servers.pid(it))?))).collect::<Result<_>>()?;
    let mut samples = Vec::new();
    stage.rounds(ROUNDS, |turns| {
        for load in Load::COMPARED {
            for contestant in turns.of(&servers.contestants) {
                samples.push(servers.sample(contestant, load)?);
            }
        }
        Ok(())
    })?;
    let slow = slow(stage, &servers)?;
    servers.end()?;
    Ok(Outcome { samples, slow, idle_memory })
}

fn slow(stage: &Stage, servers: &Servers<'_>) -> Result<Vec<Slow>> {
    let mut slow = Vec::new();
    for contestant in servers.running() {
        let Some(parallel) = contestant.parallel(stage.workers) else {
            continue;
        };
        let load = Load::slow(parallel);
        let mut client = contestant.connect(stage.broker(contestant).uri(), load)?;
        let tally = client
            .run(load, Extent::Time(stage.time.max(SLOW * 10)))
            .with_context(|| format!("{}, the slow function", stage.title(contestant)))?;
        slow.push(Slow { contestant, parallel, rate: tally.rate() });
    }
    Ok(slow)
}

impl Slow {
    /// Calls per second if nothing but the function took any time.
    fn possible(&self) -> f64 {
        u32::try_from(self.parallel).map_or(f64::INFINITY, f64::from) / SLOW.as_secs_f64()
    }
}
