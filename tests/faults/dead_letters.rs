//! Failing sends and poison messages: each becomes one dead letter, and takes no other request with it.

use std::time::Instant;

use anyhow::{Context, ensure};
use guirpc::Client;
use harness::{Broker, Case, Effect, ExecutionLog, Outcome, Program, eventually};

use crate::fault::Fault;
use crate::fleet::{LONG, Version};
use crate::function::{self, Function};
use crate::letters::{self, Letter};
use crate::load::{Step, Volume};
use crate::stage::{CONNECTIONS_LOST, MIX, Plan, Stage, USUAL};

/// Something that takes long enough for others to end its process.
const NEIGHBOUR: Function = Function::Slow(200);
/// How often a request is delivered unless a setting says otherwise.
const MAX_DELIVERIES: usize = 5;

const FAILING: Plan = Plan {
    name: "dead_letters::failing",
    fault: "sends to a function that fails, while an operator closes all connections",
    volume: Volume {
        mix: &[
            Step::Send(Function::Failing),
            Step::Send(Function::Quick),
            Step::Call(Function::Quick),
            Step::Call(Function::Repeatable),
        ],
        ..USUAL.volume
    },
    may: CONNECTIONS_LOST,
    ..USUAL
};

const ABORTING: Plan = Plan {
    name: "dead_letters::aborting",
    fault: "a request ends the process of every server that runs it",
    volume: Volume { mix: MIX, ..USUAL.volume },
    may: &[Effect::RunAgain],
    ..USUAL
};

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::shared(FAILING.name, failing), Case::shared(ABORTING.name, aborting)]
}

fn failing(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut stage = Stage::set(FAILING, broker)?;
    Fault::ConnectionsClosed.strike(&mut stage, broker)?;
    stage.recover()?;
    stage.finish(broker)
}

/// Two servers bear the load and the request; each that it kills is replaced.
fn aborting(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut stage = Stage::set(ABORTING, broker)?;
    let client = Client::connect(broker.uri())?;
    let (first, begun) = (stage.reserve(3), Instant::now());
    let id = first + 1;
    // The others are under way when it ends their process, and again when they are delivered again beside it.
    for (id, function) in (first..).zip([NEIGHBOUR, Function::Aborting, NEIGHBOUR]) {
        let sent = function.send(&client, id);
        let outcome = sent.map_or_else(|error| function::failure(&error), |()| Outcome::Answered);
        stage.enter(function, false, id, begun, outcome);
    }
    let log = stage.log();
    let deaths = || anyhow::Ok(ExecutionLog::read(&log)?.get(&id).map_or(0, Vec::len));
    let is_dead = || Ok(broker.queue(&letters::queue())?.is_some_and(|queue| queue.messages > 0));
    let mut replacements: Vec<Program> = vec![];
    eventually(LONG, || {
        let dead = deaths()?;
        ensure!(dead <= MAX_DELIVERIES, "it has ended {dead} processes, and is delivered again and again");
        while replacements.len() < dead {
            replacements.push(stage.fleet.launch(Version::Present)?);
        }
        is_dead()
    })
    .context("it is not in the dead-letter queue")?;
    stage.recover()?;
    let letters: Vec<Letter> = letters::read(broker)?.into_iter().collect();
    let runs = ExecutionLog::read(&log)?;
    let ran: Vec<_> = letters.iter().map(|letter| (letter, runs.get(&letter.id))).collect();
    ensure!(letters == [Letter { id, reason: "crashed".to_owned() }], "not only {id} is dead: {ran:#?}");
    ensure!(deaths()? == MAX_DELIVERIES, "it has ended {} processes", deaths()?);
    stage.finish(broker)
}
