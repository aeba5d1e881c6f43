//! What was delivered before, what ends its process, and what fails with nobody waiting: counted, and in the end set aside.

use std::fs;
use std::path::Path;
use std::time::Duration;

use amiquip::{AmqpProperties, AmqpValue, Connection, Publish};
use anyhow::{Context, ensure};
use guirpc::{CallError, Server};
use harness::{Broker, Case, eventually};
use tempfile::TempDir;

use crate::service::{LONG, SERVICE, client, program, serve, setup};
use crate::workload::{abort, add, count, counted, fail, fail_again, log, panic};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared(
            "redelivery::a_call_that_ends_its_process_is_set_aside",
            a_call_that_ends_its_process_is_set_aside,
        ),
        Case::shared("redelivery::those_beside_it_are_not", those_beside_it_are_not),
        Case::shared("redelivery::rolling_restarts_set_nothing_aside", rolling_restarts_set_nothing_aside),
        Case::shared("redelivery::a_send_that_fails_is_a_dead_letter", a_send_that_fails_is_a_dead_letter),
        Case::shared(
            "redelivery::a_send_that_may_be_repeated_is_tried_again",
            a_send_that_may_be_repeated_is_tried_again,
        ),
        Case::shared("redelivery::a_send_that_is_refused_is_a_dead_letter", a_send_that_is_refused_is_a_dead_letter),
        Case::shared("redelivery::a_long_story_is_cut_short", a_long_story_is_cut_short),
        Case::shared("redelivery::a_made_up_count_costs_nothing", a_made_up_count_costs_nothing),
        Case::shared("redelivery::an_unanswerable_call_is_a_dead_letter", an_unanswerable_call_is_a_dead_letter),
    ]
}

pub(crate) const DEAD: &str = concat!(env!("CARGO_PKG_NAME"), ".dead");
pub(crate) const RETRY: &str = concat!(env!("CARGO_PKG_NAME"), ".retry");

/// What a dead letter says of itself.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) properties: AmqpProperties,
    body: Vec<u8>,
}

impl Letter {
    fn text(&self, header: &str) -> &str {
        match self.properties.headers().as_ref().and_then(|headers| headers.get(header)) {
            Some(AmqpValue::LongString(text)) => text,
            _ => "",
        }
    }

    fn number(&self, header: &str) -> Option<i64> {
        match self.properties.headers().as_ref()?.get(header)? {
            AmqpValue::LongInt(number) => Some((*number).into()),
            AmqpValue::LongLongInt(number) => Some(*number),
            _ => None,
        }
    }
}

pub(crate) fn dead(broker: &dyn Broker) -> anyhow::Result<usize> {
    Ok(broker.queue(DEAD)?.map_or(0, |queue| queue.messages))
}

/// Waits for the first dead letter, and takes it.
pub(crate) fn letter(broker: &dyn Broker) -> anyhow::Result<Letter> {
    eventually(LONG, || Ok(dead(broker)? > 0))?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let got = connection.open_channel(None)?.basic_get(DEAD, true)?.context("somebody was quicker")?;
    Ok(Letter { properties: got.delivery.properties, body: got.delivery.body })
}

pub(crate) fn is_empty(broker: &dyn Broker, queue: &str) -> anyhow::Result<bool> {
    Ok(broker.queue(queue)?.is_some_and(|queue| queue.messages == 0))
}

pub(crate) fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

/// Keeps one server running, however often it ends, until the condition holds.
pub(crate) fn keep_serving(
    broker: &dyn Broker,
    arguments: &[&str],
    mut until: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    loop {
        let mut server = program(&broker.uri(), arguments)?;
        let mut done = false;
        eventually(4 * LONG, || {
            done = until()?;
            Ok(done || server.wait(Duration::ZERO).is_ok())
        })?;
        if done {
            return Ok(());
        }
    }
}

fn a_call_that_ends_its_process_is_set_aside(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let runs = folder.path().join("runs");
    drop(Server::start(setup(broker))?);
    let client = client(broker)?.with_timeout(4 * LONG);
    let call = abort::start(&client, runs.to_str().context("a plain name")?)?;
    keep_serving(broker, &["--workers", "2", "--max-deliveries", "3"], || {
        Ok(dead(broker)? > 0 && is_empty(broker, SERVICE)? && is_empty(broker, RETRY)?)
    })?;
    let error = call.wait().unwrap_err();
    let CallError::Fault(fault) = error else { anyhow::bail!("{error:?}") };
    ensure!(fault.status() == 500 && fault.message().contains("begun 3 times"), "{fault:?}");
    ensure!(lines(&runs) == 3, "it was run {} times", lines(&runs));
    let letter = letter(broker)?;
    ensure!(letter.text("guirpc-dead-reason") == "crashed" && letter.text("guirpc-dead-queue") == SERVICE);
    ensure!(letter.number("guirpc-attempts") == Some(3) && letter.number("guirpc-dead-status").is_none());
    ensure!(letter.properties.type_().as_deref() == Some("abort"));
    Ok(())
}

/// They were fetched ahead by processes that ended, and are delivered again each time.
fn those_beside_it_are_not(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let (runs, done) = (folder.path().join("runs"), folder.path().join("done"));
    drop(Server::start(setup(broker))?);
    let client = client(broker)?.with_timeout(4 * LONG);
    abort::send(&client, runs.to_str().context("a plain name")?)?;
    for n in 0..100 {
        log::send(&client, done.to_str().context("a plain name")?, &n.to_string(), 1)?;
    }
    keep_serving(broker, &["--workers", "2", "--max-deliveries", "4"], || {
        Ok(dead(broker)? > 0 && lines(&done) >= 100 && is_empty(broker, SERVICE)? && is_empty(broker, RETRY)?)
    })?;
    ensure!(lines(&runs) == 4, "it was run {} times", lines(&runs));
    ensure!(dead(broker)? == 1, "{} are dead", dead(broker)?);
    ensure!(letter(broker)?.properties.type_().as_deref() == Some("abort"));
    Ok(())
}

/// With far more fetched ahead than is begun, and each restart giving that back.
fn rolling_restarts_set_nothing_aside(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let done = folder.path().join("done");
    let client = client(broker)?;
    let start = || Server::start(setup(broker).workers(1).prefetch(100).max_deliveries(2));
    let mut server = start()?;
    for n in 0..200 {
        log::send(&client, done.to_str().context("a plain name")?, &n.to_string(), 5)?;
    }
    for _ in 0..20 {
        let next = start()?;
        drop(std::mem::replace(&mut server, next));
    }
    eventually(4 * LONG, || Ok(is_empty(broker, SERVICE)? && is_empty(broker, RETRY)?))?;
    ensure!(dead(broker)? == 0, "{} are dead", dead(broker)?);
    ensure!(lines(&done) == 200, "{} were run", lines(&done));
    Ok(())
}

fn a_send_that_fails_is_a_dead_letter(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    fail::send(&client.with_header("tenant", "a"), "once", 503)?;
    let letter = letter(broker)?;
    ensure!(letter.text("guirpc-dead-reason") == "failed" && letter.text("guirpc-dead-message") == "run 1");
    ensure!(letter.number("guirpc-dead-status") == Some(503) && letter.number("guirpc-dead-time").is_some());
    ensure!(letter.number("guirpc-attempts") == Some(1), "{letter:?}");
    ensure!(letter.text("tenant") == "a" && !letter.body.is_empty());
    ensure!(letter.properties.delivery_mode() == &Some(2) && letter.properties.reply_to().is_none());
    ensure!(counted::call(&client, "once")? == 1, "it was run again");
    // A call that fails has somebody who is told.
    ensure!(matches!(fail::call(&client, "call", 503), Err(CallError::Fault(_))));
    ensure!(dead(broker)? == 0);
    Ok(())
}

/// What is said of a letter travels in one frame with its headers, which has an end.
fn a_long_story_is_cut_short(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let long = "x".repeat(200_000);
    panic::send(&client, long)?;
    let letter = letter(broker)?;
    ensure!(letter.text("guirpc-dead-message").len() < 5000 && letter.number("guirpc-attempts") == Some(1));
    ensure!(add::call(&client, 1, 2)? == 3);
    Ok(())
}

fn a_made_up_count_costs_nothing(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(1))?;
    let client = client(broker)?;
    for count in [i64::from(u32::MAX), i64::MAX, -1] {
        fail_again::send(&client.with_header("guirpc-attempts", count), "made up", 503)?;
    }
    eventually(LONG, || Ok(dead(broker)? == 3))?;
    ensure!(add::call(&client, 1, 2)? == 3, "the worker is gone");
    Ok(())
}

fn a_send_that_may_be_repeated_is_tried_again(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).max_deliveries(4))?;
    let client = client(broker)?;
    fail_again::send(&client, "again", 503)?;
    let buried = letter(broker)?;
    ensure!(buried.text("guirpc-dead-message") == "run 4", "{buried:?}");
    ensure!(buried.number("guirpc-attempts") == Some(4), "{buried:?}");
    ensure!(counted::call(&client, "again")? == 4);
    // What the caller did wrong does not get right by itself.
    fail_again::send(&client, "wrong", 409)?;
    ensure!(letter(broker)?.text("guirpc-dead-message") == "run 1");
    Ok(())
}

fn a_send_that_is_refused_is_a_dead_letter(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    for (function, status) in [("nowhere", 404), ("add", 400)] {
        client.send_json(SERVICE, function, serde_json::json!({ "a": "one" }))?;
        let letter = letter(broker)?;
        ensure!(letter.number("guirpc-dead-status") == Some(status), "{letter:?}");
        ensure!(letter.number("guirpc-attempts") == Some(0), "it did not run: {letter:?}");
        ensure!(letter.properties.type_().as_deref() == Some(function));
    }
    // What expires has been given up by its sender.
    let single = client.without_coalescing();
    let _busy = [(); 4].map(|()| crate::workload::sleep::start(&single, 2500));
    count::send(&client.with_expires(Duration::from_millis(100)), "expired")?;
    eventually(LONG, || is_empty(broker, SERVICE))?;
    ensure!(counted::call(&client, "expired")? == 0 && dead(broker)? == 0);
    Ok(())
}

fn an_unanswerable_call_is_a_dead_letter(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let properties = AmqpProperties::default()
        .with_type_("add".to_owned())
        .with_reply_to("amq.rabbitmq.reply-to.nonsense".to_owned());
    let publish = Publish::with_properties(b"\x92\x01\x02", SERVICE, properties);
    connection.open_channel(None)?.basic_publish("", publish)?;
    let letter = letter(broker)?;
    ensure!(letter.text("guirpc-dead-reason") == "unanswerable", "{letter:?}");
    ensure!(letter.body == b"\x92\x01\x02");
    Ok(())
}
