//! How fast calls are, beside the same calls written by hand: `cargo bench -p guirpc-tests --bench rpc`.
//!
//! Every contestant adds two numbers over the same broker (but one, which shows the embedded one), in the same run, with the same frames and the same guarantees: manual acknowledgement after the reply, direct reply-to, `TCP_NODELAY`.
//! The hand-written ones do nothing else, so they are the ceiling that a framework can reach.
//! Where one thread calls, be it with one call in flight or with 256, the client by hand on amiquip has no other: it publishes, reads the replies and matches them itself.
//! Machines and brokers differ, so only the ratios mean anything; the rounds are interleaved so that whatever else the machine does strikes everyone alike.
//!
//! Each server is a child process of this one (the hidden flag `--serve`); the client runs here.

mod broker;
mod by_amiquip;
mod by_guirpc;
mod by_lapin;
mod child;
mod contestant;
mod load;
mod message;
mod report;
mod rounds;
mod usage;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;

use broker::Broker;
use contestant::Contestant;
use rounds::Plan;

/// Compares guirpc with echoes written by hand, and prints Markdown tables.
#[derive(Parser)]
struct Options {
    /// The broker to measure on; without it a private RabbitMQ is started.
    #[arg(long)]
    uri: Option<String>,

    /// How often every contestant meets every load; 7, or 1 without `cargo bench`.
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

    /// Be the embedded broker until standard input ends.
    #[arg(long, hide = true)]
    be_broker: bool,

    /// Be the server of one contestant until standard input ends.
    #[arg(long, value_enum, hide = true)]
    serve: Option<Contestant>,

    /// Cargo says so when it benchmarks; without it (`cargo test --benches`) one short round shows that everything works.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    fn plan(&self, broker: Broker) -> Result<Plan> {
        let (rounds, seconds) = if self.bench { (7, 1.0) } else { (1, 0.2) };
        let seconds = self.seconds.unwrap_or(seconds);
        let rounds = self.rounds.unwrap_or(rounds);
        ensure!(rounds > 0, "`--rounds` must be at least 1");
        ensure!(self.workers > 0, "`--workers` must be at least 1");
        Ok(Plan {
            broker,
            embedded: Broker::embedded()?,
            contestants: self.only.clone(),
            rounds,
            time: Duration::try_from_secs_f64(seconds).context("`--seconds` is no duration")?,
            workers: self.workers,
        })
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    if options.be_broker {
        child::leave_with_parent();
        return broker::be();
    }
    if let Some(contestant) = options.serve {
        let uri = options.uri.context("`--serve` needs `--uri`")?;
        child::leave_with_parent();
        return contestant.serve(&uri, options.workers);
    }
    let broker = options.uri.as_deref().map_or_else(Broker::private, |uri| Ok(Broker::named(uri)))?;
    let outcome = options.plan(broker)?.run()?;
    print!("{}", report::Report(&outcome));
    Ok(())
}
