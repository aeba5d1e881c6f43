//! The limits of a connection are those that were agreed with the broker, however low it sets them.

use std::time::Duration;

use anyhow::ensure;
use guirpc::{CallError, Client, ConnectionStatus, ErrorKind, Pending, Server};
use harness::{Broker, Case, Proxy, RabbitMq, eventually};

use crate::service::{LONG, SERVICE, client, program, setup};
use crate::workload::{add, log, nothing, parse, reversed, sleep};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::rabbitmq_exclusive("limits::small_frames", small_frames),
        Case::rabbitmq_exclusive("limits::few_channels", few_channels),
        Case::rabbitmq_exclusive("limits::a_broker_without_heartbeats", a_broker_without_heartbeats),
        Case::rabbitmq_exclusive("limits::a_function_that_outlasts_the_broker", a_function_that_outlasts_the_broker),
        Case::rabbitmq_shared("limits::connections_have_names", connections_have_names),
    ]
}

/// The connections of the node, which are others after one was lost.
fn connections(rabbitmq: &RabbitMq) -> anyhow::Result<String> {
    rabbitmq.eval("lists:sort(rabbit_networking:connections())")
}

/// A dead letter says why in its headers, which have to fit into one frame.
fn small_frames(rabbitmq: &mut RabbitMq) -> anyhow::Result<()> {
    rabbitmq.set("frame_max", "4096")?;
    let _server = Server::start(setup(rabbitmq))?;
    let client = client(rabbitmq)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    let before = connections(rabbitmq)?;
    let bystander = sleep::start(&client, 1000)?;
    log::send(&client, "/nowhere/to/be/found", &"x".repeat(6000), 0)?;
    parse::send(&client.with_header("large", "x".repeat(3500)), &"x".repeat(6000))?;
    let error = nothing::call(&client.with_header("large", "x".repeat(5000))).unwrap_err();
    ensure!(matches!(&error, CallError::Unsendable { message } if message.contains("`frame_max`")), "{error:?}");
    ensure!(!error.may_have_run());
    let dead = format!("{SERVICE}.dead");
    eventually(LONG, || Ok(broker_messages(rabbitmq, &dead)? == 2))?;
    ensure!(reversed::call(&client, vec![7; 100_000])?.len() == 100_000);
    ensure!(bystander.wait()? == 1000);
    let after = connections(rabbitmq)?;
    ensure!(before == after, "a connection was lost: {before}, {after}");
    let error = add::call(&client.with_header("large", "x".repeat(5000)), 1, 2).unwrap_err();
    ensure!(!error.may_have_run(), "{error:?}");
    Ok(())
}

fn broker_messages(broker: &dyn Broker, queue: &str) -> anyhow::Result<usize> {
    Ok(broker.queue(queue)?.map_or(0, |queue| queue.messages))
}

fn few_channels(rabbitmq: &mut RabbitMq) -> anyhow::Result<()> {
    rabbitmq.set("channel_max", "2")?;
    let error = Server::start(setup(rabbitmq)).unwrap_err();
    ensure!(error.kind() == ErrorKind::Denied && error.to_string().contains("`channel_max`"), "{error}");
    rabbitmq.set("channel_max", "3")?;
    let _server = Server::start(setup(rabbitmq).workers(8))?;
    rabbitmq.set("channel_max", "2")?;
    let client = client(rabbitmq)?;
    let calls: Vec<Pending<i64>> = (0..200).map(|n| add::start(&client, n, 1)).collect::<Result<_, _>>()?;
    for (n, call) in (0..).zip(calls) {
        ensure!(call.wait()? == n + 1);
    }
    // There is no channel left to try these on.
    ensure!(matches!(add::call(&client.with_exchange("nowhere"), 1, 2), Err(CallError::Unroutable { .. })));
    for _ in 0..5 {
        parse::send(&client, "no number")?;
    }
    let dead = format!("{SERVICE}.dead");
    eventually(LONG, || Ok(broker_messages(rabbitmq, &dead)? == 5))?;
    Ok(())
}

fn a_broker_without_heartbeats(rabbitmq: &mut RabbitMq) -> anyhow::Result<()> {
    rabbitmq.set("heartbeat", "0")?;
    let road = Proxy::to(rabbitmq.port())?;
    let client = Client::connect(format!("{}?heartbeat=2", road.detour(&rabbitmq.uri())))?;
    // Ours are sent as well: the broker would hang up after two that it misses.
    std::thread::sleep(Duration::from_secs(8));
    ensure!(client.status() == ConnectionStatus::Connected);
    road.freeze();
    eventually(LONG, || Ok(client.status() != ConnectionStatus::Connected))?;
    road.thaw();
    eventually(LONG, || Ok(client.status() == ConnectionStatus::Connected))
}

/// RabbitMQ closes a channel on which an acknowledgement is overdue; version 3 does so again and again.
fn a_function_that_outlasts_the_broker(rabbitmq: &mut RabbitMq) -> anyhow::Result<()> {
    rabbitmq.set("consumer_timeout", "3000")?;
    rabbitmq.set("channel_tick_interval", "500")?;
    let service = program(&rabbitmq.uri(), &["--workers", "4"])?;
    let client = client(rabbitmq)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    let before = connections(rabbitmq)?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("runs");
    let path = file.to_str().expect("it is ASCII");
    log::send(&client, path, "run", 8000)?;
    let line = service.wait_for_log("no deliveries", LONG)?;
    ensure!(line.contains("Timeout value used: 3000 ms") && line.contains("`consumer_timeout`"), "{line}");
    let line = service.wait_for_log("it has been running for", LONG)?;
    ensure!(line.contains("after 3s in all") && line.contains("log"), "{line}");
    ensure!(add::call(&client, 1, 2)? == 3, "others are served meanwhile");
    eventually(LONG, || Ok(std::fs::read_to_string(&file).is_ok_and(|runs| runs.contains("run"))))?;
    eventually(LONG, || {
        let queues = [SERVICE, "guirpc-tests.retry", "guirpc-tests.quarantine"];
        Ok(queues.iter().map(|queue| broker_messages(rabbitmq, queue)).sum::<anyhow::Result<usize>>()? == 0)
    })?;
    let runs = std::fs::read_to_string(&file)?;
    ensure!(runs.lines().count() == 1, "it has run {} times", runs.lines().count());
    let after = connections(rabbitmq)?;
    ensure!(before == after, "a connection was lost: {before}, {after}");
    Ok(())
}

fn connections_have_names(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let _server = Server::start(setup(rabbitmq))?;
    let client = client(rabbitmq)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    let listed = rabbitmq.eval(&format!(
        "[proplists:get_value(<<\"connection_name\">>, [{{N, V}} || {{N, _, V}} <- P]) \
            || C <- rabbit_networking:connections(), \
               [{{vhost, H}}, {{client_properties, P}}] <- \
                   [catch rabbit_networking:connection_info(C, [vhost, client_properties])], \
               H =:= <<\"{}\">>]",
        rabbitmq.vhost()
    ))?;
    for name in ["guirpc-tests: server, consuming", "guirpc-tests: server, replying, lane reports", ": client"] {
        ensure!(listed.matches(&format!("{name}\"")).count() == 1, "no `{name}` in: {listed}");
    }
    ensure!(listed.contains("\"end_to_end"), "{listed}");
    Ok(())
}
