//! Everything end to end, on both brokers from the same body.
//!
//! On the embedded broker they run anywhere; `scripts/test` runs them with RabbitMQ as well,
//! and without it those are shown as ignored.

mod broker;
mod configured;
mod connections;
mod embedded_faults;
mod embedded_limits;
mod exchanges;
mod faults;
mod functions;
mod load;
mod outcomes;
mod python;
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
        python::cases(),
        faults::cases(),
        embedded_faults::cases(),
        embedded_limits::cases(),
        exchanges::cases(),
        configured::cases(),
    ];
    harness::main(cases.into_iter().flatten())
}
