//! What a client's settings make of a request, and what the queue that it goes to makes of it.

use std::time::{Duration, Instant};

use amiquip::{
    AmqpValue, Connection, Exchange, ExchangeDeclareOptions, ExchangeType, FieldTable, Get, Publish,
    QueueDeclareOptions,
};
use anyhow::{Context, ensure};
use guirpc::CallError;
use harness::{Broker, Case, eventually};

use crate::service::{LONG, SERVICE, client, serve};
use crate::workload::{add, fail_again, nothing};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("requests::a_priority_is_a_property", a_priority_is_a_property),
        Case::shared("requests::a_lane_is_a_queue_of_its_own", a_lane_is_a_queue_of_its_own),
        Case::shared("requests::a_full_queue_is_told_at_once", a_full_queue_is_told_at_once),
        Case::shared("requests::a_full_queue_is_told_to_nobody_else", a_full_queue_is_told_to_nobody_else),
    ]
}

/// Declares a queue as a service would, and gives the channel on which it was done.
fn declare(connection: &mut Connection, queue: &str, arguments: FieldTable) -> anyhow::Result<amiquip::Channel> {
    let channel = connection.open_channel(None)?;
    channel.queue_declare(queue, QueueDeclareOptions { arguments, ..QueueDeclareOptions::default() })?;
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(ExchangeType::Direct, "guirpc", durable)?;
    channel.queue_bind(queue, "guirpc", queue, FieldTable::new())?;
    Ok(channel)
}

fn next(channel: &amiquip::Channel, queue: &str) -> anyhow::Result<Get> {
    let mut next = None;
    eventually(LONG, || {
        next = channel.basic_get(queue, true)?;
        Ok(next.is_some())
    })?;
    next.context("it is there")
}

fn a_priority_is_a_property(broker: &dyn Broker) -> anyhow::Result<()> {
    let client = client(broker)?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = declare(&mut connection, SERVICE, FieldTable::new())?;
    let _plain = nothing::start(&client)?;
    let urgent = client.with_priority(7);
    let _call = nothing::start(&urgent)?;
    nothing::send(&urgent)?;
    for expected in [None, Some(7), Some(7)] {
        let get = next(&channel, SERVICE)?;
        ensure!(*get.delivery.properties.priority() == expected, "{get:?}");
    }
    Ok(())
}

fn a_lane_is_a_queue_of_its_own(broker: &dyn Broker) -> anyhow::Result<()> {
    let client = client(broker)?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let lane = format!("{SERVICE}.reports");
    let channel = declare(&mut connection, &lane, FieldTable::new())?;
    let _call = nothing::start(&client.with_lane("reports"))?;
    client.with_lane("reports").send_json(SERVICE, "nothing", serde_json::json!({}))?;
    for _ in 0..2 {
        let get = next(&channel, &lane)?;
        ensure!(get.delivery.properties.type_().as_deref() == Some("nothing"), "{get:?}");
    }
    let error = nothing::call(&client.with_lane("none")).unwrap_err();
    ensure!(error == CallError::Unroutable { service: format!("{SERVICE}.none") }, "{error:?}");
    Ok(())
}

/// A queue that takes one message, and has it.
fn full(connection: &mut Connection) -> anyhow::Result<()> {
    let mut arguments = FieldTable::new();
    arguments.insert("x-max-length".to_owned(), AmqpValue::LongInt(1));
    arguments.insert("x-overflow".to_owned(), AmqpValue::LongString("reject-publish".to_owned()));
    let channel = declare(connection, "full", arguments)?;
    Exchange::direct(&channel).publish(Publish::new(b"", "full"))?;
    Ok(())
}

fn overloaded(idempotent: bool) -> CallError {
    CallError::Overloaded { service: "full".to_owned(), idempotent }
}

fn a_full_queue_is_told_at_once(broker: &dyn Broker) -> anyhow::Result<()> {
    let client = client(broker)?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    full(&mut connection)?;
    eventually(LONG, || Ok(broker.queue("full")?.is_some_and(|queue| queue.messages == 1)))?;
    let client = client.with_service("full");
    let begin = Instant::now();
    let expected = overloaded(false);
    let error = add::call(&client, 1, 2).unwrap_err();
    // As far as the broker says, the queue may have failed.
    ensure!(error == expected && error.may_have_run() && !error.is_retryable(), "{error:?}");
    ensure!(add::send(&client, 1, 2).unwrap_err() == expected);
    let error = fail_again::send(&client, "full", 500).unwrap_err();
    ensure!(error == overloaded(true) && error.may_have_run() && error.is_retryable(), "{error:?}");
    ensure!(begin.elapsed() < LONG / 3, "{:?}", begin.elapsed());
    Ok(())
}

/// Confirmations of calls are looked at only now and then while there are many.
fn a_full_queue_is_told_to_nobody_else(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    full(&mut connection)?;
    eventually(LONG, || Ok(broker.queue("full")?.is_some_and(|queue| queue.messages == 1)))?;
    for round in 0..20 {
        let others: Vec<_> = (0..20).map(|n| add::start(&client, n, round)).collect::<Result<_, _>>()?;
        let rejected = add::start(&client.with_service("full"), 1, 2)?;
        let waited = rejected.wait_timeout(Duration::from_secs(10)).ok().context("it was told too late")?;
        ensure!(waited == Err(overloaded(false)), "{waited:?}");
        for (n, other) in (0..).zip(others) {
            ensure!(other.wait()? == n + round);
        }
    }
    Ok(())
}
