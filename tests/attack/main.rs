//! Promises that somebody breaks on purpose: each is kept, and each attack is bounded in time.

mod broker;
mod embedded;
mod liar;
mod secrets;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cases = [broker::cases(), secrets::cases(), embedded::cases()];
    harness::main(cases.into_iter().flatten())
}
