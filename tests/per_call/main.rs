//! What a call costs, counted on both of its sides: allocations, their bytes, and threads that have to be woken.
//!
//! How long a call takes differs from machine to machine and from moment to moment; this hardly does.
//! Each side is a process of its own, so that neither the other nor the embedded broker is counted with it.

mod costs;

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Broker, Case, Program};

use crate::costs::{Cost, Costs};

/// The most that a call may cost: what it costs today, plus a few percent. Lower them with the cost.
///
/// Waits vary with the load of the machine; one more for each call still shows. What an idle side does in a second is
/// little, and a buffer that happens to grow in it shows.
const LIMITS: Costs = Costs {
    sequential: [
        Cost { allocations: 64.5, bytes: 5_050.0, waits: 5.5 },
        Cost { allocations: 74.0, bytes: 8_300.0, waits: 5.5 },
    ],
    pipelined: [
        Cost { allocations: 63.0, bytes: 4_850.0, waits: 0.9 },
        Cost { allocations: 68.0, bytes: 6_700.0, waits: 1.2 },
    ],
    idle: [
        Cost { allocations: 60.0, bytes: 20_000.0, waits: 8.0 },
        Cost { allocations: 300.0, bytes: 60_000.0, waits: 60.0 },
    ],
};

const LONG: Duration = Duration::from_mins(5);

fn main() -> ExitCode {
    harness::main_in_turn([Case::shared("costs_of_a_call", costs_of_a_call)])
}

fn costs_of_a_call(broker: &dyn Broker) -> Result<()> {
    let start = |program: &str| Program::start(Command::new(program).env("AMQP_URI", broker.uri()));
    let service = start(env!("CARGO_BIN_EXE_per-call-service"))?;
    service.wait_for_log("serving", LONG)?;
    let client = start(env!("CARGO_BIN_EXE_per-call-client"))?;
    let line = client.wait_for_line("costs ", LONG)?;
    let costs: Costs = serde_json::from_str(line.strip_prefix("costs ").context("that begins it")?)?;
    let all = |costs: Costs| costs.sequential.into_iter().chain(costs.pipelined).chain(costs.idle);
    let within = |(cost, limit): (Cost, Cost)| {
        cost.allocations <= limit.allocations && cost.bytes <= limit.bytes && cost.waits <= limit.waits
    };
    ensure!(all(costs).zip(all(LIMITS)).all(within), "a call costs {costs:?}\nmore than {LIMITS:?}");
    Ok(())
}
