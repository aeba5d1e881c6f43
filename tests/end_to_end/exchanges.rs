//! Calls through an exchange of somebody else's choice, which may not be there.

use std::thread;
use std::time::{Duration, Instant};

use amiquip::{Connection, ExchangeDeclareOptions, ExchangeType, FieldTable};
use anyhow::ensure;
use guirpc::{CallError, Client, Pending};
use harness::{Broker, Case, eventually};

use crate::service::{LONG, SERVICE, serve};
use crate::workload::{add, sleep};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("exchanges::a_missing_one_costs_other_calls_nothing", a_missing_one_costs_other_calls_nothing),
        Case::shared("exchanges::one_that_is_declared_later_is_found", one_that_is_declared_later_is_found),
        Case::shared("exchanges::a_routing_key_replaces_the_service", a_routing_key_replaces_the_service),
        Case::exclusive(
            "exchanges::a_frozen_broker_is_asked_until_the_deadline",
            a_frozen_broker_is_asked_until_the_deadline,
        ),
    ]
}

#[track_caller]
fn check_unroutable(client: &Client, expected: &str) {
    let error = add::call(client, 1, 2).unwrap_err();
    assert_eq!(error, CallError::Unroutable { service: expected.to_owned() });
    let error = add::send(client, 1, 2).unwrap_err();
    assert_eq!(error, CallError::Unroutable { service: expected.to_owned() });
}

fn a_missing_one_costs_other_calls_nothing(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let client = client.without_coalescing();
    let calls: Vec<Pending<u64>> = (0..4).map(|_| sleep::start(&client, 3000)).collect::<Result<_, _>>()?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.unacked == 4)))?;
    let astray = client.with_exchange("nowhere");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| check_unroutable(&astray, SERVICE));
        }
    });
    for call in calls {
        ensure!(call.wait()? == 3000);
    }
    ensure!(add::call(&client, 1, 2)? == 3);
    Ok(())
}

fn one_that_is_declared_later_is_found(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let client = client.with_exchange("elsewhere").with_routing_key("key");
    check_unroutable(&client, "key");
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    channel.exchange_declare(ExchangeType::Direct, "elsewhere", ExchangeDeclareOptions::default())?;
    // It is there, and leads nowhere.
    check_unroutable(&client, "key");
    channel.queue_bind(SERVICE, "elsewhere", "key", FieldTable::new())?;
    ensure!(add::call(&client, 1, 2)? == 3);
    add::send(&client, 1, 2)?;
    Ok(())
}

fn a_routing_key_replaces_the_service(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    // The default exchange leads to every queue by its name.
    ensure!(add::call(&client.with_exchange("").with_service("another").with_routing_key(SERVICE), 1, 2)? == 3);
    check_unroutable(&client.with_routing_key("another"), "another");
    Ok(())
}

fn a_frozen_broker_is_asked_until_the_deadline(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    broker.freeze()?;
    let begin = Instant::now();
    let error = add::call(&client.with_exchange("nowhere").with_timeout(Duration::from_millis(200)), 1, 2).unwrap_err();
    let took = begin.elapsed();
    broker.thaw()?;
    ensure!(matches!(error, CallError::Disconnected { sent: false, .. }), "{error:?}");
    ensure!(took < LONG / 3, "{took:?}");
    eventually(LONG, || Ok(add::call(&client, 1, 2).is_ok()))
}
