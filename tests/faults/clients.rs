//! Faults of clients, and many of them at once.

use std::collections::BTreeSet;
use std::env;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use guirpc::Client;
use harness::{Broker, Case, Outcome, Program, Proxy, eventually};

use crate::fleet::LONG;
use crate::function::Function;
use crate::functions::SERVICE;
use crate::load::{Step, Volume};
use crate::stage::{CONNECTIONS_LOST, Plan, Proxies, Stage, USUAL};

/// The environment variable that makes this program the client that is killed: a URI, and the number of a request.
const DOOMED: &str = "FAULTS_DOOMED";
/// How many calls it has in flight.
const IN_FLIGHT: u64 = 1000;
/// So that most of them wait for seconds, whatever the machine does meanwhile.
const IN_FLIGHT_CALL: Function = Function::Slow(50);

const KILLED: Plan = Plan {
    name: "clients::killed",
    fault: "a client is killed (`kill -9`) with 1,000 calls in flight",
    // What the servers have fetched does not wait in the queue.
    options: &["--prefetch", "16"],
    ..USUAL
};

/// How many there are when the broker starts again.
const MANY: usize = 200;
/// How long the broker is down: long enough for them to have failed several times.
const OUTAGE: Duration = Duration::from_secs(3);
const WINDOW: Duration = Duration::from_millis(100);

const RECONNECT: Plan = Plan {
    name: "clients::reconnect",
    fault: "the broker is killed, and back after 3 s, with 200 clients on it",
    volume: Volume {
        clients: MANY,
        threads: MANY,
        pause: Duration::from_millis(300),
        mix: &[Step::Call(Function::Quick), Step::Call(Function::Repeatable), Step::Send(Function::Quick)],
        ..USUAL.volume
    },
    by_proxy: true,
    may: CONNECTIONS_LOST,
    ..USUAL
};

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::shared(KILLED.name, killed), Case::exclusive(RECONNECT.name, reconnect)]
}

/// Whether this process is to be the client that is killed; then it never returns.
pub(crate) fn doomed() -> anyhow::Result<()> {
    let Ok(orders) = env::var(DOOMED) else { return Ok(()) };
    let (uri, first) = orders.rsplit_once(' ').context("a URI and a number")?;
    let client = Client::connect(uri)?.with_timeout(USUAL.volume.timeout);
    let first: u64 = first.parse()?;
    let calls =
        (first..first + IN_FLIGHT).map(|id| IN_FLIGHT_CALL.start(&client, id)).collect::<Result<Vec<_>, _>>()?;
    println!("{} calls are in flight", calls.len());
    loop {
        thread::park();
    }
}

fn killed(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut stage = Stage::set(KILLED, broker)?;
    let before = broker.queues()?;
    let (first, begun) = (stage.reserve(IN_FLIGHT), Instant::now());
    let mut command = Command::new(env::current_exe()?);
    let mut client = Program::start(command.env(DOOMED, format!("{} {first}", broker.uri())))?;
    client.wait_for_line("are in flight", LONG)?;
    client.kill()?;
    client.wait(LONG)?;
    let waiting = broker.queue(SERVICE)?.context("the service has a queue")?.messages;
    ensure!(waiting > 0, "all calls were answered before the client was killed");
    for id in first..first + IN_FLIGHT {
        stage.enter(IN_FLIGHT_CALL, true, id, begun, Outcome::Abandoned);
    }
    stage.recover()?;
    let left = || -> anyhow::Result<BTreeSet<String>> {
        let (before, now) = (before.clone().unwrap_or_default(), broker.queues()?.unwrap_or_default());
        Ok(now.difference(&before).cloned().collect())
    };
    eventually(LONG, || Ok(left()?.is_empty())).with_context(|| format!("queues are left behind: {:?}", left()))?;
    stage.finish(broker)
}

fn reconnect(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let mut stage = Stage::set(RECONNECT, broker)?;
    broker.kill()?;
    let down = Instant::now();
    thread::sleep(OUTAGE);
    broker.restart()?;
    stage.recover()?;
    let Proxies { clients, .. } = stage.proxies.as_ref().context("the plan has proxies")?;
    ensure_spread(clients, down, stage.late())?;
    stage.finish(broker)
}

/// All lose their connections at the same moment, and their first attempts are soon; backoff and jitter spread the later ones.
///
/// Whose turn comes while the machine is late come together.
fn ensure_spread(proxy: &Proxy, down: Instant, late: Duration) -> anyhow::Result<()> {
    let settled = down + Duration::from_secs(2);
    let attempts: Vec<Instant> = proxy.attempts().into_iter().filter(|attempt| *attempt > settled).collect();
    ensure!(attempts.len() >= MANY, "only {} attempts", attempts.len());
    let busiest =
        attempts.iter().map(|start| attempts.iter().filter(|at| (*start..*start + WINDOW).contains(at)).count());
    let busiest = busiest.max().unwrap_or_default();
    let (busiest, all) = (u32::try_from(busiest)?, u32::try_from(MANY)?);
    ensure!(
        4 * busiest * WINDOW <= all * (WINDOW + late),
        "{busiest} of {MANY} clients try to connect within {WINDOW:?}, and the machine was late by {late:?} at most"
    );
    Ok(())
}
