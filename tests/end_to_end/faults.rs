//! Faults of the broker itself: it is killed, frozen, short of memory.

use std::time::{Duration, Instant};

use anyhow::ensure;
use guirpc::{CallError, Server};
use harness::{Broker, Case, eventually};

use crate::service::{LONG, SERVICE, serve, setup};
use crate::workload::{add, count, sleep};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::exclusive("faults::a_killed_broker_comes_back", a_killed_broker_comes_back),
        Case::exclusive("faults::a_frozen_broker_is_noticed", a_frozen_broker_is_noticed),
        Case::exclusive(
            "faults::calls_fail_fast_while_the_broker_is_blocked",
            calls_fail_fast_while_the_broker_is_blocked,
        ),
    ]
}

pub(crate) fn a_killed_broker_comes_back(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let (server, client) = serve(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    let call = sleep::start(&client, 20_000)?;
    broker.kill()?;
    let begun = Instant::now();
    ensure!(matches!(call.wait(), Err(CallError::Disconnected { sent: true, .. })));
    ensure!(begun.elapsed() < Duration::from_secs(10), "a pending call did not fail at once");
    // A call that finds no connection waits for one, until its deadline.
    let timeout = Duration::from_millis(100);
    let error = add::call(&client.with_timeout(timeout), 1, 2).unwrap_err();
    ensure!(matches!(error, CallError::Disconnected { sent: false, .. }), "{error:?}");
    ensure!(!error.may_have_run());
    broker.restart()?;
    eventually(Duration::from_secs(90), || Ok(add::call(&client, 1, 2).is_ok()))?;
    // Sends survive a restart as well.
    server.shutdown_handle().shutdown();
    server.wait();
    count::send(&client, "kept")?;
    broker.sync()?;
    broker.kill()?;
    broker.restart()?;
    ensure!(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages >= 1), "the send was lost");
    Ok(())
}

fn a_frozen_broker_is_noticed(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let uri = format!("{}?heartbeat=1", broker.uri());
    let _server = Server::start(setup(broker).uri(&uri))?;
    let client = guirpc::Client::connect(&uri)?.with_timeout(Duration::from_mins(1));
    ensure!(add::call(&client, 1, 2)? == 3);
    broker.freeze()?;
    let begun = Instant::now();
    let error = add::call(&client, 1, 2).unwrap_err();
    ensure!(matches!(error, CallError::Disconnected { .. }), "{error:?}");
    ensure!(begun.elapsed() < LONG, "twice the heartbeat is 2 s");
    broker.thaw()?;
    eventually(Duration::from_secs(90), || Ok(add::call(&client, 1, 2).is_ok()))
}

fn calls_fail_fast_while_the_broker_is_blocked(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    broker.memory_alarm(true)?;
    // The first message after the alarm is what the broker answers with "blocked".
    let mut blocked = None;
    eventually(LONG, || {
        let error = add::call(&client.with_timeout(Duration::from_millis(500)), 1, 2).err();
        blocked = error.filter(|error| matches!(error, CallError::Blocked { .. }));
        Ok(blocked.is_some())
    })?;
    ensure!(blocked.is_some_and(|error| !error.may_have_run() && error.is_retryable()));
    broker.memory_alarm(false)?;
    eventually(LONG, || Ok(add::call(&client, 1, 2).is_ok()))?;
    let patient = crate::service::client(broker)?;
    ensure!(add::call(&patient, 2, 2)? == 4);
    Ok(())
}
