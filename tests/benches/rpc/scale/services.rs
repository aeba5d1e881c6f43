//! Many services in one program.

use std::time::Instant;

use anyhow::Result;

use super::ROUNDS;
use crate::by_amiquip;
use crate::by_guirpc::{self, MANY};
use crate::figures::{Spread, Table, mebibytes};
use crate::load::Extent;
use crate::role::{Caller, Role};
use crate::stage::Stage;
use crate::usage;

/// Services in a program.
const SERVICES: [usize; 2] = [1, MANY.len()];
const IN_FLIGHT: usize = 256;

struct Sample {
    services: usize,
    start: f64,
    idle: f64,
    rate: f64,
}

/// Starts programs and calls all of their services.
pub(super) fn measure(stage: &Stage) -> Result<String> {
    let mut samples = Vec::new();
    stage.rounds(ROUNDS, |turns| {
        for services in turns.of(&SERVICES) {
            samples.push(sample(stage, services)?);
        }
        Ok(())
    })?;
    let mut table = Table::new("services", ["ms to start", "idle in MiB", "calls per second"]);
    for services in SERVICES {
        let samples = || samples.iter().filter(move |sample| sample.services == services);
        let cells = [
            Spread::of(samples().map(|sample| sample.start)).to_string(),
            format!("{:.1}", Spread::of(samples().map(|sample| sample.idle))),
            Spread::of(samples().map(|sample| sample.rate)).to_string(),
        ];
        table.row(&services.to_string(), cells);
    }
    Ok(format!(
        "Services in one program, called in turn with {IN_FLIGHT} in flight from one thread: from the start of the \
         process until all consume, the server's memory then, and calls per second; \
         medians of the rounds (smallest to largest).\n\n{table}"
    ))
}

fn sample(stage: &Stage, services: usize) -> Result<Sample> {
    let uri = stage.broker.uri();
    let begun = Instant::now();
    let (server, _) = Role::Services { count: services, uri: uri.to_owned(), workers: stage.workers }.start()?;
    let start = begun.elapsed().as_secs_f64() * 1e3;
    let idle = mebibytes(usage::resident(server.pid())?);
    let called = Caller::Services(services).call(uri, IN_FLIGHT, Extent::Time(stage.time))?;
    drop(server);
    let queues: Vec<String> = MANY[..services].iter().flat_map(|service| by_guirpc::queues(service)).collect();
    by_amiquip::delete(uri, &queues)?;
    Ok(Sample { services, start, idle, rate: called.rate })
}
