//! Promises that somebody breaks on purpose: each is kept, on both brokers, and each attack is bounded in time.
//!
//! Each case demands what an honest caller sees meanwhile.

mod broker;
mod embedded;
mod liar;
mod logs;
mod memory;
mod poison;
mod secrets;
#[path = "../end_to_end/service.rs"]
mod service;
mod strangers;
mod uncertain_no;
#[path = "../workload/functions.rs"]
#[allow(dead_code, reason = "its other functions are called end to end")]
mod workload;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cases = [
        broker::cases(),
        embedded::cases(),
        logs::cases(),
        memory::cases(),
        poison::cases(),
        secrets::cases(),
        strangers::cases(),
        uncertain_no::cases(),
    ];
    harness::main(cases.into_iter().flatten())
}
