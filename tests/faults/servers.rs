//! Faults of servers, and what is none: leaving, being replaced, taking long.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use guirpc::{Client, Pending};
use harness::{Broker, Case, Effect, ExecutionLog, Runs, eventually};

use crate::fault::{Fault, HEARTBEATS};
use crate::fleet::{LONG, Version, WORKERS};
use crate::function::Function;
use crate::load::{Step, Volume};
use crate::stage::{Plan, Stage, USUAL};

const KILLED: Plan = Plan {
    name: "servers::killed",
    fault: "one of two servers is killed (`kill -9`) in the middle of functions",
    may: &[Effect::RunAgain],
    ..USUAL
};

const LEAVES: Plan =
    Plan { name: "servers::leaves", fault: "one of two servers shuts down gracefully (SIGTERM)", ..USUAL };

const REPLACED: Plan = Plan {
    name: "servers::replaced_fifty_times",
    fault: "servers are replaced one after another, fifty times",
    ..USUAL
};

const TAKES_LONG: Plan = Plan {
    name: "servers::take_long",
    fault: "a function takes three heartbeats, on every worker at once",
    servers: 1,
    heartbeat: 4,
    ..USUAL
};

const UPGRADED: Plan = Plan {
    name: "servers::upgraded",
    fault: "servers are upgraded to an added optional argument, and back, while old and new callers call",
    volume: Volume {
        mix: &[
            Step::Call(Function::Greet),
            Step::Call(Function::GreetNext),
            Step::Start(Function::Greet),
            Step::Await(Function::GreetNext),
            Step::Send(Function::Greet),
            Step::Send(Function::GreetNext),
        ],
        ..USUAL.volume
    },
    ..USUAL
};

const DOWNGRADED: Plan = Plan {
    name: "servers::downgraded",
    fault: "servers are killed (`kill -9`) beside one that lacks a function, then beside one that takes smaller requests only",
    may: &[Effect::FailedNotRun, Effect::FailedMayHaveRun, Effect::RunAgain],
    ..USUAL
};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared(KILLED.name, killed),
        Case::shared(LEAVES.name, leaves),
        Case::shared(REPLACED.name, replaced),
        Case::shared(TAKES_LONG.name, take_long),
        Case::shared(UPGRADED.name, upgraded),
        Case::shared(DOWNGRADED.name, downgraded),
    ]
}

/// A call that is not the load's.
struct Extra {
    id: u64,
    function: Function,
    begun: Instant,
    call: Pending<u64, guirpc::Fault>,
}

/// Starts so many calls of a function that takes so long.
fn start(stage: &Stage, client: &Client, count: u64, duration: Duration) -> anyhow::Result<Vec<Extra>> {
    let function = Function::Slow(u64::try_from(duration.as_millis())?);
    let first = stage.reserve(count);
    (first..first + count)
        .map(|id| Ok(Extra { id, function, begun: Instant::now(), call: function.start(client, id)? }))
        .collect()
}

/// Waits for all of them, and enters them.
fn wait_for(stage: &mut Stage, calls: Vec<Extra>) {
    for Extra { id, function, begun, call } in calls {
        let outcome = function.outcome(id, call.wait());
        stage.enter(function, true, id, begun, outcome);
    }
}

/// Waits until these runs satisfy the condition.
fn until_runs(stage: &Stage, condition: impl Fn(&Runs) -> bool) -> anyhow::Result<()> {
    eventually(LONG, || Ok(condition(&ExecutionLog::read(stage.log())?)))
}

fn killed(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut stage = Stage::set(KILLED, broker)?;
    let client = Client::connect(broker.uri())?.with_timeout(stage.plan().volume.timeout);
    let calls = start(&stage, &client, 4 * WORKERS, Duration::from_millis(300))?;
    let doomed = stage.fleet.servers()[0].program.id();
    let begun = |runs: &Runs| {
        calls.iter().filter_map(|call| runs.get(&call.id)).flatten().filter(|run| run.process == doomed).count()
    };
    until_runs(&stage, |runs| begun(runs) > 0)?;
    stage.fleet.kill_oldest()?;
    stage.recover()?;
    wait_for(&mut stage, calls);
    stage.finish(broker)
}

fn leaves(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut stage = Stage::set(LEAVES, broker)?;
    stage.fleet.dismiss_oldest()?;
    stage.recover()?;
    stage.finish(broker)
}

fn replaced(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut stage = Stage::set(REPLACED, broker)?;
    for _ in 0..50 {
        Fault::ServerReplaced.strike(&mut stage, broker)?;
    }
    stage.recover()?;
    stage.finish(broker)
}

/// With the usual load beside it, which waits meanwhile.
fn take_long(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut stage = Stage::set(TAKES_LONG, broker)?;
    let client = Client::connect(broker.uri())?.with_timeout(stage.plan().volume.timeout);
    let duration = HEARTBEATS * Duration::from_secs(TAKES_LONG.heartbeat.into());
    let calls = start(&stage, &client, WORKERS, duration)?;
    let all_begun = |runs: &Runs| calls.iter().all(|call| runs.contains_key(&call.id));
    until_runs(&stage, all_begun).context("not every worker has begun")?;
    wait_for(&mut stage, calls);
    stage.recover()?;
    let server = &stage.fleet.servers()[0].program;
    let lost = server.stderr().into_iter().find(|line| line.contains("lost") || line.contains("again"));
    ensure!(lost.is_none(), "the server has lost its connection: {lost:?}");
    stage.finish(broker)
}

fn downgraded(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut stage = Stage::set(DOWNGRADED, broker)?;
    let client = Client::connect(broker.uri())?.with_timeout(stage.plan().volume.timeout);
    for version in [Version::Older, Version::Smaller] {
        let calls = start(&stage, &client, 4 * WORKERS, Duration::from_millis(300))?;
        until_runs(&stage, |runs| calls.iter().any(|call| runs.contains_key(&call.id)))?;
        Fault::ServerDowngraded(version).strike(&mut stage, broker)?;
        stage.recover()?;
        wait_for(&mut stage, calls);
    }
    stage.finish(broker)
}

fn upgraded(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut stage = Stage::set(UPGRADED, broker)?;
    for version in [Version::Next, Version::Next, Version::Present, Version::Present] {
        stage.fleet.add(version)?;
        stage.fleet.dismiss_oldest()?;
        stage.run_on()?;
        let newest = stage.fleet.servers().last().map(|server| server.program.id());
        until_runs(&stage, |runs| runs.values().flatten().any(|run| Some(run.process) == newest))?;
    }
    stage.recover()?;
    stage.finish(broker)
}
