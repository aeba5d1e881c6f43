//! Promises that were broken on purpose, each attacked again: by strangers, by broken brokers, by poison.
//!
//! As in `end_to_end`, a case runs on the embedded broker and on RabbitMQ, if what it does can be done to both.

mod poison;
#[path = "../end_to_end/service.rs"]
mod service;
mod uncertain_no;
#[path = "../workload/functions.rs"]
mod workload;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cases = [poison::cases(), uncertain_no::cases()];
    harness::main(cases.into_iter().flatten())
}
