//! Everything end to end, on both brokers from the same body.
//!
//! On the embedded broker they run anywhere; `scripts/test` runs them with RabbitMQ as well,
//! and without it those are shown as ignored.

mod asynchronous;
mod broker;
mod certificates;
mod coalesced;
mod coalescing;
mod configured;
mod connections;
mod control;
mod crashes;
mod dead_letters;
mod dead_log;
mod embedded_faults;
mod embedded_limits;
mod equipped;
mod exchanges;
mod faults;
mod functions;
mod hostile;
mod lanes;
mod limits;
mod load;
mod metrics;
mod outcomes;
mod permissions;
mod python;
mod queues;
mod raw;
mod recovery;
mod redelivery;
mod refusals;
mod requests;
mod retries;
mod service;
mod several;
mod start;
mod stopping;
mod tasks;
mod tls;
mod traces;
#[path = "../workload/functions.rs"]
mod workload;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cases = [
        asynchronous::cases(),
        broker::cases(),
        coalescing::cases(),
        functions::cases(),
        outcomes::cases(),
        load::cases(),
        coalesced::cases(),
        start::cases(),
        stopping::cases(),
        tasks::cases(),
        connections::cases(),
        crashes::cases(),
        hostile::cases(),
        dead_letters::cases(),
        dead_log::cases(),
        python::cases(),
        faults::cases(),
        embedded_faults::cases(),
        embedded_limits::cases(),
        equipped::cases(),
        limits::cases(),
        refusals::cases(),
        permissions::cases(),
        exchanges::cases(),
        requests::cases(),
        retries::cases(),
        configured::cases(),
        control::cases(),
        lanes::cases(),
        metrics::cases(),
        queues::cases(),
        recovery::cases(),
        redelivery::cases(),
        several::cases(),
        tls::cases(),
        traces::cases(),
    ];
    harness::main_twice(cases.into_iter().flatten())
}
