//! After a process has crashed: what it had merely fetched is served at full speed, and only what crashed it is dead.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use amiquip::{AmqpValue, Connection, FieldTable, QueueDeclareOptions};
use anyhow::{Context, ensure};
use futures_util::future::join_all;
use guirpc::Server;
use guirpc::embedded::Broker as Embedded;
use harness::{Broker, Case, Proxy, eventually};
use tempfile::TempDir;
use tokio::runtime;

use crate::redelivery::{DEAD, RETRY, dead, is_empty, keep_serving, letter, lines};
use crate::service::{LONG, SERVICE, client, program, serve, setup};
use crate::workload::{abort_slowly, add, counted, fail, span, zeros};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("crashes::what_was_fetched_is_served_at_full_speed", what_was_fetched_is_served_at_full_speed),
        Case::shared("crashes::what_runs_beside_a_poison_message_is_done", what_runs_beside_a_poison_message_is_done),
        Case::shared("crashes::a_poison_message_runs_apart_from_another", a_poison_message_runs_apart_from_another),
        Case::shared("crashes::full_dead_letters_starve_no_worker", full_dead_letters_starve_no_worker),
        Case::shared("crashes::dead_letters_that_were_deleted_are_there_again", missing_dead_letters_are_declared),
        // RabbitMQ itself may drop what it has read from a connection that then breaks off.
        Case::embedded("crashes::replies_that_die_with_their_server_are_made_again", replies_are_made_again),
    ]
}

const QUARANTINE: &str = concat!(env!("CARGO_PKG_NAME"), ".quarantine");

/// Where the workload leaves its lines.
struct Spans(TempDir);

impl Spans {
    fn new() -> anyhow::Result<Self> {
        Ok(Spans(TempDir::new()?))
    }

    fn path(&self) -> anyhow::Result<String> {
        Ok(self.0.path().join("spans").to_str().context("a plain name")?.to_owned())
    }

    /// What one process began (`+`) and finished (`-`), and by which name, in this order.
    fn of(&self, process: u32) -> anyhow::Result<Vec<(bool, String)>> {
        let text = fs::read_to_string(self.path()?).unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        let own = lines.filter_map(|(kind, rest)| Some((kind == "+", rest.strip_prefix(&format!("{process} "))?)));
        Ok(own.map(|(begins, name)| (begins, name.to_owned())).collect())
    }

    fn done(&self) -> anyhow::Result<BTreeSet<String>> {
        let text = fs::read_to_string(self.path()?).unwrap_or_default();
        let done = text.lines().filter(|line| line.starts_with('-')).filter_map(|line| line.split(' ').nth(2));
        Ok(done.map(str::to_owned).collect())
    }
}

/// With far more fetched than run: each of those is delivered again, marked as if it might have begun.
fn what_was_fetched_is_served_at_full_speed(broker: &dyn Broker) -> anyhow::Result<()> {
    const WORKERS: usize = 4;
    const REQUESTS: u64 = 256;
    let spans = Spans::new()?;
    let arguments = ["--workers", "4", "--prefetch", "256"];
    let crashing = program(&broker.uri(), &arguments)?;
    let client = client(broker)?;
    let path = spans.path()?;
    // Of different lengths: else all would end at once, and then begin one after another.
    let request = |n: u64| span::send_async(&client, &path, &n.to_string(), 50 + n * 37 % 100);
    let sent = runtime::Builder::new_current_thread().build()?.block_on(join_all((0..REQUESTS).map(request)));
    sent.into_iter().collect::<Result<(), _>>()?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.unacked > 128)))?;
    crashing.kill()?;
    let server = program(&broker.uri(), &arguments)?;
    eventually(4 * LONG, || Ok(spans.done()?.len() == 256))?;
    let lines = spans.of(server.id())?;
    // How many ran at once, each time that one more began.
    let at_once = lines.iter().scan(0_usize, |running, (begins, _)| {
        *running = if *begins { *running + 1 } else { *running - 1 };
        Some((*begins, *running))
    });
    let begun: Vec<usize> = at_once.filter_map(|(begins, running)| begins.then_some(running)).collect();
    ensure!(begun.iter().max() == Some(&WORKERS), "{:?} at once", begun.iter().max());
    let all: usize = begun.iter().sum();
    ensure!(all >= (WORKERS - 1) * begun.len(), "{all} beside {} that began", begun.len());
    for queue in [SERVICE, RETRY, QUARANTINE] {
        eventually(LONG, || is_empty(broker, queue))?;
    }
    ensure!(dead(broker)? == 0);
    Ok(())
}

fn what_runs_beside_a_poison_message_is_done(broker: &dyn Broker) -> anyhow::Result<()> {
    let (spans, folder) = (Spans::new()?, TempDir::new()?);
    let runs = folder.path().join("runs");
    drop(Server::start(setup(broker))?);
    let client = client(broker)?;
    // It is not done before the other has ended the process, as long as both run at once.
    span::send(&client, &spans.path()?, "innocent", 3000)?;
    abort_slowly::send(&client, runs.to_str().context("a plain name")?, 1000)?;
    keep_serving(broker, &["--workers", "2", "--max-deliveries", "4"], || {
        Ok(dead(broker)? > 0
            && [SERVICE, RETRY, QUARANTINE].iter().all(|queue| is_empty(broker, queue).unwrap_or(false)))
    })?;
    ensure!(lines(&runs) == 4, "the poison message was run {} times", lines(&runs));
    ensure!(spans.done()?.contains("innocent"), "what ran beside it is not done");
    let begun = fs::read_to_string(spans.path()?)?.lines().filter(|line| line.starts_with('+')).count();
    ensure!(begun >= 3, "it ran beside the poison message {} times only", begun - 1);
    ensure!(dead(broker)? == 1, "{} are dead", dead(broker)?);
    ensure!(letter(broker)?.properties.type_().as_deref() == Some("abort_slowly"));
    Ok(())
}

/// Each process that ends is ended by one of them.
fn a_poison_message_runs_apart_from_another(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let path = |name: &str| folder.path().join(name);
    drop(Server::start(setup(broker))?);
    let client = client(broker)?;
    for name in ["one", "other"] {
        abort_slowly::send(&client, path(name).to_str().context("a plain name")?, 1500)?;
    }
    keep_serving(broker, &["--workers", "2", "--max-deliveries", "3"], || {
        Ok(dead(broker)? == 2
            && [SERVICE, RETRY, QUARANTINE].iter().all(|queue| is_empty(broker, queue).unwrap_or(false)))
    })?;
    // Two times at most they ran side by side, and each has all the runs that it may have.
    let runs = |path: &Path| lines(path);
    ensure!(runs(&path("one")) == 3 && runs(&path("other")) == 3, "{:?}", (runs(&path("one")), runs(&path("other"))));
    Ok(())
}

/// A server has handed over more replies than its connection takes, and is killed: it may not have forgotten a request
/// whose reply was still in its memory.
fn replies_are_made_again(broker: &Embedded) -> anyhow::Result<()> {
    const CALLS: usize = 100;
    const LENGTH: usize = 256 << 10;
    let proxy = Proxy::to(broker.port())?;
    let killed = program(&proxy.detour(&broker.uri()), &["--workers", "2"])?;
    let client = client(broker)?;
    proxy.freeze_heavy(1 << 20);
    let calls: Vec<_> = (0..CALLS).map(|_| zeros::start(&client, LENGTH)).collect::<Result<_, _>>()?;
    eventually(LONG, || Ok(proxy.has_held_back()))?;
    // Nothing moves any more: what could be acknowledged, is.
    eventually(LONG, || {
        let before = broker.queue(SERVICE);
        thread::sleep(Duration::from_millis(300));
        Ok(before == broker.queue(SERVICE))
    })?;
    killed.kill()?;
    proxy.thaw();
    let _server = program(&broker.uri(), &[])?;
    for call in calls {
        ensure!(call.wait()?.len() == LENGTH);
    }
    Ok(())
}

fn full_dead_letters_starve_no_worker(broker: &dyn Broker) -> anyhow::Result<()> {
    const FAILURES: usize = 20;
    let arguments = FieldTable::from([
        ("x-max-length".to_owned(), AmqpValue::LongInt(1)),
        ("x-overflow".to_owned(), AmqpValue::LongString("reject-publish".to_owned())),
    ]);
    let options = QueueDeclareOptions { durable: true, arguments, ..QueueDeclareOptions::default() };
    Connection::insecure_open(&broker.uri())?.open_channel(None)?.queue_declare(DEAD, options)?;
    let _server = Server::start(setup(broker).workers(2))?;
    let client = client(broker)?;
    for _ in 0..FAILURES {
        fail::send(&client, "full", 503)?;
    }
    eventually(LONG, || Ok(dead(broker)? == 1))?;
    // One worker that slept for a second before each of them would take far longer.
    let begun = Instant::now();
    for n in 0..100 {
        ensure!(add::call(&client, n, 1)? == n + 1);
    }
    ensure!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    // When there is room, all become dead letters, and none was run again for that.
    broker.delete_queue(DEAD)?;
    eventually(LONG, || Ok(dead(broker)? >= FAILURES - 1))?;
    let runs = usize::try_from(counted::call(&client, "full")?)?;
    ensure!(runs == FAILURES, "{FAILURES} failures were run {runs} times");
    Ok(())
}

fn missing_dead_letters_are_declared(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    for n in 1..=3 {
        for _ in 0..10 {
            fail::send(&client, "missing", 503)?;
        }
        eventually(LONG, || Ok(dead(broker)? == 10))?;
        ensure!(counted::call(&client, "missing")? == 10 * n);
        broker.delete_queue(DEAD)?;
    }
    Ok(())
}
