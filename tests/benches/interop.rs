//! How fast a producer in Python is served, here and by the original: `cargo bench -p guirpc-benches --bench interop`.
//!
//! The producers are the original's own, and most of the time is theirs: they open a channel and a queue for every call.
//! Both servers meet the same load on the same RabbitMQ in the same run, in turns, so that whatever else the machine
//! does strikes both alike; only the ratios mean anything elsewhere.

#[path = "../interop/foobar.rs"]
mod foobar;
#[path = "../interop/python.rs"]
mod python;

use anyhow::{Context, Result, bail};
use harness::{Broker, RabbitMq};

use crate::python::Consumer;

const ROUNDS: usize = 7;
/// What the suite is asked to do, and how it is called in the table.
const LOADS: [(&str, &[&str]); 2] = [
    ("1 producer", &["--only", "sequential_calls", "--sequential", "300"]),
    ("8 producers", &["--only", "parallel_producers", "--parallel", "8", "--each", "100"]),
];

fn main() -> Result<()> {
    if let Some(missing) = python::missing() {
        bail!("{missing}");
    }
    let node = RabbitMq::start()?;
    println!("Calls per second of the original's producer, medians of {ROUNDS} interleaved rounds:\n");
    println!("| load | original | guirpc | guirpc to original, in each round |");
    println!("|---|--:|--:|---|");
    for (load, options) in LOADS {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push((
                by_the_original(&node.in_fresh_vhost()?, options)?,
                by_guirpc(&node.in_fresh_vhost()?, options)?,
            ));
        }
        let (original, guirpc): (Vec<f64>, Vec<f64>) = rounds.iter().copied().unzip();
        let ratios: Vec<String> = rounds.iter().map(|(original, guirpc)| format!("{:.2}", guirpc / original)).collect();
        println!("| {load} | {:.0} | {:.0} | {} |", median(original), median(guirpc), ratios.join(" "));
    }
    Ok(())
}

fn by_the_original(broker: &dyn Broker, options: &[&str]) -> Result<f64> {
    let _consumer = Consumer::start(broker)?;
    calls_per_second(&python::suite(broker, options)?)
}

fn by_guirpc(broker: &dyn Broker, options: &[&str]) -> Result<f64> {
    let _server = foobar::serve(broker)?;
    calls_per_second(&python::suite(broker, options)?)
}

/// The figures of all producers, added up: each says its own as `'per_s': 123.4`.
fn calls_per_second(lines: &[String]) -> Result<f64> {
    let figures = lines.iter().flat_map(|line| line.split("'per_s': ").skip(1));
    let figures = figures.map(|rest| Ok(rest.split(',').next().context("a figure ends")?.parse::<f64>()?));
    figures.sum()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
