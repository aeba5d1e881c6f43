//! What was measured, as Markdown.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::contestant::Contestant;
use crate::load::Load;
use crate::message::{SLOW, TIMEOUT};
use crate::rounds::{Outcome, Sample};

/// The tables of a run.
pub(crate) struct Report<'a>(pub(crate) &'a Outcome);

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Calls per second: the median of the rounds (smallest to largest). \
             By hand on amiquip, one thread that calls reads its replies itself.\n"
        )?;
        self.by_load(f, |samples| Spread::of(rates(samples)).to_string())?;
        if let Some(&(subject, ref title)) = self.0.contestants.last() {
            writeln!(
                f,
                "\n{title}, divided by each of the others, round by round: the median (smallest to largest). \
                 Of calls per second more is better, of the p50 of the latency less.\n"
            )?;
            self.ratios(f, subject)?;
        }
        writeln!(f, "\nLatency in µs: p50 / p99 of all rounds.\n")?;
        self.by_load(f, latency)?;
        writeln!(f, "\nCPU in µs per call: client / server / broker.\n")?;
        self.by_load(f, cpu_per_call)?;
        writeln!(f, "\nA function that takes {} ms.\n", SLOW.as_millis())?;
        self.slow(f)?;
        writeln!(f, "\nResident memory of the server in MiB: idle, and the peak with {} in any round.\n", Load::CROWD)?;
        self.memory(f)
    }
}

impl Report<'_> {
    /// One row per load, one column per contestant.
    fn by_load(&self, f: &mut Formatter<'_>, cell: impl Fn(&[&Sample]) -> String) -> fmt::Result {
        header(f, "load", self.0.contestants.iter().map(|(_, title)| title.as_str()))?;
        for load in Load::COMPARED {
            let cells = self.0.contestants.iter().map(|(contestant, _)| cell(&self.samples(*contestant, load)));
            row(f, &load.to_string(), cells)?;
        }
        Ok(())
    }

    /// The subject against each of the others, compared within each round, where the machine was the same for both.
    fn ratios(&self, f: &mut Formatter<'_>, subject: Contestant) -> fmt::Result {
        let others = || self.0.contestants.iter().filter(|(contestant, _)| *contestant != subject);
        header(f, "load", others().map(|(_, title)| title.as_str()))?;
        let ratios = |load, measure: fn(&[&Sample]) -> Vec<f64>| {
            let own = measure(&self.samples(subject, load));
            others().map(move |&(other, _)| {
                let others = measure(&self.samples(other, load));
                format!("{:.2}", Spread::of(own.iter().zip(others).map(|(own, other)| own / other).collect()))
            })
        };
        for load in Load::COMPARED {
            row(f, &load.to_string(), ratios(load, rates))?;
        }
        row(f, &format!("p50 of {}", Load::SINGLE), ratios(Load::SINGLE, medians))
    }

    fn samples(&self, contestant: Contestant, load: Load) -> Vec<&Sample> {
        self.0.samples.iter().filter(|it| it.contestant == contestant && it.load == load).collect()
    }

    fn slow(&self, f: &mut Formatter<'_>) -> fmt::Result {
        header(f, "server", ["at once", "calls per second", "of the possible"])?;
        for slow in &self.0.slow {
            let share = format!("{:.2}", slow.rate / slow.possible());
            row(f, self.title(slow.contestant), [slow.parallel.to_string(), format!("{:.1}", slow.rate), share])?;
        }
        Ok(())
    }

    fn title(&self, contestant: Contestant) -> &str {
        let mut contestants = self.0.contestants.iter();
        contestants.find(|(it, _)| *it == contestant).map_or("", |(_, title)| title)
    }

    fn memory(&self, f: &mut Formatter<'_>) -> fmt::Result {
        header(f, "server", ["idle", "peak"])?;
        for ((contestant, title), idle) in self.0.contestants.iter().zip(&self.0.idle_memory) {
            let peaks = self.samples(*contestant, Load::CROWD).into_iter().map(|sample| sample.peak_memory);
            row(f, title, [*idle, peaks.max().unwrap_or_default()].map(|bytes| format!("{:.1}", mebibytes(bytes))))?;
        }
        Ok(())
    }
}

/// A median, and what it is the median of: one value per round.
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        Self { median: f64::midpoint(at(last / 2), at(last.div_ceil(2))), min: at(0), max: at(last) }
    }
}

impl Display for Spread {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let precision = f.precision().unwrap_or(0);
        write!(f, "{:.precision$} ({:.precision$} to {:.precision$})", self.median, self.min, self.max)
    }
}

/// Calls per second, in the order of the rounds.
fn rates(samples: &[&Sample]) -> Vec<f64> {
    samples.iter().map(|sample| sample.tally.rate()).collect()
}

/// The p50 of the latencies in seconds, in the order of the rounds.
fn medians(samples: &[&Sample]) -> Vec<f64> {
    let seconds = |sample: &&Sample| sample.tally.latencies.iter().map(Duration::as_secs_f64).collect();
    samples.iter().map(|sample| Spread::of(seconds(sample)).median).collect()
}

fn latency(samples: &[&Sample]) -> String {
    let longest = u64::try_from(TIMEOUT.as_micros()).unwrap_or(u64::MAX);
    let mut histogram = Histogram::<u64>::new_with_max(longest, 3).expect("three digits of ten seconds are possible");
    for latency in samples.iter().flat_map(|sample| &sample.tally.latencies) {
        histogram.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }
    format!("{} / {}", histogram.value_at_quantile(0.5), histogram.value_at_quantile(0.99))
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

#[expect(clippy::cast_precision_loss, reason = "no process is that large")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn header<'a>(f: &mut Formatter<'_>, first: &str, rest: impl IntoIterator<Item = &'a str>) -> fmt::Result {
    let rest: Vec<_> = rest.into_iter().collect();
    writeln!(f, "| {first} | {} |", rest.join(" | "))?;
    writeln!(f, "|---|{}", "--:|".repeat(rest.len()))
}

fn row(f: &mut Formatter<'_>, first: &str, rest: impl IntoIterator<Item = String>) -> fmt::Result {
    let rest: Vec<_> = rest.into_iter().collect();
    writeln!(f, "| {first} | {} |", rest.join(" | "))
}
