//! What broke when the library was attacked, and holds now: strangers who may publish, on both brokers.
//!
//! Each case takes seconds, and demands what an honest caller sees meanwhile.

mod logs;
mod memory;
#[path = "../end_to_end/service.rs"]
mod service;
mod strangers;
#[path = "../workload/functions.rs"]
#[allow(dead_code, reason = "its other functions are called end to end")]
mod workload;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cases = [strangers::cases(), memory::cases(), logs::cases()];
    harness::main(cases.into_iter().flatten())
}
