//! What was measured, as Markdown.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::Outcome;
use crate::contestant::Contestant;
use crate::figures::{Spread, Table, most_mebibytes, percentile};
use crate::load::Load;
use crate::message::SLOW;
use crate::stage::{Sample, Stage};

/// The tables of the suite.
pub(crate) struct Report<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) outcome: &'a Outcome,
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Calls per second: the median of the rounds (smallest to largest). \
             By hand on amiquip, one thread that calls reads its replies itself.\n"
        )?;
        writeln!(f, "{}", self.by_load(|samples| Spread::of(rates(samples)).to_string()))?;
        if let Some(&subject) = self.stage.contestants.last() {
            writeln!(
                f,
                "{}, divided by each of the others, round by round: the median (smallest to largest). \
                 Of calls per second more is better, of the p50 of the latency less.\n",
                self.stage.title(subject)
            )?;
            writeln!(f, "{}", self.ratios(subject))?;
        }
        writeln!(f, "Latency in µs: p50 / p99 of all rounds.\n\n{}", self.by_load(latency))?;
        writeln!(f, "CPU in µs per call: client / server / broker.\n\n{}", self.by_load(cpu_per_call))?;
        writeln!(f, "A function that takes {} ms.\n\n{}", SLOW.as_millis(), self.slow())?;
        writeln!(f, "Resident memory of the server in MiB: idle, and the peak with {} in any round.\n", Load::CROWD)?;
        writeln!(f, "{}", self.memory())
    }
}

impl Report<'_> {
    /// One row per load, one column per contestant.
    fn by_load(&self, cell: impl Fn(&[&Sample]) -> String) -> Table {
        let contestants = &self.stage.contestants;
        let mut table = Table::new("load", contestants.iter().map(|&contestant| self.stage.title(contestant)));
        for load in Load::COMPARED {
            let cells = contestants.iter().map(|&contestant| cell(&self.samples(contestant, load)));
            table.row(&load.to_string(), cells);
        }
        table
    }

    /// The subject against each of the others, compared within each round, where the machine was the same for both.
    fn ratios(&self, subject: Contestant) -> Table {
        let others = || self.stage.contestants.iter().copied().filter(move |&contestant| contestant != subject);
        let mut table = Table::new("load", others().map(|contestant| self.stage.title(contestant)));
        let ratios = |load, measure: fn(&[&Sample]) -> Vec<f64>| {
            let own = measure(&self.samples(subject, load));
            others().map(move |other| {
                let others = measure(&self.samples(other, load));
                format!("{:.2}", Spread::of(own.iter().zip(others).map(|(own, other)| own / other)))
            })
        };
        for load in Load::COMPARED {
            table.row(&load.to_string(), ratios(load, rates));
        }
        table.row(&format!("p50 of {}", Load::SINGLE), ratios(Load::SINGLE, medians));
        table
    }

    fn samples(&self, contestant: Contestant, load: Load) -> Vec<&Sample> {
        self.outcome.samples.iter().filter(|it| it.contestant == contestant && it.load == load).collect()
    }

    fn slow(&self) -> Table {
        let mut table = Table::new("server", ["at once", "calls per second", "of the possible"]);
        for slow in &self.outcome.slow {
            let share = format!("{:.2}", slow.rate / slow.possible());
            let cells = [slow.parallel.to_string(), format!("{:.1}", slow.rate), share];
            table.row(&self.stage.title(slow.contestant), cells);
        }
        table
    }

    fn memory(&self) -> Table {
        let mut table = Table::new("server", ["idle", "peak"]);
        for &(server, idle) in &self.outcome.idle_memory {
            let crowds = self.outcome.samples.iter().filter(|it| it.load == Load::CROWD);
            let peaks = crowds.filter(|it| it.contestant.server() == server).map(|sample| sample.memory.peak);
            table.row(&self.stage.title(server), [most_mebibytes([idle]), most_mebibytes(peaks)]);
        }
        table
    }
}

/// Calls per second, in the order of the rounds.
fn rates(samples: &[&Sample]) -> Vec<f64> {
    samples.iter().map(|sample| sample.tally.rate()).collect()
}

/// The p50 of the latencies in seconds, in the order of the rounds.
fn medians(samples: &[&Sample]) -> Vec<f64> {
    let seconds = |sample: &&Sample| sample.tally.latencies.iter().map(Duration::as_secs_f64).collect::<Vec<_>>();
    samples.iter().map(|sample| Spread::of(seconds(sample)).median).collect()
}

fn latency(samples: &[&Sample]) -> String {
    let micros = |share| percentile(samples.iter().flat_map(|sample| &sample.tally.latencies), share).as_micros();
    format!("{} / {}", micros(0.5), micros(0.99))
}

fn cpu_per_call(samples: &[&Sample]) -> String {
    let calls: usize = samples.iter().map(|sample| sample.tally.latencies.len()).sum();
    let per_call = |total: Duration| total.as_micros() / calls.max(1) as u128;
    let broker = samples.iter().map(|sample| sample.cpu.broker).sum::<Option<Duration>>();
    format!(
        "{} / {} / {}",
        per_call(samples.iter().map(|sample| sample.cpu.client).sum()),
        per_call(samples.iter().map(|sample| sample.cpu.server).sum()),
        broker.map_or_else(|| "?".to_owned(), |total| per_call(total).to_string()),
    )
}
