//! Faults at one certain moment, which only the embedded broker can have: in the middle of a frame,
//! on one connection of several, with a reply or a request that is on its way.

use std::time::Duration;

use amiquip::QueueDeclareOptions;
use anyhow::{Context, ensure};
use guirpc::embedded::{Broker, Connection, Keep};
use guirpc::{CallError, Client, Server};
use harness::{Case, eventually};

use crate::service::{LONG, SERVICE, client, serve, setup};
use crate::workload::{add, count, count_slowly, counted, fail, seen};

/// For calls that fail, with enough time to be run on a busy machine.
const SHORT: Duration = Duration::from_secs(2);
/// The connections of a client and of a server, by what they say of themselves.
const CLIENT: &str = "client";
const CONSUMING: &str = "server, consuming";
const REPLYING: &str = "server, replying";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::embedded("faults::a_reply_is_cut_in_half", a_reply_is_cut_in_half),
        Case::embedded("faults::a_request_is_cut_in_half", a_request_is_cut_in_half),
        Case::embedded("faults::a_reply_that_is_held_back_is_late", a_reply_that_is_held_back_is_late),
        Case::embedded("faults::a_reply_that_is_lost_is_missed", a_reply_that_is_lost_is_missed),
        Case::embedded(
            "faults::a_failure_is_set_aside_although_its_letter_was_lost",
            a_failure_is_set_aside_although_its_letter_was_lost,
        ),
        Case::embedded(
            "faults::a_request_that_comes_again_joins_the_first",
            a_request_that_comes_again_joins_the_first,
        ),
        Case::embedded(
            "faults::a_request_whose_acknowledgement_is_lost_is_not_run_again",
            a_request_whose_acknowledgement_is_lost_is_not_run_again,
        ),
        Case::embedded("faults::a_consumer_that_is_cancelled_comes_back", a_consumer_that_is_cancelled_comes_back),
        Case::embedded(
            "faults::both_connections_of_a_server_are_one_generation",
            both_connections_of_a_server_are_one_generation,
        ),
        Case::embedded("faults::a_client_gives_up_a_silent_connection", a_client_gives_up_a_silent_connection),
        Case::embedded("faults::a_server_gives_up_a_silent_connection", a_server_gives_up_a_silent_connection),
        Case::embedded("faults::a_broker_that_has_forgotten_all_is_told", a_broker_that_has_forgotten_all_is_told),
    ]
}

/// The one connection that says this of itself.
fn connection(broker: &Broker, purpose: &str) -> anyhow::Result<Connection> {
    let found = broker.connections().into_iter().find(|connection| connection.information().ends_with(purpose));
    found.with_context(|| format!("no connection says `{purpose}`: {:?}", broker.connections()))
}

fn a_reply_is_cut_in_half(broker: &Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let held = broker.hold_replies();
    let call = count::start(&client, "half")?;
    eventually(LONG, || Ok(held.count() == 1))?;
    connection(broker, CLIENT)?.cut_mid_frame();
    drop(held);
    let error = call.wait().unwrap_err();
    ensure!(matches!(error, CallError::Disconnected { sent: true, .. }), "{error:?}");
    ensure!(error.may_have_run() && !error.is_retryable());
    ensure!(counted::call(&client, "half")? == 1);
    Ok(())
}

fn a_request_is_cut_in_half(broker: &Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    connection(broker, CONSUMING)?.cut_mid_frame();
    // The caller notices nothing: the server has it whole on its next connection.
    let seen = seen::call(&client)?;
    ensure!(seen.get("redelivered").is_some_and(|redelivered| redelivered == "true"), "{seen:?}");
    Ok(())
}

fn a_reply_that_is_held_back_is_late(broker: &Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let held = broker.hold_replies();
    let call = count::start(&client.with_timeout(SHORT), "late")?;
    eventually(LONG, || Ok(held.count() == 1))?;
    let error = call.wait().unwrap_err();
    ensure!(error == CallError::TimedOut { timeout: SHORT, idempotent: false }, "{error:?}");
    ensure!(client.late_replies() == 0);
    drop(held);
    eventually(LONG, || Ok(client.late_replies() == 1))?;
    ensure!(counted::call(&client, "late")? == 1);
    Ok(())
}

fn a_reply_that_is_lost_is_missed(broker: &Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let held = broker.hold_replies();
    let call = count::start(&client.with_timeout(SHORT), "lost")?;
    eventually(LONG, || Ok(held.count() == 1))?;
    held.discard();
    drop(held);
    let error = call.wait().unwrap_err();
    ensure!(error == CallError::TimedOut { timeout: SHORT, idempotent: false }, "{error:?}");
    ensure!(error.may_have_run() && !error.is_retryable());
    ensure!(counted::call(&client, "lost")? == 1);
    ensure!(client.late_replies() == 0);
    Ok(())
}

fn a_request_that_comes_again_joins_the_first(broker: &Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let call = count_slowly::start(&client, "again", 4000)?;
    eventually(LONG, || Ok(counted::call(&client, "again")? == 1))?;
    eventually(LONG, || Ok(broker.queue(SERVICE).is_some_and(|queue| queue.unacked == 1)))?;
    ensure!(broker.redeliver(SERVICE) == 1);
    ensure!(call.wait()? == 1);
    // Both have been answered, and one reply was enough.
    eventually(LONG, || Ok(client.late_replies() == 1))?;
    ensure!(counted::call(&client, "again")? == 1);
    eventually(LONG, || Ok(broker.queue(SERVICE).is_some_and(|queue| queue.messages == 0)))
}

/// It has been answered, and the broker has not got the acknowledgement.
fn a_request_whose_acknowledgement_is_lost_is_not_run_again(broker: &Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let call = count_slowly::start(&client, "lost", 3000)?;
    eventually(LONG, || Ok(broker.queue(SERVICE).is_some_and(|queue| queue.unacked == 1)))?;
    let consuming = connection(broker, CONSUMING)?;
    consuming.freeze();
    ensure!(call.wait()? == 1);
    consuming.cut();
    eventually(LONG, || Ok(client.late_replies() == 1))?;
    ensure!(counted::call(&client, "lost")? == 1);
    eventually(LONG, || Ok(broker.queue(SERVICE).is_some_and(|queue| queue.messages == 0)))
}

/// It has failed, and its letter is on a connection that nobody reads, when the other one is lost.
fn a_failure_is_set_aside_although_its_letter_was_lost(broker: &Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    connection(broker, REPLYING)?.freeze();
    fail::send(&client, "once", 400)?;
    eventually(LONG, || Ok(broker.queue(SERVICE).is_some_and(|queue| queue.unacked == 1)))?;
    connection(broker, CONSUMING)?.cut();
    let dead = format!("{SERVICE}.dead");
    eventually(LONG, || Ok(broker.queue(&dead).is_some_and(|queue| queue.messages == 1)))?;
    eventually(LONG, || Ok(broker.queue(SERVICE).is_some_and(|queue| queue.messages == 0)))
}

fn a_consumer_that_is_cancelled_comes_back(broker: &Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    for round in 1..4 {
        ensure!(broker.cancel_consumers(SERVICE) == 1);
        count::send(&client, "kept")?;
        eventually(LONG, || Ok(broker.queue(SERVICE).is_some_and(|queue| queue.consumers == 1)))?;
        eventually(LONG, || Ok(counted::call(&client, "kept")? == round))?;
        // What is not acknowledged when the next one is cancelled is run again.
        eventually(LONG, || Ok(broker.queue(SERVICE).is_some_and(|queue| queue.messages == 0)))?;
    }
    Ok(())
}

/// When one dies, nothing more is acknowledged on the other.
fn both_connections_of_a_server_are_one_generation(broker: &Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    for purpose in [CONSUMING, REPLYING] {
        let call = count_slowly::start(&client, purpose, 2000)?;
        eventually(LONG, || Ok(counted::call(&client, purpose)? == 1))?;
        connection(broker, purpose)?.cut();
        // It comes again on the next connection, and joins; only there it is acknowledged.
        eventually(LONG, || Ok(broker.queue(SERVICE).is_some_and(|queue| queue.unacked == 1)))?;
        ensure!(call.wait()? == 1);
        eventually(LONG, || Ok(broker.queue(SERVICE).is_some_and(|queue| queue.messages == 0)))?;
        ensure!(counted::call(&client, purpose)? == 1);
    }
    Ok(())
}

fn a_client_gives_up_a_silent_connection(broker: &Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let client = Client::connect(format!("{}?heartbeat=1", broker.uri()))?.with_timeout(2 * LONG);
    ensure!(add::call(&client, 1, 2)? == 3);
    connection(broker, CLIENT)?.freeze();
    let call = add::start(&client, 1, 2)?;
    let Ok(outcome) = call.wait_timeout(LONG) else { anyhow::bail!("it still waits after many heartbeats") };
    let error = outcome.unwrap_err();
    ensure!(matches!(error, CallError::Disconnected { sent: true, .. }), "{error:?}");
    // The next connection is not silent.
    ensure!(add::call(&client, 1, 2)? == 3);
    Ok(())
}

fn a_server_gives_up_a_silent_connection(broker: &Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).uri(format!("{}?heartbeat=1", broker.uri())))?;
    let client = client(broker)?;
    let impatient = client.with_timeout(Duration::from_millis(500));
    for purpose in [CONSUMING, REPLYING] {
        ensure!(add::call(&client, 1, 2)? == 3);
        let silent = connection(broker, purpose)?;
        silent.freeze();
        // None is answered before the server has another connection; some are lost to the consumer of the silent one.
        eventually(LONG, || Ok(add::call(&impatient, 1, 2).is_ok()))?;
        silent.thaw();
        eventually(LONG, || Ok(broker.queue(SERVICE).is_some_and(|queue| queue.consumers == 1)))?;
    }
    Ok(())
}

fn a_broker_that_has_forgotten_all_is_told(broker: &Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let mut stranger = amiquip::Connection::insecure_open(&broker.uri())?;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    stranger.open_channel(None)?.queue_declare("letters", durable)?;
    ensure!(broker.queue("letters").is_some());
    broker.restart(Keep::Nothing)?;
    ensure!(broker.queue("letters").is_none(), "it has not forgotten");
    eventually(LONG, || Ok(broker.queue(SERVICE).is_some_and(|queue| queue.consumers == 1)))?;
    eventually(LONG, || Ok(add::call(&client, 1, 2).is_ok()))
}
