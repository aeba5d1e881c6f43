//! What becomes of requests when something breaks under load: each is counted, and none is lost.
//!
//! Every case runs servers in processes of their own and a load in this one, injects its fault, and then compares
//! the outcomes that callers got with what has run.
//! `scripts/soak` injects faults at random instead, for as long as one likes.
//! With `GUIRPC_UPDATE=1` the rows of the cases that have run are replaced in `guirpc/src/faults.md`.

mod broker;
mod clients;
mod cluster;
mod dead_letters;
mod fault;
mod fleet;
mod function;
mod functions;
mod letters;
mod load;
mod network;
mod report;
mod servers;
mod soak;
mod stage;
mod strangers;
mod usage;

use std::env;
use std::process::ExitCode;

use harness::Case;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    clients::doomed()?;
    if let Some(soak) = soak::wanted()? {
        soak.run()?;
        return Ok(ExitCode::SUCCESS);
    }
    let cases = [
        broker::cases(),
        network::cases(),
        servers::cases(),
        clients::cases(),
        dead_letters::cases(),
        strangers::cases(),
        cluster::cases(),
    ];
    let cases: Vec<Case> = cases.into_iter().flatten().collect();
    let names: Vec<&'static str> = cases.iter().map(Case::name).collect();
    // Each brings the machine to its limits by itself.
    let code = harness::main_twice_in_turn(cases);
    usage::wait_for_threads()?;
    if env::var_os("GUIRPC_UPDATE").is_some_and(|value| value == "1") {
        report::write(&names)?;
    }
    report::check(&names)?;
    Ok(code)
}
