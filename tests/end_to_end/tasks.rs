//! Functions that are `async`: side by side, and with every promise that the others have.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use guirpc::{CallError, Client, ConnectionStatus, Fault, Pending, Server};
use harness::{Broker, Case, Proxy, eventually};
use tempfile::TempDir;
use tokio::runtime::{self, Handle};

use crate::redelivery::{DEAD, RETRY, dead, is_empty, keep_serving, letter, lines};
use crate::service::{LONG, SERVICE, client, program, serve, setup};
use crate::workload::tasks::{
    abort_later, cancelled, cancelled_badly, later, meet, panic_later, remaining_within, rest, rest_again,
    rest_and_log, rest_early, runtime as runtime_of,
};
use crate::workload::{add, counted};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("tasks::they_run_side_by_side", they_run_side_by_side),
        Case::shared("tasks::so_many_and_no_more", so_many_and_no_more),
        Case::shared("tasks::they_hold_up_no_other_function", they_hold_up_no_other_function),
        Case::shared("tasks::a_panic_is_a_reply", a_panic_is_a_reply),
        Case::shared("tasks::a_deadline_cancels_what_says_so", a_deadline_cancels_what_says_so),
        Case::shared("tasks::calls_within_end_by_the_deadline", calls_within_end_by_the_deadline),
        Case::shared("tasks::what_has_begun_is_finished_in_a_shutdown", what_has_begun_is_finished_in_a_shutdown),
        Case::shared("tasks::the_drain_time_is_a_limit", the_drain_time_is_a_limit),
        Case::shared("tasks::what_may_run_twice_is_answered_once", what_may_run_twice_is_answered_once),
        Case::shared("tasks::at_most_once_is_kept_while_it_waits", at_most_once_is_kept_while_it_waits),
        Case::shared("tasks::what_ends_its_process_is_set_aside", what_ends_its_process_is_set_aside),
        Case::shared("tasks::a_runtime_of_the_programs_own", a_runtime_of_the_programs_own),
        Case::shared("tasks::one_thread_for_all", one_thread_for_all),
        Case::shared("tasks::a_runtime_that_is_gone_loses_nothing", a_runtime_that_is_gone_loses_nothing),
        Case::exclusive("tasks::none_begins_under_an_alarm", none_begins_under_an_alarm),
        Case::exclusive(
            "tasks::what_waits_is_left_to_a_broker_that_is_gone",
            what_waits_is_left_to_a_broker_that_is_gone,
        ),
    ]
}

fn many<T, E>(
    count: u32,
    start: impl Fn() -> Result<Pending<T, E>, CallError>,
) -> Result<Vec<Pending<T, E>>, CallError> {
    (0..count).map(|_| start()).collect()
}

/// Starts so many that take so long each, and log to this file that they begin and end.
fn resting(client: &Client, file: &Path, count: u32, milliseconds: u64) -> anyhow::Result<Vec<Pending<(), Fault>>> {
    let path = file.to_str().context("a temporary folder has a plain name")?;
    (0..count).map(|n| Ok(rest_and_log::start(client, path, &n.to_string(), milliseconds)?)).collect()
}

fn they_run_side_by_side(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(1))?;
    let client = client(broker)?;
    for call in many(200, || meet::start(&client, 200, 30_000))? {
        ensure!(call.wait()? == 200);
    }
    ensure!(later::call(&client, "quick")? == "QUICK");
    Ok(())
}

fn so_many_and_no_more(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).concurrency(5))?;
    let client = client(broker)?;
    for call in many(40, || meet::start(&client, 5, 10_000))? {
        ensure!(call.wait()? == 5, "five at a time, until the last are served");
    }
    Ok(())
}

/// With one worker, and as many of them under way as may be.
fn they_hold_up_no_other_function(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(1).concurrency(3))?;
    let client = client(broker)?;
    let resting = many(6, || rest::start(&client, "held-up", 4000))?;
    for _ in 0..10 {
        ensure!(add::call(&client, 1, 2)? == 3);
    }
    ensure!(counted::call(&client, "held-up")? == 0, "they still rest");
    for call in resting {
        call.wait()?;
    }
    Ok(())
}

fn a_panic_is_a_reply(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    for _ in 0..300 {
        let error = panic_later::call(&client, "ouch".to_owned()).unwrap_err();
        ensure!(matches!(&error, CallError::Fault(fault) if fault.message().contains("ouch")), "{error:?}");
    }
    ensure!(rest::call(&client, "after a panic", 1)? == 1);
    Ok(())
}

fn a_deadline_cancels_what_says_so(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    // Until a client has asked the broker for the exchange, it has sent nothing.
    ensure!(add::call(&client, 1, 2)? == 3);
    let hasty = client.with_timeout(Duration::from_secs(1));
    let error = cancelled::call(&hasty, "cancelled", 60_000).unwrap_err();
    ensure!(matches!(error, CallError::TimedOut { .. }) && error.may_have_run(), "{error:?}");
    eventually(LONG, || Ok(counted::call(&client, "cancelled")? == 1))?;
    ensure!(counted::call(&client, "cancelled to its end")? == 0);
    ensure!(cancelled_badly::call(&hasty, 60_000).is_err_and(|error| error.may_have_run()));
    ensure!(rest::call(&hasty, "not cancelled", 3000).is_err_and(|error| error.may_have_run()));
    eventually(LONG, || Ok(counted::call(&client, "not cancelled")? == 1))?;
    // Nobody waits for it, so it has no deadline.
    cancelled::send(&client, "sent", 500)?;
    eventually(LONG, || Ok(counted::call(&client, "sent to its end")? == 1))
}

fn calls_within_end_by_the_deadline(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let [here, task, blocking, outside] = remaining_within::call(&client, &broker.uri())?;
    let outer = u64::try_from(LONG.as_millis())?;
    ensure!(here <= outer && task <= outer && blocking <= outer, "{here} {task} {blocking}");
    ensure!(outside > outer, "{outside}: its own timeout is longer");
    Ok(())
}

fn what_has_begun_is_finished_in_a_shutdown(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let file = folder.path().join("log");
    let leaving = Server::start(setup(broker).concurrency(4))?;
    let client = client(broker)?.without_coalescing();
    let calls = resting(&client, &file, 12, 3000)?;
    eventually(LONG, || Ok(lines(&file) == 4))?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.unacked == 12)))?;
    leaving.shutdown_handle().shutdown();
    let report = leaving.wait();
    ensure!((report.requeued, report.abandoned) == (8, 0), "{report:?}");
    ensure!(lines(&file) == 8, "four have begun, and are done");
    let _server = Server::start(setup(broker))?;
    for call in calls {
        call.wait()?;
    }
    ensure!(lines(&file) == 24, "each has run once");
    Ok(())
}

fn the_drain_time_is_a_limit(broker: &dyn Broker) -> anyhow::Result<()> {
    let server = Server::start(setup(broker).drain(Duration::from_millis(300)))?;
    let client = client(broker)?;
    let folder = TempDir::new()?;
    let file = folder.path().join("log");
    let path = file.to_str().context("a temporary folder has a plain name")?;
    let call = rest_and_log::start(&client.with_timeout(Duration::from_secs(3)), path, "long", 60_000)?;
    eventually(LONG, || Ok(lines(&file) == 1))?;
    let since = Instant::now();
    server.shutdown_handle().shutdown();
    let report = server.wait();
    ensure!(report.abandoned == 1 && since.elapsed() < LONG, "{report:?} after {:?}", since.elapsed());
    ensure!(call.wait().is_err_and(|error| error.may_have_run()));
    Ok(())
}

/// A call that is made again after a loss joins the one that runs.
fn what_may_run_twice_is_answered_once(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let proxy = Proxy::to(broker.port())?;
    let cut_off = Client::connect(proxy.detour(&broker.uri()))?.with_timeout(LONG);
    let call = rest_again::start(&cut_off, "again", 1500)?;
    eventually(LONG, || Ok(counted::call(&client, "again")? == 1))?;
    proxy.cut();
    ensure!(call.wait()? == 1 && counted::call(&client, "again")? == 1);
    ensure!(rest_again::call(&cut_off, "again", 1)? == 2, "another call is another call");
    Ok(())
}

fn at_most_once_is_kept_while_it_waits(broker: &dyn Broker) -> anyhow::Result<()> {
    let leaving = Server::start(setup(broker).concurrency(1))?;
    let client = client(broker)?;
    let calls = many(5, || rest_early::start(&client, "early", 100))?;
    eventually(LONG, || Ok(counted::call(&client, "early")? >= 1))?;
    leaving.shutdown_handle().shutdown();
    let report = leaving.wait();
    ensure!(report.abandoned == 0, "{report:?}: what is acknowledged is nobody else's");
    let _server = Server::start(setup(broker))?;
    let mut ends: Vec<u32> = calls.into_iter().map(Pending::wait).collect::<Result<_, _>>()?;
    ends.sort_unstable();
    // Those that were not acknowledged yet have run on the other server, whose counts begin anew.
    ensure!(ends.first() == Some(&1), "{ends:?}");
    Ok(())
}

fn what_ends_its_process_is_set_aside(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let file = folder.path().join("log");
    let path = file.to_str().context("a temporary folder has a plain name")?;
    let client = client(broker)?.with_timeout(Duration::from_mins(2));
    // It declares the queue.
    drop(Server::start(setup(broker))?);
    let call = abort_later::start(&client, path)?;
    let beside = rest::start(&client, "beside", 10)?;
    keep_serving(broker, &["--max-deliveries", "3"], || Ok(dead(broker)? > 0))?;
    ensure!(lines(&file) <= 3, "it has begun {} times", lines(&file));
    let letter = letter(broker)?;
    ensure!(letter.properties.type_().as_deref() == Some("abort_later"), "{letter:?}");
    let error = call.wait().unwrap_err();
    ensure!(error.may_have_run() && matches!(error, CallError::Fault(_)), "{error:?}");
    let _server = program(&broker.uri(), &[])?;
    beside.wait()?;
    ensure!(is_empty(broker, RETRY)? && is_empty(broker, DEAD)?);
    Ok(())
}

fn a_runtime_of_the_programs_own(broker: &dyn Broker) -> anyhow::Result<()> {
    let own = runtime::Builder::new_multi_thread().enable_all().build()?;
    own.block_on(async {
        let server = Server::start_async(setup(broker).runtime(Handle::current())).await?;
        let client = Client::connect_async(broker.uri()).await?.with_timeout(LONG);
        ensure!(runtime_of::call_async(&client).await? == Handle::current().id().to_string());
        let resting = rest::call_async(&client, "own", 200);
        server.shutdown_handle().shutdown();
        let report = server.wait_async().await;
        ensure!(report.abandoned == 0, "{report:?}");
        drop(resting);
        Ok(())
    })
}

/// Everything on the one thread of a runtime, which nothing may hold up.
fn one_thread_for_all(broker: &dyn Broker) -> anyhow::Result<()> {
    let own = runtime::Builder::new_current_thread().enable_all().build()?;
    own.block_on(async {
        let server = Server::start_async(setup(broker).runtime(Handle::current())).await?;
        let client = Client::connect_async(broker.uri()).await?.with_timeout(LONG);
        let meeting = many(50, || meet::start(&client, 50, 30_000))?;
        for call in meeting {
            ensure!(call.await? == 50);
        }
        let abandoned = server.wait_async();
        drop(abandoned);
        Ok(())
    })?;
    // Whoever does not await a server any more has it shut down.
    let served = client(broker)?.with_timeout(Duration::from_millis(200));
    eventually(LONG, || Ok(add::call(&served, 1, 2).is_err()))
}

fn a_runtime_that_is_gone_loses_nothing(broker: &dyn Broker) -> anyhow::Result<()> {
    let own = runtime::Builder::new_multi_thread().enable_all().build()?;
    let orphan = Server::start(setup(broker).runtime(own.handle().clone()))?;
    let client = client(broker)?.with_timeout(Duration::from_mins(2));
    let folder = TempDir::new()?;
    let file = folder.path().join("log");
    let path = file.to_str().context("a temporary folder has a plain name")?;
    let call = rest_and_log::start(&client, path, "interrupted", 4000)?;
    eventually(LONG, || Ok(lines(&file) == 1))?;
    own.shutdown_background();
    let report = orphan.wait();
    ensure!(report.abandoned == 1, "{report:?}");
    let _server = Server::start(setup(broker))?;
    call.wait()?;
    ensure!(fs::read_to_string(&file)?.lines().filter(|line| line.starts_with('-')).count() == 1);
    Ok(())
}

/// While the broker takes no messages, nothing is begun, since it could not be answered.
fn none_begins_under_an_alarm(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).concurrency(2))?;
    let client = client(broker)?;
    let folder = TempDir::new()?;
    let file = folder.path().join("log");
    let calls = resting(&client, &file, 6, 2000)?;
    eventually(LONG, || Ok(lines(&file) == 2))?;
    broker.memory_alarm(true)?;
    thread::sleep(Duration::from_secs(5));
    let begun = fs::read_to_string(&file)?.lines().filter(|line| line.starts_with('+')).count();
    broker.memory_alarm(false)?;
    // The broker says nothing of its alarm before the first replies.
    ensure!(begun <= 4, "{begun} have begun");
    for call in calls {
        call.wait()?;
    }
    ensure!(lines(&file) == 12);
    Ok(())
}

/// A server that is shut down without a broker abandons what it has begun, and nothing else.
fn what_waits_is_left_to_a_broker_that_is_gone(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let server = Server::start(setup(broker).concurrency(1))?;
    let client = client(broker)?.with_timeout(2 * LONG).without_coalescing();
    let folder = TempDir::new()?;
    let file = folder.path().join("log");
    let calls = resting(&client, &file, 5, 60_000)?;
    eventually(LONG, || Ok(lines(&file) == 1))?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.unacked == 5)))?;
    broker.kill()?;
    eventually(LONG, || Ok(matches!(server.status(), ConnectionStatus::Disconnected { .. })))?;
    server.shutdown_handle().shutdown();
    let report = server.wait();
    ensure!(report.abandoned == 1, "{report:?}");
    drop(calls);
    broker.restart()
}
