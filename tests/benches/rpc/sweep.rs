//! The suite `sweep`: from one call in flight to many, by those that can have many from one thread.

mod plot;

use std::fmt::{self, Display, Formatter};

use anyhow::Result;

use crate::contestant::Contestant;
use crate::figures::{Spread, Table, float, percentile};
use crate::load::Load;
use crate::message::Function;
use crate::stage::{Sample, Stage};
use plot::Line;

const ROUNDS: usize = 3;
/// Calls in flight.
const IN_FLIGHT: [usize; 6] = [1, 4, 16, 64, 256, 1024];

/// What was measured.
pub(crate) struct Report<'a> {
    stage: &'a Stage,
    samples: Vec<Sample>,
}

/// Measures everything.
pub(crate) fn measure(stage: &Stage) -> Result<Report<'_>> {
    let servers = stage.start(stage.among(&Contestant::SWEPT))?;
    let mut samples = Vec::new();
    stage.rounds(ROUNDS, |turns| {
        for in_flight in IN_FLIGHT {
            for contestant in turns.of(&servers.contestants) {
                samples.push(servers.sample(contestant, load(in_flight))?);
            }
        }
        Ok(())
    })?;
    servers.end()?;
    Ok(Report { stage, samples })
}

fn load(in_flight: usize) -> Load {
    Load::in_flight(Function::Add, in_flight)
}

impl Report<'_> {
    fn samples(&self, contestant: Contestant, in_flight: usize) -> impl Iterator<Item = &Sample> + Clone {
        self.samples.iter().filter(move |it| it.contestant == contestant && it.load == load(in_flight))
    }

    /// Calls per second.
    fn rate(&self, contestant: Contestant, in_flight: usize) -> Spread {
        Spread::of(self.samples(contestant, in_flight).map(|sample| sample.tally.rate()))
    }

    /// The p99 of the latency of all rounds, in milliseconds.
    fn p99(&self, contestant: Contestant, in_flight: usize) -> f64 {
        let latencies = self.samples(contestant, in_flight).flat_map(|sample| &sample.tally.latencies);
        percentile(latencies, 0.99).as_secs_f64() * 1e3
    }

    fn table(&self, cell: impl Fn(Contestant, usize) -> String) -> Table {
        let contestants = self.stage.among(&Contestant::SWEPT);
        let mut table = Table::new("in flight", contestants.iter().map(|&contestant| self.stage.title(contestant)));
        for in_flight in IN_FLIGHT {
            table.row(&in_flight.to_string(), contestants.iter().map(|&contestant| cell(contestant, in_flight)));
        }
        table
    }

    /// A drawing of it, as SVG.
    pub(crate) fn plot(&self) -> Result<String> {
        let lines: Vec<Line> = self
            .stage
            .among(&Contestant::SWEPT)
            .into_iter()
            .map(|contestant| Line {
                title: self.stage.title(contestant),
                rates: IN_FLIGHT.map(|in_flight| (float(in_flight), self.rate(contestant, in_flight).median)).to_vec(),
                p99s: IN_FLIGHT.map(|in_flight| (float(in_flight), self.p99(contestant, in_flight))).to_vec(),
            })
            .collect();
        plot::draw(&lines)
    }
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Calls per second by calls in flight from one thread: the median of the rounds (smallest to largest).\n"
        )?;
        writeln!(f, "{}", self.table(|contestant, in_flight| self.rate(contestant, in_flight).to_string()))?;
        writeln!(f, "p99 of the latency of all rounds, in ms.\n")?;
        writeln!(f, "{}", self.table(|contestant, in_flight| format!("{:.2}", self.p99(contestant, in_flight))))
    }
}
