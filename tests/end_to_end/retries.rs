//! What a client does by itself when it loses its connection or its channel.

use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use amiquip::{Connection, ExchangeDeclareOptions, ExchangeType, FieldTable};
use anyhow::{bail, ensure};
use guirpc::{CallError, Client, ConnectionStatus, Pending, Server};
use harness::{Broker, Case, Proxy, eventually};
use tokio::runtime;

use crate::service::{LONG, SERVICE, client, setup};
use crate::workload::{add, counted, describe, sleep, steady};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("retries::what_is_idempotent_survives_its_connection", what_is_idempotent_survives_its_connection),
        Case::shared("retries::what_is_not_fails_at_once_and_runs_once", what_is_not_fails_at_once_and_runs_once),
        Case::shared("retries::a_send_is_repeated_only_if_it_may_be", a_send_is_repeated_only_if_it_may_be),
        Case::shared("retries::a_closed_channel_costs_no_connection", a_closed_channel_costs_no_connection),
        Case::exclusive("retries::deadlines_hold_while_there_is_no_broker", deadlines_hold_while_there_is_no_broker),
        Case::exclusive("retries::the_status_follows_the_broker", the_status_follows_the_broker),
        Case::exclusive("retries::nobody_waits_on_a_broker_that_does_not_read", nobody_waits_on_a_frozen_broker),
    ]
}

/// A server that keeps its connections, and a client whose connection the proxy cuts.
fn cuttable(broker: &dyn Broker) -> anyhow::Result<(Server, Proxy, Client)> {
    let server = Server::start(setup(broker))?;
    let proxy = Proxy::to(broker.port())?;
    let client = Client::connect(proxy.detour(&broker.uri()))?.with_timeout(LONG);
    Ok((server, proxy, client))
}

fn begun(broker: &dyn Broker, unacked: usize) -> anyhow::Result<()> {
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.unacked == unacked)))
}

fn what_is_idempotent_survives_its_connection(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, proxy, client) = cuttable(broker)?;
    let waited = steady::start(&client, "waited", 3000)?;
    let polled = steady::start(&client, "polled", 3000)?;
    begun(broker, 2)?;
    proxy.cut();
    let runtime = runtime::Builder::new_current_thread().build()?;
    for (name, id) in [("polled", runtime.block_on(polled)?), ("waited", waited.wait()?)] {
        // Each run, however many there were, was of the same call.
        let runs = counted::call(&client, name)?;
        ensure!(runs >= 1 && counted::call(&client, &id)? == runs, "{name}: {runs}");
    }
    ensure!(client.late_replies() == 0);
    Ok(())
}

fn what_is_not_fails_at_once_and_runs_once(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, proxy, client) = cuttable(broker)?;
    let runtime = runtime::Builder::new_current_thread().build()?;
    let polled = sleep::start(&client, 8_000)?;
    let waited = sleep::start(&client, 8_000)?;
    begun(broker, 2)?;
    let cut = Instant::now();
    proxy.cut();
    for outcome in [runtime.block_on(polled), waited.wait()] {
        let error = outcome.unwrap_err();
        ensure!(matches!(error, CallError::Disconnected { sent: true, idempotent: false, .. }), "{error:?}");
        ensure!(error.may_have_run() && !error.is_retryable());
    }
    ensure!(cut.elapsed() < Duration::from_secs(5), "{:?}", cut.elapsed());
    Ok(())
}

/// The road is frozen when it is cut: nobody knows whether the broker has the message.
fn a_send_is_repeated_only_if_it_may_be(broker: &dyn Broker) -> anyhow::Result<()> {
    let (server, proxy, client) = cuttable(broker)?;
    // The broker was asked for the exchange.
    ensure!(add::call(&client, 1, 2)? == 3);
    // Nobody takes from the queue.
    server.shutdown_handle().shutdown();
    server.wait();
    thread::scope(|scope| {
        proxy.freeze();
        let repeated = scope.spawn(|| steady::send(&client, "sent", 0));
        let failed = scope.spawn(|| add::send(&client, 1, 2));
        // They are on their way, as far as anybody can see.
        thread::sleep(Duration::from_secs(1));
        proxy.cut();
        proxy.thaw();
        let error = failed.join().expect("it does not panic").unwrap_err();
        ensure!(matches!(error, CallError::Disconnected { sent: true, .. }), "{error:?}");
        repeated.join().expect("it does not panic")?;
        Ok(())
    })?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 1)))
}

/// Lets one connection pass to this port, and no other.
fn door(port: u16) -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let door = listener.local_addr()?.port();
    thread::spawn(move || {
        let (client, _) = listener.accept()?;
        drop(listener);
        let broker = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        for (mut from, mut to) in [(client.try_clone()?, broker.try_clone()?), (broker, client)] {
            thread::spawn(move || {
                io::copy(&mut from, &mut to)?;
                to.shutdown(Shutdown::Both)
            });
        }
        io::Result::Ok(())
    });
    Ok(door)
}

fn a_closed_channel_costs_no_connection(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    let port = door(broker.port())?;
    let uri = broker.uri().replacen(&broker.port().to_string(), &port.to_string(), 1);
    let client = Client::connect(&uri)?.with_timeout(LONG);
    let elsewhere = client.with_exchange("elsewhere").with_routing_key("key");
    for _ in 0..3 {
        channel.exchange_declare(ExchangeType::Direct, "elsewhere", ExchangeDeclareOptions::default())?;
        channel.queue_bind(SERVICE, "elsewhere", "key", FieldTable::new())?;
        ensure!(add::call(&elsewhere, 1, 2)? == 3);
        let fails: Pending<u64> = sleep::start(&client, 3000)?;
        let survives = steady::start(&client, "elsewhere", 3000)?;
        begun(broker, 2)?;
        channel.exchange_delete("elsewhere", false)?;
        // The first one through it learns that the broker has closed the channel, as do those that wait on it.
        for outcome in [add::call(&elsewhere, 1, 2).map(drop), fails.wait().map(drop)] {
            let error = outcome.unwrap_err();
            ensure!(matches!(error, CallError::Disconnected { sent: true, .. }), "{error:?}");
        }
        // The second costs nobody anything.
        let running = sleep::start(&client, 100)?;
        let error = add::call(&elsewhere, 1, 2).unwrap_err();
        ensure!(matches!(error, CallError::Unroutable { .. }), "{error:?}");
        ensure!(running.wait()? == 100);
        survives.wait()?;
    }
    Ok(())
}

fn deadlines_hold_while_there_is_no_broker(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let client = client(broker)?.without_coalescing();
    let timeout = Duration::from_secs(5);
    let brief = client.with_timeout(timeout);
    let begin = Instant::now();
    let polled = steady::start(&brief, "polled", 20_000)?;
    let waited = steady::start(&brief, "waited", 20_000)?;
    let repeated = steady::start(&client.with_timeout(Duration::from_mins(2)), "repeated", 2_000)?;
    begun(broker, 3)?;
    broker.kill()?;
    let runtime = runtime::Builder::new_current_thread().build()?;
    for outcome in [runtime.block_on(polled), waited.wait()] {
        let error = outcome.unwrap_err();
        ensure!(matches!(error, CallError::Disconnected { sent: true, idempotent: true, .. }), "{error:?}");
        ensure!(error.may_have_run() && error.is_retryable());
    }
    let took = begin.elapsed();
    ensure!(took >= timeout && took < 2 * timeout, "{took:?}");
    broker.restart()?;
    let id = repeated.wait()?;
    ensure!(counted::call(&client, &id)? == counted::call(&client, "repeated")?);
    Ok(())
}

fn the_status_follows_the_broker(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let client = client(broker)?;
    ensure!(client.status() == ConnectionStatus::Connected);
    broker.memory_alarm(true)?;
    eventually(LONG, || {
        // The broker tells only those who publish.
        let _ = add::call(&client.with_timeout(Duration::from_millis(100)), 1, 2);
        Ok(matches!(client.status(), ConnectionStatus::Blocked { .. }))
    })?;
    broker.memory_alarm(false)?;
    eventually(LONG, || Ok(client.status() == ConnectionStatus::Connected))?;
    broker.kill()?;
    eventually(LONG, || Ok(matches!(client.status(), ConnectionStatus::Disconnected { .. })))?;
    broker.restart()?;
    eventually(Duration::from_secs(90), || Ok(client.status() == ConnectionStatus::Connected))?;
    match client.status() {
        ConnectionStatus::Connected => Ok(()),
        status => bail!("{status}"),
    }
}

/// Far more than fits into any buffer on the way.
fn nobody_waits_on_a_frozen_broker(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let client = client(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    let timeout = Duration::from_secs(2);
    let large = vec![0; 4 << 20];
    let (begin, client) = (Instant::now(), client.with_timeout(timeout));
    broker.freeze()?;
    let slowest = thread::scope(|scope| {
        let call = || {
            let outcome = describe::call(&client, "", &large);
            (outcome, begin.elapsed())
        };
        let calls: Vec<_> = (0..24).map(|_| scope.spawn(call)).collect();
        let small: Vec<_> = (0..24).map(|_| scope.spawn(|| (add::call(&client, 1, 2), begin.elapsed()))).collect();
        let large =
            calls.into_iter().map(|call| call.join().expect("it does not panic")).map(|(o, t)| (o.map(drop), t));
        let small =
            small.into_iter().map(|call| call.join().expect("it does not panic")).map(|(o, t)| (o.map(drop), t));
        let outcomes: Vec<_> = large.chain(small).collect();
        outcomes.into_iter().try_fold(Duration::ZERO, |slowest, (outcome, took)| match outcome {
            Err(CallError::TimedOut { .. } | CallError::Disconnected { sent: false, .. }) => Ok(slowest.max(took)),
            outcome => bail!("{outcome:?}"),
        })
    })?;
    broker.thaw()?;
    ensure!(slowest < 4 * timeout, "{slowest:?}");
    eventually(LONG, || Ok(add::call(&client, 1, 2).is_ok()))
}
