//! The client whose calls are counted, in a process of its own; writes what a call costs, as JSON.
//!
//! With arguments, `CALLS WINDOW`, it only calls, so many times with so many in flight: `scripts/instructions` counts.

mod costs;
mod counters;
mod functions;

use std::collections::VecDeque;
use std::env;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use guirpc::Client;

use crate::costs::{Cost, Costs};
use crate::counters::Counters;

/// Enough that what happens every second hardly shows.
const CALLS: u16 = 500;
/// Something else may keep the machine busy in some of them; the calmest counts.
const ROUNDS: usize = 6;
/// Calls in flight at once, where they are pipelined.
const WINDOW: usize = 256;
const IDLE: Duration = Duration::from_secs(2);

fn main() -> Result<()> {
    let client = Client::connect(&env::var("AMQP_URI").context("no AMQP_URI")?)?;
    let arguments = env::args().skip(1).map(|argument| argument.parse()).collect::<Result<Vec<u16>, _>>()?;
    if let [calls, window] = *arguments {
        return call(&client, window.into(), calls);
    }
    // Until buffers have the size that they keep.
    call(&client, WINDOW, CALLS)?;
    let per_call = |window| calmest(|| measure(&client, CALLS.into(), || call(&client, window, CALLS)));
    let (sequential, pipelined) = (per_call(1)?, per_call(WINDOW)?);
    let idle = measure(&client, IDLE.as_secs_f64(), || {
        thread::sleep(IDLE);
        Ok(())
    })?;
    println!("costs {}", serde_json::to_string(&Costs { sequential, pipelined, idle })?);
    Ok(())
}

/// Makes so many calls, with so many of them in flight, all from this thread.
fn call(client: &Client, window: usize, calls: u16) -> Result<()> {
    let mut pending = VecDeque::with_capacity(window);
    let mut numbers = 0..i64::from(calls);
    loop {
        while pending.len() < window
            && let Some(number) = numbers.next()
        {
            pending.push_back((number, functions::add::start(client, number, 1)?));
        }
        let Some((number, sum)) = pending.pop_front() else { return Ok(()) };
        ensure!(sum.wait()? == number + 1, "a wrong sum");
    }
}

/// What both sides count while something happens, the client and the server, for each of so many.
fn measure(client: &Client, number: f64, happens: impl FnOnce() -> Result<()>) -> Result<[Cost; 2]> {
    let server = functions::counters::call(client)?;
    let own = Counters::now()?;
    happens()?;
    let own = [own, Counters::now()?];
    Ok([own, [server, functions::counters::call(client)?]].map(|[before, after]| {
        #[expect(clippy::cast_precision_loss, reason = "nothing is counted up to 2^52")]
        let mean = |before: usize, after: usize| after.saturating_sub(before) as f64 / number;
        Cost {
            allocations: mean(before.allocations, after.allocations),
            bytes: mean(before.bytes, after.bytes),
            waits: mean(before.waits, after.waits),
        }
    }))
}

/// The least of each cost in several rounds.
fn calmest(round: impl Fn() -> Result<[Cost; 2]>) -> Result<[Cost; 2]> {
    let mut least = round()?;
    for _ in 1..ROUNDS {
        for (least, cost) in least.iter_mut().zip(round()?) {
            least.allocations = least.allocations.min(cost.allocations);
            least.bytes = least.bytes.min(cost.bytes);
            least.waits = least.waits.min(cost.waits);
        }
    }
    Ok(least)
}
