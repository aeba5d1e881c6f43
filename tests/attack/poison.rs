//! What ends its server each time, or was delivered before, is counted, whatever the broker says of it and whatever it
//! looks like.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use amiquip::{AmqpProperties, AmqpValue, Connection, FieldTable, Publish};
use anyhow::{Context, ensure};
use guirpc::{CallError, Server};
use harness::{Broker, Case, eventually};
use tempfile::TempDir;

use crate::service::{LONG, SERVICE, client, program, setup};
use crate::workload::{abort, add, count_early, log_early, seen};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::exclusive("poison::a_restart_of_the_broker_hides_none", a_restart_of_the_broker_hides_none),
        Case::shared(
            "poison::what_waits_is_not_taken_for_delivered_before",
            what_waits_is_not_taken_for_delivered_before,
        ),
        Case::shared("poison::what_cannot_be_counted_is_a_dead_letter", what_cannot_be_counted_is_a_dead_letter),
        Case::shared("poison::what_cannot_be_counted_is_not_sent", what_cannot_be_counted_is_not_sent),
        Case::shared("poison::what_runs_at_most_once_is_not_run_again", what_runs_at_most_once_is_not_run_again),
        Case::exclusive("poison::what_runs_at_most_once_is_not_lost", what_runs_at_most_once_is_not_lost),
    ]
}

const DEAD: &str = concat!(env!("CARGO_PKG_NAME"), ".dead");
const MAX_DELIVERIES: usize = 3;

fn path(folder: &TempDir, name: &str) -> anyhow::Result<String> {
    Ok(folder.path().join(name).to_str().context("a plain name")?.to_owned())
}

fn lines(path: &str) -> Vec<String> {
    fs::read_to_string(Path::new(path)).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// What the headers of all dead letters are, and their bodies. The first of them brings their queue.
fn letters(broker: &dyn Broker) -> anyhow::Result<Vec<(FieldTable, Vec<u8>)>> {
    let mut letters = Vec::new();
    if broker.queue(DEAD)?.is_none() {
        return Ok(letters);
    }
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    while let Some(got) = channel.basic_get(DEAD, false)? {
        let properties = got.delivery.properties.clone();
        letters.push((properties.headers().clone().unwrap_or_default(), got.delivery.body.clone()));
    }
    // What was taken and not acknowledged goes back.
    connection.close()?;
    Ok(letters)
}

fn text(headers: &FieldTable, name: &str) -> String {
    match headers.get(name) {
        Some(AmqpValue::LongString(text)) => text.clone(),
        Some(value) => format!("{value:?}"),
        None => String::new(),
    }
}

fn dead(broker: &dyn Broker) -> anyhow::Result<usize> {
    Ok(broker.queue(DEAD)?.map_or(0, |queue| queue.messages))
}

/// Starts one server after another, as a supervisor does, until there are dead letters; says how many have ended before.
fn serve_until_dead(broker: &dyn Broker, most: usize) -> anyhow::Result<usize> {
    let max = MAX_DELIVERIES.to_string();
    for ended in 0..most {
        let mut server = program(&broker.uri(), &["--workers", "2", "--max-deliveries", &max])?;
        let mut is_dead = false;
        eventually(LONG, || {
            is_dead = dead(broker)? > 0;
            Ok(is_dead || server.wait(Duration::ZERO).is_ok())
        })?;
        if is_dead {
            return Ok(ended);
        }
    }
    anyhow::bail!("it has ended {most} servers, and is no dead letter")
}

/// Has the broker deliver what waits in the queue, and take it back, as from a server that was killed.
fn deliver_before(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    let mut delivered = 0;
    eventually(LONG, || {
        delivered += usize::from(channel.basic_get(SERVICE, false)?.is_some());
        Ok(delivered > 0)
    })?;
    channel.close()?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages > 0 && queue.unacked == 0)))
}

/// RabbitMQ loses transient messages in an orderly restart, and marks nothing of that queue as redelivered from then on.
fn a_restart_of_the_broker_hides_none(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let runs = path(&folder, "runs")?;
    drop(Server::start(setup(broker))?);
    let before = client(broker)?;
    let waiting = (0..10).map(|n| add::start(&before, n, n)).collect::<Result<Vec<_>, _>>()?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 10)))?;
    broker.stop()?;
    broker.restart()?;
    drop(waiting);
    abort::send(&client(broker)?, &runs)?;
    serve_until_dead(broker, 4 * MAX_DELIVERIES)?;
    let runs = lines(&runs).len();
    ensure!(runs <= MAX_DELIVERIES, "it was run {runs} times, and may run {MAX_DELIVERIES} times");
    let letters = letters(broker)?;
    ensure!(letters.len() == 1 && text(&letters[0].0, "guirpc-dead-reason") == "crashed", "{letters:?}");
    // Nor does it hide from the caller of a function that is no more what may have run.
    let client = client(broker)?;
    thread::scope(|scope| {
        let call = scope.spawn(|| client.call_json(SERVICE, "removed", serde_json::json!({})));
        deliver_before(broker)?;
        let _server = Server::start(setup(broker))?;
        let called = call.join().map_err(|_| anyhow::anyhow!("it panicked"))?;
        let error = called.err().context("it was not refused")?;
        ensure!(matches!(error, CallError::Refused(_)) && error.may_have_run(), "{error:?}");
        Ok(())
    })
}

/// Where the broker marks what it delivers again, what merely waits for a server is new.
fn what_waits_is_not_taken_for_delivered_before(broker: &dyn Broker) -> anyhow::Result<()> {
    drop(Server::start(setup(broker))?);
    let client = client(broker)?;
    for _ in 0..5 {
        let calls = (0..20).map(|_| seen::start(&client)).collect::<Result<Vec<_>, _>>()?;
        eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 20)))?;
        let _server = Server::start(setup(broker))?;
        for call in calls {
            let seen = call.wait()?;
            ensure!(seen.get("redelivered").is_some_and(|redelivered| redelivered == "false"), "{seen:?}");
        }
    }
    Ok(())
}

/// A request whose properties fill their frame to the last bytes, so that no count fits into it.
fn filling(body: &[u8]) -> Publish<'_> {
    // What stands before the properties, `type`, `content_type`, the delivery mode, the table, a name, and a length.
    const OTHERS: usize = 14 + 6 + 17 + 1 + 4 + 2 + 5;
    let room = (128 << 10) - 8 - OTHERS;
    let headers = FieldTable::from([("h".to_owned(), AmqpValue::LongString("x".repeat(room)))]);
    let properties = AmqpProperties::default()
        .with_type_("abort".to_owned())
        .with_content_type("application/json".to_owned())
        .with_delivery_mode(2)
        .with_headers(headers);
    Publish::with_properties(body, SERVICE, properties)
}

fn what_cannot_be_counted_is_a_dead_letter(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let runs = path(&folder, "runs")?;
    drop(Server::start(setup(broker))?);
    let body = serde_json::to_vec(&[&runs])?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    connection.open_channel(None)?.basic_publish("", filling(&body))?;
    let ended = serve_until_dead(broker, 2 * MAX_DELIVERIES)?;
    ensure!(
        ended == 1 && lines(&runs).len() == 1,
        "{ended} servers ended, and it was run {} times",
        lines(&runs).len()
    );
    let letters = letters(broker)?;
    let [(headers, letter)] = &letters[..] else { anyhow::bail!("{} letters", letters.len()) };
    ensure!(text(headers, "guirpc-dead-reason") == "uncounted" && *letter == body, "{}", headers.len());
    ensure!(
        text(headers, "guirpc-dead-message").contains("fit into a frame"),
        "{}",
        text(headers, "guirpc-dead-message")
    );
    ensure!(!headers.contains_key("h"), "a header that does not fit beside the others");
    Ok(())
}

/// A client leaves the room for what a server adds.
fn what_cannot_be_counted_is_not_sent(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let runs = path(&folder, "runs")?;
    drop(Server::start(setup(broker))?);
    let client = client(broker)?;
    let most = (126 << 10..129 << 10).step_by(16).map_while(|bytes| {
        let sent = abort::send(&client.with_header("h", "x".repeat(bytes)), &runs);
        match sent {
            Err(error @ CallError::Unsendable { .. }) if !error.may_have_run() => None,
            sent => Some(sent.map(|()| bytes)),
        }
    });
    let sent = most.collect::<Result<Vec<usize>, _>>()?;
    let most = *sent.last().context("none was sent")?;
    ensure!(most < (128 << 10) - 300, "{most} bytes were sent");
    // Each that was sent can be counted.
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    for _ in 1..sent.len() {
        channel.basic_get(SERVICE, true)?.context("it was sent")?;
    }
    connection.close()?;
    serve_until_dead(broker, 2 * MAX_DELIVERIES)?;
    let letters = letters(broker)?;
    ensure!(lines(&runs).len() == MAX_DELIVERIES, "it was run {} times", lines(&runs).len());
    ensure!(letters.len() == 1 && text(&letters[0].0, "guirpc-dead-reason") == "crashed", "{} letters", letters.len());
    Ok(())
}

fn what_runs_at_most_once_is_not_run_again(broker: &dyn Broker) -> anyhow::Result<()> {
    drop(Server::start(setup(broker))?);
    let client = client(broker)?;
    count_early::send(&client, "sent")?;
    deliver_before(broker)?;
    let server = Server::start(setup(broker))?;
    eventually(LONG, || Ok(dead(broker)? == 1))?;
    let letters = letters(broker)?;
    let (headers, _) = &letters[0];
    ensure!(text(headers, "guirpc-dead-reason") == "failed" && text(headers, "guirpc-dead-status").contains("409"));
    drop(server);
    let call = count_early::start(&client, "called")?;
    deliver_before(broker)?;
    let server = Server::start(setup(broker))?;
    let error = call.wait().unwrap_err();
    let CallError::Refused(refusal) = &error else { anyhow::bail!("{error:?}") };
    ensure!(refusal.status() == 409 && error.may_have_run() && !error.is_retryable(), "{error:?}");
    for name in ["sent", "called"] {
        ensure!(count_early::call(&client, name)? == 1, "{name} was run");
    }
    ensure!(dead(broker)? == 1, "a caller was told, and there is a letter all the same");
    drop(server);
    Ok(())
}

/// Whenever the broker is killed: each `send` that returned `Ok` has run, or is a dead letter, and none has run twice.
fn what_runs_at_most_once_is_not_lost(broker: &mut dyn Broker) -> anyhow::Result<()> {
    const ROUNDS: usize = 3;
    let folder = TempDir::new()?;
    let ran = path(&folder, "ran")?;
    let uri = broker.uri();
    let _server = Server::start(setup(broker))?;
    broker.sync()?;
    let mut sent = Vec::new();
    for round in 0..ROUNDS {
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let client = guirpc::Client::connect(uri.as_str())?.with_timeout(Duration::from_secs(5));
                let ran = ran.clone();
                Ok(thread::spawn(move || {
                    let names = (0..).map(|n| format!("{round}-{sender}-{n}"));
                    let is_sent = |name: &String| log_early::send(&client, &ran, name).is_ok();
                    names.take_while(is_sent).collect::<Vec<_>>()
                }))
            })
            .collect::<anyhow::Result<_>>()?;
        thread::sleep(Duration::from_millis(700));
        broker.kill()?;
        for sender in senders {
            sent.extend(sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))?);
        }
        broker.restart()?;
        // The server connects again within half a minute.
        let mut queue = None;
        let served = eventually(3 * LONG, || {
            queue = broker.queue(SERVICE)?;
            Ok(queue.is_some_and(|queue| queue.consumers > 0 && queue.messages == 0))
        });
        served.with_context(|| format!("round {round}, its queue: {queue:?}"))?;
    }
    let mut runs = BTreeMap::<String, usize>::new();
    let mut unaccounted = Vec::new();
    let settled = eventually(LONG, || {
        runs = lines(&ran).into_iter().fold(BTreeMap::new(), |mut runs, line| {
            *runs.entry(line).or_default() += 1;
            runs
        });
        let letters = letters(broker)?;
        let is_letter = |name: &str| letters.iter().any(|(_, body)| String::from_utf8_lossy(body).contains(name));
        unaccounted = sent.iter().filter(|name| !runs.contains_key(*name) && !is_letter(name)).cloned().collect();
        Ok(unaccounted.is_empty())
    });
    let twice: Vec<_> = runs.iter().filter(|(_, times)| **times > 1).collect();
    ensure!(twice.is_empty(), "of {} run twice: {twice:?}", sent.len());
    settled.with_context(|| format!("of {} neither run nor dead: {unaccounted:?}", sent.len()))
}
