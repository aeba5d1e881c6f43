//! Everything end to end, against a real broker.
//!
//! `scripts/test` runs these with RabbitMQ; without it they are shown as ignored.

mod broker;
mod connections;
mod faults;
mod functions;
mod load;
mod outcomes;
mod raw;
mod service;
mod start;
mod stopping;
#[path = "../workload/functions.rs"]
mod workload;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cases = [
        broker::cases(),
        functions::cases(),
        outcomes::cases(),
        load::cases(),
        start::cases(),
        stopping::cases(),
        connections::cases(),
        faults::cases(),
    ];
    harness::main(cases.into_iter().flatten())
}
