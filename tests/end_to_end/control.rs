//! What servers say of themselves on the control exchange.

use std::process::Command;
use std::time::{Duration, Instant};

use amiquip::{AmqpProperties, Connection, Publish};
use anyhow::{Context, ensure};
use guirpc::contract::Contract;
use guirpc::control::{Control, FunctionStatistics, Statistics, Target, VERSION};
use guirpc::{ErrorKind, Server};
use harness::{Broker, Case, RabbitMq, binary, eventually};

use crate::service::{LONG, SERVICE, client, program, serve, setup};
use crate::workload::tasks::rest;
use crate::workload::{add, count, fail, find, panic, sleep};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("control::who_is_there_answers", who_is_there_answers),
        Case::shared("control::what_is_served_is_described", what_is_served_is_described),
        Case::shared("control::contracts_are_those_of_the_program", contracts_are_those_of_the_program),
        Case::shared("control::callers_of_another_contract_are_logged", callers_of_another_contract_are_logged),
        Case::shared("control::what_comes_of_requests_is_counted", what_comes_of_requests_is_counted),
        Case::shared("control::what_is_under_way_is_counted", what_is_under_way_is_counted),
        Case::shared("control::it_outlives_connections", it_outlives_connections),
        Case::shared("control::nonsense_is_not_answered", nonsense_is_not_answered),
        Case::shared("control::whoever_does_not_want_to_does_not_answer", whoever_does_not_want_to_does_not_answer),
        Case::rabbitmq_shared("control::a_server_without_the_right_serves", a_server_without_the_right_serves),
    ]
}

fn ask(broker: &dyn Broker) -> anyhow::Result<Control> {
    Ok(Control::connect(&broker.uri())?.wait(LONG))
}

fn who_is_there_answers(broker: &dyn Broker) -> anyhow::Result<()> {
    let control = ask(broker)?.expect(2);
    ensure!(control.ping(&Target::all())?.is_empty(), "nobody is there, nor is the exchange");
    let first = Server::start(setup(broker))?;
    let second = program(&broker.uri(), &[])?;
    let mut pids = Vec::new();
    // A server answers soon after it serves.
    eventually(LONG, || {
        let pongs = ask(broker)?.wait(Duration::from_millis(300)).ping(&Target::service(SERVICE))?;
        pids = pongs.iter().map(|pong| pong.instance.pid).collect();
        pids.sort_unstable();
        Ok(pids.len() == 2)
    })?;
    let mut expected = [std::process::id(), second.id()];
    expected.sort_unstable();
    ensure!(pids == expected, "{pids:?}");
    let pongs = control.ping(&Target::all())?;
    let ids: Vec<&str> = pongs.iter().map(|pong| &*pong.instance.id).collect();
    ensure!(pongs.len() == 2 && ids[0] != ids[1], "{pongs:?}");
    ensure!(pongs.iter().all(|pong| pong.version == VERSION && pong.instance.services == [SERVICE]), "{pongs:?}");
    ensure!(pongs.iter().all(|pong| pong.after.is_some_and(|after| after < LONG)), "{pongs:?}");
    let one = ask(broker)?.expect(1).ping(&Target::instance(ids[0]))?;
    ensure!(one.len() == 1 && one[0].instance == pongs[0].instance, "{one:?}");
    let begun = Instant::now();
    ensure!(control.ping(&Target::service("nobody"))?.is_empty() && begun.elapsed() < LONG / 2, "nobody is waited for");
    drop(first);
    let left = ask(broker)?.expect(1).ping(&Target::service(SERVICE))?;
    ensure!(left.len() == 1 && left[0].instance.pid == second.id(), "{left:?}");
    Ok(())
}

fn what_is_served_is_described(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(3).prefetch(7))?;
    let mut infos = Vec::new();
    eventually(LONG, || {
        infos = ask(broker)?.expect(1).info(&Target::service(SERVICE))?;
        Ok(!infos.is_empty())
    })?;
    let info = &infos[0];
    ensure!(info.services.len() == 1 && info.services[0].name == SERVICE, "{info:?}");
    let described = info.services[0].functions.iter().find(|function| function.name == "add").context("it is there")?;
    ensure!(described.signature == "fn add(a: i64, b: i64) -> i64" && described.ack == "after-reply", "{described:?}");
    ensure!(described.arguments.iter().map(|argument| &*argument.name).eq(["a", "b"]), "{described:?}");
    let lanes: Vec<Option<&str>> = info.lanes.iter().map(|lane| lane.lane.as_deref()).collect();
    ensure!(lanes == [None, Some("reports")], "{lanes:?}");
    let lane = &info.lanes[0];
    ensure!((lane.workers, lane.prefetch, lane.coalesced) == (3, 7, true), "{lane:?}");
    let json = serde_json::to_string(info)?;
    ensure!(info.broker.starts_with("amqp://") && !json.contains("guest:guest"), "{}", info.broker);
    Ok(())
}

fn contracts_are_those_of_the_program(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let mut answers = Vec::new();
    eventually(LONG, || {
        answers = ask(broker)?.expect(1).contracts(&Target::service(SERVICE))?;
        Ok(!answers.is_empty())
    })?;
    ensure!(answers[0].contracts == [Contract::of_service(SERVICE)?], "{answers:?}");
    let printed = Command::new(binary("workload")?).arg("contract").output()?;
    ensure!(printed.stdout == answers[0].contracts[0].to_json().as_bytes(), "{printed:?}");
    Ok(())
}

fn callers_of_another_contract_are_logged(broker: &dyn Broker) -> anyhow::Result<()> {
    let program = program(&broker.uri(), &["--log-contracts"])?;
    let hash = Contract::of_service(SERVICE)?.hash;
    let client = client(broker)?;
    for contract in [&*hash, "of-yesterday", "of-yesterday", "of-the-day-before"] {
        add::call(&client.with_header("guirpc-contract", contract), 1, 2)?;
    }
    program.wait_for_log("of-the-day-before", LONG)?;
    let lines: Vec<String> =
        program.stderr().into_iter().filter(|line| line.contains("was made for the contract")).collect();
    ensure!(lines.len() == 2 && lines[0].contains("of-yesterday") && lines[0].contains(&hash), "{lines:?}");
    Ok(())
}

/// The statistics of the only server.
fn statistics(broker: &dyn Broker) -> anyhow::Result<Statistics> {
    let mut all = Vec::new();
    eventually(LONG, || {
        all = ask(broker)?.expect(1).statistics(&Target::service(SERVICE))?;
        Ok(!all.is_empty())
    })?;
    Ok(all.swap_remove(0))
}

fn of(statistics: &Statistics, function: &str) -> FunctionStatistics {
    let services = statistics.lanes.iter().flat_map(|lane| &lane.services);
    let mut functions = services.flat_map(|service| &service.functions);
    functions.find(|found| found.function == function).cloned().unwrap_or_default()
}

fn what_comes_of_requests_is_counted(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    for n in 0..20 {
        add::call(&client, n, 1)?;
    }
    ensure!(find::call(&client, "nobody").is_err() && panic::call(&client, "on purpose".to_owned()).is_err());
    for name in ["made-up", "another"] {
        ensure!(client.call_json(SERVICE, name, serde_json::json!({})).is_err());
    }
    ensure!(client.call_json(SERVICE, "add", serde_json::json!({ "a": "one" })).is_err());
    count::call(&client, "control")?;
    fail::send(&client, "control", 409)?;
    let mut dead = FunctionStatistics::default();
    eventually(LONG, || {
        dead = of(&statistics(broker)?, "fail");
        Ok(dead.dead_letters == 1)
    })
    .with_context(|| format!("{dead:?}"))?;
    ensure!(dead.faults >= 1 && dead.last_failure.is_some_and(|failure| failure.status == 409), "{dead:?}");
    let statistics = statistics(broker)?;
    let (added, found, panicked) = (of(&statistics, "add"), of(&statistics, "find"), of(&statistics, "panic"));
    ensure!((added.requests, added.outputs, added.in_flight) == (21, 20, 0), "{added:?}");
    ensure!(added.refusals.get(&400) == Some(&1) && added.last_failure.is_none(), "{added:?}");
    ensure!(added.run_time.count == 20 && added.run_time.p50_us <= added.run_time.max_us, "{added:?}");
    ensure!(added.queue_time.count == 21 && added.queue_time.max_us < 60_000_000, "{added:?}");
    ensure!((found.errors, panicked.faults) == (1, 1), "{found:?} {panicked:?}");
    let unknown = of(&statistics, "_OTHER");
    ensure!(unknown.requests == 2 && unknown.refusals.get(&404) == Some(&2), "{unknown:?}");
    ensure!(statistics.lanes[0].status == "connected" && statistics.lanes[0].reconnects == 0, "{statistics:?}");
    Ok(())
}

fn what_is_under_way_is_counted(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let blocking = (0..2).map(|_| sleep::start(&client, 4000)).collect::<Result<Vec<_>, _>>()?;
    let resting = (0..5).map(|_| rest::start(&client, "control", 4000)).collect::<Result<Vec<_>, _>>()?;
    let mut seen = None;
    eventually(LONG, || {
        let statistics = statistics(broker)?;
        let in_flight = [of(&statistics, "sleep").in_flight, of(&statistics, "rest").in_flight];
        seen = Some((in_flight, statistics.lanes[0].busy));
        Ok(in_flight == [2, 5] && statistics.lanes[0].busy == 7)
    })
    .with_context(|| format!("{seen:?}"))?;
    blocking.into_iter().try_for_each(|call| call.wait().map(drop))?;
    resting.into_iter().try_for_each(|call| call.wait().map(drop))?;
    eventually(LONG, || Ok(of(&statistics(broker)?, "rest").in_flight == 0))
}

fn it_outlives_connections(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    add::call(&client, 1, 2)?;
    let before = statistics(broker)?;
    broker.close_all_connections("a test")?;
    eventually(LONG, || {
        let control = ask(broker).map(|control| control.expect(1).wait(Duration::from_millis(500)));
        let statistics = control.and_then(|control| Ok(control.statistics(&Target::service(SERVICE))?));
        Ok(statistics.is_ok_and(|all| {
            all.iter().any(|after| {
                let is_back = after.lanes[0].reconnects == 1 && after.lanes[0].status == "connected";
                is_back && after.instance == before.instance && of(after, "add").requests == 1
            })
        }))
    })?;
    ensure!(add::call(&client, 1, 2)? == 3);
    Ok(())
}

/// Strangers' questions, among them some that would have the answer sent where it costs the connection.
fn nonsense_is_not_answered(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let before = statistics(broker)?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    let addresses = ["", "amq.rabbitmq.reply-to.g1h2AAhyZXBseUA=.x", "nobody", "\u{1}"];
    for kind in ["guirpc.control.ping", "guirpc.control.stats", "guirpc.control.", "", "guirpc.calls"] {
        for address in addresses {
            let properties = AmqpProperties::default().with_type_(kind.to_owned()).with_reply_to(address.to_owned());
            channel.basic_publish("guirpc.control", Publish::with_properties(b"{", "servers", properties))?;
        }
        channel.basic_publish("guirpc.control", Publish::new(&vec![0xC1; 100_000], "servers"))?;
    }
    connection.close()?;
    let after = statistics(broker)?;
    ensure!(after.instance == before.instance && after.lanes[0].reconnects == 0, "{after:?}");
    ensure!(add::call(&client, 1, 2)? == 3);
    Ok(())
}

fn whoever_does_not_want_to_does_not_answer(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).control(false))?;
    ensure!(add::call(&client(broker)?, 1, 2)? == 3);
    let quick = ask(broker)?.wait(Duration::from_millis(500));
    ensure!(quick.ping(&Target::all())?.is_empty());
    Ok(())
}

fn a_server_without_the_right_serves(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    // All but the control exchange and its queues.
    let rights = ["^(?!guirpc\\.control)", "^(?!guirpc\\.control)", "^(?!guirpc\\.control)"];
    let uri = rabbitmq.add_user("uncontrolled", rights)?;
    let server = program(&uri, &[])?;
    server.wait_for_log("this server cannot be asked how it does", LONG)?;
    ensure!(add::call(&client(rabbitmq)?, 1, 2)? == 3);
    // Nor may its user ask, where there is somebody to ask.
    let _asked = Server::start(setup(rabbitmq))?;
    let is_denied = |error: guirpc::Error| error.kind() == ErrorKind::Denied;
    eventually(LONG, || Ok(Control::connect(&uri)?.ping(&Target::all()).is_err_and(is_denied)))
}
