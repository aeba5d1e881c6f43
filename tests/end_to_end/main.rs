//! Everything end to end, against a real broker.
//!
//! `scripts/test` runs these with RabbitMQ; without it they are shown as ignored.

mod broker;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::main(broker::cases())
}
