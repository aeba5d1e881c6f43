//! Messages of several calls, as a client of another make would send them: each call is answered as if it had come alone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, ensure};
use guirpc::{ExchangeType, Server};
use harness::{Broker, Case, eventually};
use rmp_serde::encode::to_vec;
use serde_bytes::ByteBuf;
use tempfile::TempDir;

use crate::redelivery::{dead, is_empty};
use crate::service::{LONG, SERVICE, client, setup};
use crate::workload::{add, counted, seen};

mod caller;
mod delivered_again;

use caller::{CALLS, Caller, NOTHING, call, nothing_waits, sums};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = delivered_again::cases();
    cases.extend([
        Case::shared("coalesced::all_are_answered", all_are_answered),
        Case::shared("coalesced::each_has_an_outcome_of_its_own", each_has_an_outcome_of_its_own),
        Case::shared("coalesced::each_has_headers_and_a_deadline_of_its_own", each_has_headers_of_its_own),
        Case::shared("coalesced::a_slow_call_delays_no_quick_one", a_slow_call_delays_no_quick_one),
        Case::shared("coalesced::a_slow_call_delays_no_refusal", a_slow_call_delays_no_refusal),
        Case::shared(
            "coalesced::a_slow_call_delays_no_refusal_in_a_shutdown",
            a_slow_call_delays_no_refusal_in_a_shutdown,
        ),
        Case::shared("coalesced::slow_calls_run_on_all_workers", slow_calls_run_on_all_workers),
        Case::shared("coalesced::one_message_holds_up_no_other_caller", one_message_holds_up_no_other_caller),
        Case::shared("coalesced::what_is_fetched_ahead_is_bounded_in_calls", what_is_fetched_is_bounded),
        Case::shared("coalesced::what_is_no_list_of_calls_is_refused", what_is_no_list_of_calls_is_refused),
        Case::shared("coalesced::any_queue_takes_them", any_queue_takes_them),
        Case::shared("coalesced::there_is_no_queue_for_them_elsewhere", there_is_no_queue_for_them_elsewhere),
    ]);
    cases
}

fn all_are_answered(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let mut caller = Caller::new(broker)?;
    let mut all = Vec::new();
    for message in 0..20 {
        let calls = sums(message * 100, 60)?;
        caller.send(&calls)?;
        all.extend(calls);
    }
    caller.wait_for_all(&all)?;
    for (id, reply) in &caller.replies {
        ensure!(reply.output::<i64>()? == id.parse::<i64>()? + 1, "{id}: {reply:?}");
    }
    let alone = caller.replies.values().filter(|reply| reply.together == 1).count();
    ensure!(alone < all.len() / 4, "{alone} of {} replies came alone", all.len());
    nothing_waits(broker)?;
    ensure!(dead(broker)? == 0);
    // One alone is answered as ever.
    caller.send(&sums(7777, 1)?)?;
    caller.wait(["7777"])?;
    ensure!(caller.replies["7777"].together == 1);
    Ok(())
}

fn each_has_an_outcome_of_its_own(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).max_body(2000))?;
    let mut caller = Caller::new(broker)?;
    let calls = [
        call("sum", "add", &(1, 2))?,
        call("unknown", "ad", &(1, 2))?,
        call("arguments", "add", &("one", 2))?,
        call("error", "find", &["eve"])?,
        call("fault", "parse", &[""])?,
        call("headed", "headed", &["etag"])?,
        call("lane", "report", &[1])?,
        call("idempotent", "birthday", &(("ada", 36, [0_u8; 0]), 1))?,
        call("ping", "guirpc.ping", &())?,
        call("large", "zeros", &[1900])?,
        (|| {
            let (id, function, _, deadline, timeout, headers, body) = call("type", "add", &(1, 2))?;
            anyhow::Ok((id, function, Some("text/html".to_owned()), deadline, timeout, headers, body))
        })()?,
    ];
    let sent = Instant::now();
    caller.send(&calls)?;
    caller.wait_for_all(&calls)?;
    // Apart from the refusals, which wait for their message: to show where a panic came from may take a while.
    let panics = [call("panic", "panic", &["no"])?, call("beside", "add", &(1, 2))?];
    caller.send(&panics)?;
    caller.wait_for_all(&panics)?;
    let outcome = |id: &str| (&*caller.replies[id].kind, caller.replies[id].status);
    for (id, expected) in [
        ("sum", ("output", 200)),
        ("unknown", ("refusal", 404)),
        ("arguments", ("refusal", 400)),
        ("error", ("error", 422)),
        ("fault", ("fault", 409)),
        ("panic", ("fault", 500)),
        ("beside", ("output", 200)),
        ("headed", ("output", 200)),
        ("lane", ("output", 200)),
        ("ping", ("output", 200)),
        ("large", ("output", 200)),
        ("type", ("refusal", 415)),
    ] {
        ensure!(outcome(id) == expected, "{id}: {:?}", caller.replies[id]);
        ensure!(caller.replies[id].is_certain(sent), "{id}: {:?}", caller.replies[id]);
    }
    nothing_waits(broker)?;
    ensure!(dead(broker)? == 0);
    Ok(())
}

fn each_has_headers_of_its_own(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let mut caller = Caller::new(broker)?;
    let now = i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis())?;
    let seen = |id: &str, deadline: Option<i64>, tenant: &str| {
        let (id, function, content_type, ..) = call(id, "seen", &NOTHING)?;
        // A count that a caller makes up is none.
        let headers = [("tenant", tenant), ("guirpc-attempts", "7")].map(|(name, value)| (name.into(), value.into()));
        let body = ByteBuf::from(to_vec(&NOTHING)?);
        anyhow::Ok((id, function, content_type, deadline, deadline.map(|_| 60_000), Some(headers.into()), body))
    };
    let calls = [
        seen("a", Some(now + 60_000), "first")?,
        seen("b", None, "second")?,
        seen("late", Some(now - 60_000), "third")?,
    ];
    let sent = Instant::now();
    caller.send(&calls)?;
    caller.wait_for_all(&calls)?;
    for (id, tenant, deadline) in [("a", "first", "true"), ("b", "second", "false")] {
        let seen: BTreeMap<String, String> = caller.replies[id].output()?;
        let expected = [("tenant", tenant), ("deadline", deadline), ("app_id", "raw"), ("redelivered", "false")];
        for (name, value) in expected {
            ensure!(seen[name] == value, "{id}: {name} is {}", seen[name]);
        }
    }
    let late = &caller.replies["late"];
    ensure!((&*late.kind, late.status) == ("refusal", 408), "{late:?}");
    ensure!(late.is_certain(sent), "{late:?}");
    Ok(())
}

fn a_slow_call_delays_no_quick_one(broker: &dyn Broker) -> anyhow::Result<()> {
    for (workers, slow_first) in [(1, false), (2, true)] {
        let server = Server::start(setup(broker).workers(workers))?;
        let mut caller = Caller::new(broker)?;
        let slow = call("slow", "sleep", &[1500])?;
        let mut calls = sums(0, 20)?;
        calls.insert(if slow_first { 0 } else { 20 }, slow);
        caller.send(&calls)?;
        caller.wait_for_all(&calls)?;
        let slow = caller.replies["slow"].at;
        for (id, reply) in caller.replies.iter().filter(|(id, _)| *id != "slow") {
            ensure!(reply.at < slow, "call {id} waited for the slow one, with {workers} workers");
        }
        ensure!(caller.replies["slow"].is_output());
        drop(server);
        nothing_waits(broker)?;
    }
    Ok(())
}

/// It is not certain then that the call is never run, since the message is not acknowledged.
fn a_slow_call_delays_no_refusal(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let mut caller = Caller::new(broker)?;
    caller.send(&[call("slow", "sleep", &[3000])?, call("unknown", "ad", &(1, 2))?])?;
    caller.wait(["unknown", "slow"])?;
    let refused = &caller.replies["unknown"];
    ensure!(refused.at < caller.replies["slow"].at, "it waited for the slow one: {refused:?}");
    ensure!((&*refused.kind, refused.status, refused.attempts) == ("refusal", 404, Some(1)), "{refused:?}");
    nothing_waits(broker)
}

fn a_slow_call_delays_no_refusal_in_a_shutdown(broker: &dyn Broker) -> anyhow::Result<()> {
    let server = Server::start(setup(broker))?;
    let mut caller = Caller::new(broker)?;
    let folder = TempDir::new()?;
    let file = folder.path().join("begun");
    caller.send(&[call("slow", "begin", &(&file, 6000))?, call("unknown", "ad", &(1, 2))?])?;
    eventually(LONG, || Ok(file.exists()))?;
    server.shutdown_handle().shutdown();
    caller.wait(["unknown", "slow"])?;
    let refused = &caller.replies["unknown"];
    ensure!(refused.at < caller.replies["slow"].at, "it waited for the slow one: {refused:?}");
    ensure!(server.wait().abandoned == 0);
    nothing_waits(broker)
}

fn slow_calls_run_on_all_workers(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(4))?;
    let mut caller = Caller::new(broker)?;
    let calls = (0..8).map(|n| call(&n.to_string(), "sleep", &[1500])).collect::<Result<Vec<_>, _>>()?;
    let begun = Instant::now();
    caller.send(&calls)?;
    caller.wait_for_all(&calls)?;
    // One after another they take 12 s, on four workers 3 s.
    ensure!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    Ok(())
}

fn one_message_holds_up_no_other_caller(broker: &dyn Broker) -> anyhow::Result<()> {
    // Four messages at a time.
    let _server = Server::start(setup(broker).workers(1).prefetch(256))?;
    let (mut caller, mut other) = (Caller::new(broker)?, Caller::new(broker)?);
    let client = client(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    let slow = (0..60).map(|n| call(&n.to_string(), "sleep", &[100])).collect::<Result<Vec<_>, _>>()?;
    caller.send(&slow)?;
    eventually(LONG, || Ok(broker.queue(CALLS)?.is_some_and(|queue| queue.unacked == 1)))?;
    other.send(&sums(0, 2)?)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    other.wait(["0", "1"])?;
    caller.take()?;
    ensure!(caller.replies.len() < 50, "{} of the message were done by then", caller.replies.len());
    caller.wait_for_all(&slow)
}

fn what_is_fetched_is_bounded(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(1).prefetch(128))?;
    let mut caller = Caller::new(broker)?;
    let mut all = Vec::new();
    for message in 0..5 {
        let id = |n: i32| format!("{message}-{n}");
        // The first holds the others up.
        let milliseconds = |n: i32| if (message, n) == (0, 0) { 4000 } else { 10 };
        let calls = (0..2).map(|n| call(&id(n), "sleep", &[milliseconds(n)])).collect::<Result<Vec<_>, _>>()?;
        caller.send(&calls)?;
        all.extend(calls);
    }
    eventually(LONG, || Ok(broker.queue(CALLS)?.is_some_and(|queue| queue.messages == 5 && queue.unacked > 0)))?;
    let queue = broker.queue(CALLS)?.context("it is there")?;
    ensure!(queue.unacked <= 2, "{} messages were fetched, of which 128 calls are 2", queue.unacked);
    caller.wait_for_all(&all)?;
    nothing_waits(broker)
}

fn what_is_no_list_of_calls_is_refused(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).max_body(5000))?;
    let many = vec![call("1", "count", &["never"])?; 1025];
    let nested = call("1", "guirpc.calls", &())?;
    let unreadable = to_vec(&(call("1", "count", &["never"])?, "no call"))?;
    for (body, status) in [
        (b"".to_vec(), 400),
        (b"\xc1".to_vec(), 400),
        (vec![0x90], 400),
        (unreadable, 400),
        (to_vec(&[nested])?, 400),
        (to_vec(&many)?, 413),
    ] {
        let mut caller = Caller::new(broker)?;
        caller.send_body("guirpc", CALLS, &body)?;
        caller.wait(["message"])?;
        let refused = &caller.replies["message"];
        ensure!((&*refused.kind, refused.status, refused.attempts) == ("refusal", status, None), "{refused:?}");
    }
    nothing_waits(broker)?;
    let client = client(broker)?;
    ensure!(counted::call(&client, "never")? == 0 && dead(broker)? == 0);
    Ok(())
}

/// Where every server gets everything there is no queue for them: they come as any request does.
fn any_queue_takes_them(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).exchange("everywhere").exchange_type(ExchangeType::Fanout))?;
    let mut caller = Caller::new(broker)?;
    let calls = sums(0, 20)?;
    caller.send_to("everywhere", "", &calls)?;
    caller.wait_for_all(&calls)?;
    for (id, reply) in &caller.replies {
        ensure!(reply.output::<i64>()? == id.parse::<i64>()? + 1, "{id}: {reply:?}");
    }
    ensure!(broker.queue(CALLS)?.is_none());
    eventually(LONG, || is_empty(broker, SERVICE))
}

fn there_is_no_queue_for_them_elsewhere(broker: &dyn Broker) -> anyhow::Result<()> {
    drop(Server::start(setup(broker).durable(false))?);
    ensure!(broker.queue(CALLS)?.is_none(), "beside a queue that does not last");
    drop(Server::start(setup(broker).queue("other").routing_key("key").exchange("direct"))?);
    ensure!(broker.queue("other.calls")?.is_some());
    let _server = Server::start(setup(broker).queue("other").routing_key("key").exchange("direct"))?;
    let mut caller = Caller::new(broker)?;
    let calls = sums(0, 2)?;
    caller.send_to("direct", "key.calls", &calls)?;
    caller.wait_for_all(&calls)?;
    let client = client(broker)?.with_exchange("direct").with_service("key");
    ensure!(seen::call(&client)?["redelivered"] == "false");
    Ok(())
}
