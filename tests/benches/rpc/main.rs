//! How fast calls are, beside the same calls written by hand: `cargo bench -p guirpc-benches --bench rpc`.
//!
//! Every contestant adds two numbers over the same broker (but one, which shows the embedded one), in the same run, with the same guarantees: manual acknowledgement after the reply, direct reply-to, `TCP_NODELAY`, as many requests prefetched.
//! The hand-written ones send the same frames and do nothing else, so they are the ceiling that a framework can reach.
//! Where one thread calls, be it with one call in flight or with 256, the client by hand on amiquip has no other: it publishes, reads the replies and matches them itself.
//! Machines and brokers differ, so only the ratios mean anything; the rounds are interleaved so that whatever else the machine does strikes everyone alike.
//!
//! Each server is a child process of this one (the hidden flag `--be`); the client runs here, or in a child where its memory is measured.

mod broker;
mod by_amiquip;
mod by_guirpc;
mod by_lapin;
mod by_rust_stream;
mod calls;
mod child;
mod contestant;
mod figures;
mod load;
mod message;
mod role;
mod scale;
mod stage;
mod sweep;
mod tasks;
mod usage;
mod waiting;

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, ValueEnum};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use broker::Broker;
use contestant::Contestant;
use role::Role;
use stage::Stage;

/// Compares guirpc with echoes written by hand and with RustStream, and prints Markdown tables.
#[derive(Parser)]
struct Options {
    /// What to measure.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Suite::Calls, Suite::Waiting, Suite::Sweep, Suite::Scale])]
    suite: Vec<Suite>,

    /// Draw the suite `sweep` into this file, as SVG.
    #[arg(long)]
    plot: Option<PathBuf>,

    /// The broker to measure on; without it a private RabbitMQ is started.
    #[arg(long)]
    uri: Option<String>,

    /// How often every contestant meets every load; 7 in the suite `calls`, 3 in the others, or 1 without `cargo bench`.
    #[arg(long)]
    rounds: Option<usize>,

    /// How long each of these lasts; 1, or 0.2 without `cargo bench`.
    #[arg(long)]
    seconds: Option<f64>,

    /// Worker threads of the contestants that have workers.
    #[arg(long, default_value_t = 4)]
    workers: usize,

    /// Measure only these.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Contestant::ALL)]
    only: Vec<Contestant>,

    /// Be a child process, until standard input ends.
    #[arg(long, hide = true)]
    be: Option<Role>,

    /// Cargo says so when it benchmarks; without it (`cargo test --benches`) one short round shows that everything works.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A set of measurements.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// Quick calls, from one caller to 256, by everybody: calls per second, latency, CPU and memory.
    Calls,
    /// A thousand calls at once of a function that waits 100 ms.
    Waiting,
    /// Calls per second and latency from 1 call in flight to 1024.
    Sweep,
    /// Bodies of 1 MiB, 10,000 calls in flight, 100 services in a program, 1,000 connections to a server.
    Scale,
}

impl Suite {
    /// Of whom it needs one, if not anybody.
    fn contestants(self) -> Option<&'static [Contestant]> {
        match self {
            Suite::Calls => None,
            Suite::Sweep => Some(&Contestant::SWEPT),
            Suite::Waiting | Suite::Scale => Some(&Contestant::CONCURRENT),
        }
    }
}

impl Options {
    fn stage(&self) -> Result<Stage> {
        let seconds = self.seconds.unwrap_or(if self.bench { 1.0 } else { 0.2 });
        ensure!(self.rounds != Some(0), "`--rounds` must be at least 1");
        ensure!(self.workers > 0, "`--workers` must be at least 1");
        let is_there = |of: &[Contestant]| self.only.iter().any(|it| of.contains(it));
        ensure!(
            self.suite.iter().all(|suite| suite.contestants().is_none_or(is_there)),
            "`--only` leaves nobody to the suites other than `calls`: add lapin, rust-stream or guirpc, or say `--suite calls`"
        );
        Ok(Stage {
            broker: self.uri.as_deref().map_or_else(Broker::private, |uri| Ok(Broker::named(uri)))?,
            embedded: Broker::embedded()?,
            contestants: self.only.clone(),
            rounds: self.rounds.or(if self.bench { None } else { Some(1) }),
            time: Duration::try_from_secs_f64(seconds).context("`--seconds` is no duration")?,
            workers: self.workers,
        })
    }

    /// Has an error come before the measurements rather than after them.
    fn check_plot(&self) -> Result<()> {
        let Some(file) = &self.plot else {
            return Ok(());
        };
        ensure!(self.suite.contains(&Suite::Sweep), "`--plot` draws the suite `sweep`, which `--suite` leaves out");
        OpenOptions::new().append(true).create(true).open(file).with_context(|| format!("write {}", file.display()))?;
        Ok(())
    }

    fn measure(&self) -> Result<()> {
        self.check_plot()?;
        let stage = self.stage()?;
        for &suite in &self.suite {
            match suite {
                Suite::Calls => {
                    let outcome = calls::measure(&stage)?;
                    print!("{}", calls::Report { stage: &stage, outcome: &outcome });
                }
                Suite::Waiting => print!("{}", waiting::measure(&stage)?),
                Suite::Sweep => {
                    let report = sweep::measure(&stage)?;
                    print!("{report}");
                    // Drawn whether or not it is asked for: a short round shows that this works, too.
                    let plot = report.plot()?;
                    if let Some(file) = &self.plot {
                        fs::write(file, plot).with_context(|| format!("write {}", file.display()))?;
                    }
                }
                Suite::Scale => print!("{}", scale::measure(&stage)?),
            }
        }
        Ok(())
    }
}

/// A thousand connections are as many files, in this process and in those that it starts.
fn allow_many_files() -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).context("raise the limit of open files")
}

fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(role) = options.be {
        return role.play();
    }
    allow_many_files()?;
    options.measure()
}
