//! A server that loses a queue, a consumer or the broker's ear gets it back, and says how it stands.

use std::time::Duration;

use anyhow::ensure;
use guirpc::{ConnectionStatus, Server};
use harness::{Broker, Case, eventually};

use crate::service::{LONG, SERVICE, client, serve, setup};
use crate::stopping::begun;
use crate::workload::{add, count_slowly, counted, sleep};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("recovery::a_deleted_queue_costs_no_connection", a_deleted_queue_costs_no_connection),
        Case::exclusive("recovery::a_server_says_how_it_stands", a_server_says_how_it_stands),
        Case::exclusive("recovery::no_new_work_is_begun_during_an_alarm", no_new_work_is_begun_during_an_alarm),
    ]
}

fn a_deleted_queue_costs_no_connection(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    for _ in 0..3 {
        let running = begun(&client, 500)?;
        broker.delete_queue(SERVICE)?;
        eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.consumers == 1)))?;
        ensure!(add::call(&client, 1, 2)? == 3);
        // Its request is gone, and its caller is answered all the same: the way of replies was never lost.
        ensure!(running.wait()? == 500);
    }
    // Two of each lane, and the caller's, as at the beginning.
    ensure!(broker.close_all_connections("a test")? == 5);
    Ok(())
}

fn a_server_says_how_it_stands(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let server = Server::start(setup(broker))?;
    ensure!(server.status().is_connected());
    broker.kill()?;
    eventually(LONG, || Ok(matches!(server.status(), ConnectionStatus::Disconnected { .. })))?;
    broker.restart()?;
    eventually(3 * LONG, || Ok(server.status().is_connected()))?;
    server.shutdown_handle().shutdown();
    eventually(LONG, || Ok(server.status() == ConnectionStatus::Stopped))
}

fn no_new_work_is_begun_during_an_alarm(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let server = Server::start(setup(broker).workers(1))?;
    let client = client(broker)?.without_coalescing();
    // While one runs, others are fetched; the reply of that one is what tells the server of the alarm.
    let first = sleep::start(&client, 4000)?;
    let calls = (0..20).map(|_| count_slowly::start(&client, "during", 100)).collect::<Result<Vec<_>, _>>()?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.unacked == 21)))?;
    broker.memory_alarm(true)?;
    eventually(LONG, || Ok(matches!(server.status(), ConnectionStatus::Blocked { .. })))?;
    let Err(first) = first.wait_timeout(Duration::ZERO) else { anyhow::bail!("the alarm is not heard") };
    ensure!(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages >= 18), "it went on");
    broker.memory_alarm(false)?;
    ensure!(first.wait()? == 4000);
    calls.into_iter().try_for_each(|call| call.wait().map(drop))?;
    eventually(LONG, || Ok(server.status().is_connected()))?;
    ensure!(counted::call(&client, "during")? == 20);
    Ok(())
}
