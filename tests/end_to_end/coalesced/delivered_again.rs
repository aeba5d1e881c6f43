//! Messages of calls that are delivered again, or given back: each call has a fate of its own.

use std::collections::BTreeMap;
use std::fs;

use amiquip::Connection;
use anyhow::{Context, ensure};
use guirpc::Server;
use harness::{Broker, Case, eventually};
use tempfile::TempDir;

use super::caller::{CALLS, Caller, NOTHING, QUARANTINE, call, nothing_waits};
use crate::redelivery::{DEAD, RETRY, dead, is_empty, keep_serving, letter, lines};
use crate::service::{LONG, SERVICE, client, setup};
use crate::workload::counted;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::shared("coalesced::an_early_function_runs_at_most_once", an_early_function_runs_at_most_once),
        Case::shared("coalesced::an_early_function_beside_poison_runs_at_most_once", an_early_function_beside_poison),
        Case::shared("coalesced::a_call_that_comes_twice_runs_once", a_call_that_comes_twice_runs_once),
        Case::shared("coalesced::a_poisonous_call_condemns_no_other", a_poisonous_call_condemns_no_other),
        Case::shared("coalesced::a_shutdown_returns_what_has_not_begun", a_shutdown_returns_what_has_not_begun),
        Case::shared("coalesced::what_was_answered_is_not_run_again", what_was_answered_is_not_run_again),
    ]
}

fn an_early_function_runs_at_most_once(broker: &dyn Broker) -> anyhow::Result<()> {
    // A new message: it is answered as any, and so are the others.
    let server = Server::start(setup(broker))?;
    let client = client(broker)?;
    let mut caller = Caller::new(broker)?;
    let calls = [call("early", "count_early", &["a"])?, call("late", "count", &["b"])?];
    caller.send(&calls)?;
    caller.wait_for_all(&calls)?;
    ensure!(caller.replies["early"].output::<u32>()? == 1 && caller.replies["late"].output::<u32>()? == 1);
    nothing_waits(broker)?;
    drop(server);
    // One that was delivered before, to a server that has gone: what runs at most once may have run.
    let mut caller = Caller::new(broker)?;
    caller.send(&calls)?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    let mut got = None;
    eventually(LONG, || {
        got = channel.basic_get(CALLS, false)?;
        Ok(got.is_some())
    })?;
    got.context("it is there")?.nack(&channel, true)?;
    connection.close()?;
    let _server = Server::start(setup(broker))?;
    caller.wait_for_all(&calls)?;
    let early = &caller.replies["early"];
    ensure!((&*early.kind, early.status, early.attempts) == ("refusal", 409, Some(1)), "{early:?}");
    ensure!(caller.replies["late"].output::<u32>()? == 1);
    ensure!(counted::call(&client, "a")? == 0 && counted::call(&client, "b")? == 1);
    nothing_waits(broker)
}

fn an_early_function_beside_poison(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let file = |name: &str| folder.path().join(name).to_str().map(str::to_owned).context("a plain name");
    drop(Server::start(setup(broker))?);
    let mut caller = Caller::new(broker)?;
    caller.may_repeat = true;
    let mut calls = vec![call("poison", "abort", &[file("runs")?])?];
    for n in 0..10 {
        calls.push(call(&format!("early {n}"), "log_early", &(file("early")?, n.to_string()))?);
        calls.push(call(&format!("late {n}"), "log", &(file("late")?, n.to_string(), 0))?);
    }
    caller.send(&calls)?;
    keep_serving(broker, &["--workers", "2", "--max-deliveries", "3"], || {
        let queues = [SERVICE, CALLS, RETRY, QUARANTINE];
        Ok(dead(broker)? > 0 && queues.iter().all(|queue| is_empty(broker, queue).unwrap_or(false)))
    })?;
    caller.wait_for_all(&calls)?;
    let read = |name: &str| anyhow::Ok(fs::read_to_string(file(name)?).unwrap_or_default());
    let (early, late) = (read("early")?, read("late")?);
    for n in 0..10 {
        let times = |text: &str| text.lines().filter(|line| *line == n.to_string()).count();
        ensure!(times(&early) <= 1, "an early one was run {} times", times(&early));
        ensure!(times(&late) >= 1, "call {n} was not run");
        // Its caller knows: it ran, or may have.
        let reply = &caller.replies[&format!("early {n}")];
        ensure!(reply.is_output() || (reply.status == 409 && reply.attempts.is_some()), "{reply:?}");
    }
    Ok(())
}

/// As it does when its caller has lost the connection.
fn a_call_that_comes_twice_runs_once(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let mut caller = Caller::new(broker)?;
    caller.may_repeat = true;
    let twice = call("twice", "steady", &("steady", 50))?;
    for _ in 0..2 {
        caller.send(&[twice.clone(), twice.clone(), call("other", "add", &(1, 2))?])?;
    }
    caller.wait(["twice", "other"])?;
    nothing_waits(broker)?;
    ensure!(caller.replies["twice"].output::<String>()? == "twice");
    let client = client(broker)?;
    ensure!(counted::call(&client, "steady")? == 1);
    Ok(())
}

fn a_poisonous_call_condemns_no_other(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let (runs, done) = (folder.path().join("runs"), folder.path().join("done"));
    let (runs_path, done_path) = (runs.to_str().context("a name")?, done.to_str().context("a name")?);
    drop(Server::start(setup(broker))?);
    let mut caller = Caller::new(broker)?;
    let mut calls =
        (0..20).map(|n| call(&n.to_string(), "log", &(done_path, n.to_string(), 20))).collect::<Result<Vec<_>, _>>()?;
    calls.insert(3, call("poison", "abort", &[runs_path])?);
    caller.send(&calls)?;
    keep_serving(broker, &["--workers", "2", "--max-deliveries", "4"], || {
        let queues = [SERVICE, CALLS, RETRY, QUARANTINE];
        Ok(dead(broker)? > 0 && queues.iter().all(|queue| is_empty(broker, queue).unwrap_or(false)))
    })?;
    ensure!(lines(&runs) == 4, "the poison was run {} times", lines(&runs));
    ensure!(dead(broker)? == 1, "{} are dead in {DEAD}", dead(broker)?);
    ensure!(letter(broker)?.properties.type_().as_deref() == Some("abort"));
    let text = fs::read_to_string(&done)?;
    for n in 0..20 {
        ensure!(text.lines().any(|line| line == n.to_string()), "call {n} is not done");
    }
    // Those that ran beside it may be answered twice, by a process that ends and by the next one.
    caller.may_repeat = true;
    caller.wait_for_all(&calls)?;
    ensure!((&*caller.replies["poison"].kind, caller.replies["poison"].status) == ("fault", 500));
    Ok(())
}

fn a_shutdown_returns_what_has_not_begun(broker: &dyn Broker) -> anyhow::Result<()> {
    let server = Server::start(setup(broker).workers(1).prefetch(128))?;
    let mut caller = Caller::new(broker)?;
    let folder = tempfile::tempdir()?;
    let begun = folder.path().join("begun");
    let mut calls = vec![call("slow", "begin", &(&begun, 4000))?];
    for n in 0..5 {
        calls.push(call(&n.to_string(), "seen", &NOTHING)?);
    }
    caller.send(&calls)?;
    eventually(LONG, || Ok(broker.queue(CALLS)?.is_some_and(|queue| queue.unacked == 1)))?;
    // One more, that is fetched and not looked at.
    caller.send(&[call("5", "seen", &NOTHING)?, call("6", "seen", &NOTHING)?])?;
    eventually(LONG, || Ok(broker.queue(CALLS)?.is_some_and(|queue| queue.unacked == 2)))?;
    eventually(LONG, || Ok(begun.exists()))?;
    server.shutdown_handle().shutdown();
    let report = server.wait();
    ensure!((report.requeued, report.abandoned) == (7, 0), "{report:?}");
    ensure!(is_empty(broker, CALLS)? && is_empty(broker, RETRY)?);
    ensure!(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 7));
    caller.wait(["slow"])?;
    let _server = Server::start(setup(broker))?;
    caller.wait_for_all(&calls)?;
    caller.wait(["5", "6"])?;
    for n in 0..7 {
        let seen: BTreeMap<String, String> = caller.replies[&n.to_string()].output()?;
        ensure!(seen["redelivered"] == "false" && seen["app_id"] == "raw", "{seen:?}");
    }
    nothing_waits(broker)
}

fn what_was_answered_is_not_run_again(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(2))?;
    let client = client(broker)?;
    let mut caller = Caller::new(broker)?;
    let mut calls = vec![call("slow", "count_slowly", &("slow", 5000))?];
    for n in 0..20 {
        calls.push(call(&n.to_string(), "count", &[format!("quick {n}")])?);
    }
    caller.send(&calls)?;
    let quick: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    caller.wait(quick.iter().map(|id| &**id))?;
    ensure!(broker.close_channels(CALLS)? == 1);
    // The message is delivered again; what was answered is answered once more, and what runs is waited for.
    let first = std::mem::take(&mut caller.replies);
    ensure!(!first.contains_key("slow"), "it was quicker than the broker");
    caller.may_repeat = true;
    caller.wait_for_all(&calls)?;
    nothing_waits(broker)?;
    for n in 0..20 {
        let count = counted::call(&client, &format!("quick {n}"))?;
        ensure!(count == 1, "call {n} was run {count} times");
    }
    ensure!(counted::call(&client, "slow")? == 1);
    Ok(())
}
