//! SIGTERM and SIGINT: nothing that was asked is lost, and a second signal leaves at once.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use guirpc::{CallError, Client, ConnectionStatus, ErrorKind, Fault, Pending, Server, ShutdownHandle};
use harness::{Broker, Case, eventually};
use tempfile::TempDir;

use crate::service::{LONG, SERVICE, client, program, serve, setup};
use crate::workload::{add, begin, count_slowly, counted, sleep, sleep_early};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("stopping::sigterm_under_load_loses_no_call", sigterm_under_load_loses_no_call),
        Case::shared("stopping::what_has_begun_is_finished", what_has_begun_is_finished),
        Case::shared("stopping::what_runs_beside_quick_ones_is_finished", what_runs_beside_quick_ones_is_finished),
        Case::shared("stopping::what_runs_at_most_once_is_finished", what_runs_at_most_once_is_finished),
        Case::shared("stopping::what_has_not_begun_is_given_back", what_has_not_begun_is_given_back),
        Case::shared("stopping::a_second_signal_leaves_at_once", a_second_signal_leaves_at_once),
        Case::shared("stopping::the_drain_time_is_a_limit", the_drain_time_is_a_limit),
        Case::exclusive("stopping::an_alarm_that_ends_costs_nothing", an_alarm_that_ends_costs_nothing),
        Case::exclusive("stopping::an_alarm_that_lasts_is_not_waited_for", an_alarm_that_lasts_is_not_waited_for),
        Case::exclusive(
            "stopping::an_alarm_that_it_has_not_heard_of_is_not_waited_for",
            an_alarm_that_it_has_not_heard_of_is_not_waited_for,
        ),
        Case::shared(
            "stopping::what_a_lost_session_runs_is_not_waited_for",
            what_a_lost_session_runs_is_not_waited_for,
        ),
        Case::shared("stopping::a_drain_time_without_end_is_one", a_drain_time_without_end_is_one),
        Case::shared("stopping::a_server_that_connects_can_be_shut_down", a_server_that_connects_can_be_shut_down),
        Case::shared("stopping::a_server_stops_when_it_is_dropped", a_server_stops_when_it_is_dropped),
    ]
}

/// Calls a function that takes so long, and waits until it has begun: a request may be delivered long before that.
pub(crate) fn begun(client: &Client, milliseconds: u64) -> anyhow::Result<Pending<u64, Fault>> {
    let folder = TempDir::new()?;
    let file = folder.path().join("begun");
    let call = begin::start(client, file.to_str().context("a temporary folder has a plain name")?, milliseconds)?;
    eventually(LONG, || Ok(file.exists()))?;
    Ok(call)
}

pub(crate) fn sigterm_under_load_loses_no_call(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut leaving = program(&broker.uri(), &[])?;
    let _staying = program(&broker.uri(), &[])?;
    let client = client(broker)?;
    let (done, stop) = (AtomicU32::new(0), AtomicBool::new(false));
    thread::scope(|scope| -> anyhow::Result<()> {
        let callers: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| -> Result<(), CallError> {
                    while !stop.load(Ordering::Relaxed) {
                        sleep::call(&client, 1)?;
                        add::call(&client, 1, 2)?;
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        let under_load = eventually(LONG, || Ok(done.load(Ordering::Relaxed) > 200)).and_then(|()| {
            leaving.terminate()?;
            let status = leaving.wait(LONG)?;
            ensure!(status.success(), "{status}: {:?}", leaving.stderr());
            let before = done.load(Ordering::Relaxed);
            eventually(LONG, || Ok(done.load(Ordering::Relaxed) > before + 200))
        });
        stop.store(true, Ordering::Relaxed);
        for caller in callers {
            caller.join().expect("no caller panics")?;
        }
        under_load
    })?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 0)))
}

fn what_has_begun_is_finished(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut program = program(&broker.uri(), &["--workers", "2"])?;
    let client = client(broker)?;
    let call = begun(&client, 1000)?;
    program.interrupt()?;
    ensure!(call.wait()? == 1000);
    let status = program.wait(LONG)?;
    ensure!(status.success(), "{status}");
    ensure!(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 0), "it was not acknowledged");
    Ok(())
}

/// With a leader that is awake when the consumer is cancelled, and nobody else to make up for what is lost.
fn what_runs_beside_quick_ones_is_finished(broker: &dyn Broker) -> anyhow::Result<()> {
    let client = client(broker)?;
    for _ in 0..8 {
        let server = Server::start(setup(broker))?;
        let slow = [begun(&client, 300)?, begun(&client, 300)?];
        let stopped = AtomicBool::new(false);
        let drained = thread::scope(|scope| {
            let quick = scope.spawn(|| -> Result<(), CallError> {
                let impatient = client.with_timeout(Duration::from_secs(1));
                while !stopped.load(Ordering::Relaxed) {
                    // The last one finds the server gone.
                    let _ = add::call(&impatient, 1, 2);
                }
                Ok(())
            });
            for _ in 0..20 {
                add::call(&client, 1, 2)?;
            }
            server.shutdown_handle().shutdown();
            let drained = server.wait();
            stopped.store(true, Ordering::Relaxed);
            quick.join().expect("no caller panics").map(|()| drained)
        })?;
        ensure!(drained.abandoned == 0, "{drained:?}");
        for call in slow {
            let Ok(outcome) = call.wait_timeout(Duration::ZERO) else { anyhow::bail!("a running call was lost") };
            ensure!(outcome? == 300);
        }
    }
    Ok(())
}

fn what_runs_at_most_once_is_finished(broker: &dyn Broker) -> anyhow::Result<()> {
    let (server, client) = serve(broker)?;
    let call = sleep_early::start(&client, "early", 6000)?;
    eventually(LONG, || Ok(counted::call(&client, "early")? == 1))?;
    let settled =
        eventually(Duration::from_secs(3), || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 0)));
    settled.context("it is not acknowledged before it has run")?;
    server.shutdown_handle().shutdown();
    ensure!(server.wait().abandoned == 0);
    ensure!(call.wait()? == 6000);
    Ok(())
}

fn what_has_not_begun_is_given_back(broker: &dyn Broker) -> anyhow::Result<()> {
    let server = Server::start(setup(broker).workers(1))?;
    let client = client(broker)?.without_coalescing();
    let first = begun(&client, 4000)?;
    let calls = (0..4).map(|_| sleep::start(&client, 1)).collect::<Result<Vec<_>, _>>()?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.unacked == 5)))?;
    server.shutdown_handle().shutdown();
    let drained = server.wait();
    ensure!(drained.requeued == 4 && drained.abandoned == 0, "{drained:?}");
    ensure!(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 4 && queue.unacked == 0));
    ensure!(first.wait()? == 4000);
    // Another server has them at once, and no caller notices.
    let _server = Server::start(setup(broker))?;
    calls.into_iter().try_for_each(|call| call.wait().map(|_| ()))?;
    Ok(())
}

fn a_second_signal_leaves_at_once(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut program = program(&broker.uri(), &["--workers", "1"])?;
    let client = client(broker)?;
    let _call = begun(&client, 60_000)?;
    program.terminate()?;
    program.wait_for_log("stopping", LONG)?;
    program.terminate()?;
    let status = program.wait(Duration::from_secs(10))?;
    ensure!(status.code() == Some(143), "{status}");
    // What had begun is not lost: the broker has it again.
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 1 && queue.unacked == 0)))
}

fn the_drain_time_is_a_limit(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut program = program(&broker.uri(), &["--workers", "1", "--drain", "300ms"])?;
    let client = client(broker)?;
    let _call = begun(&client, 60_000)?;
    let told = Instant::now();
    program.terminate()?;
    let status = program.wait(LONG)?;
    ensure!(status.code() == Some(6), "{status}");
    ensure!(told.elapsed() >= Duration::from_millis(300));
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 1 && queue.unacked == 0)))
}

/// A server that has fetched and not begun these calls when the alarm is raised.
fn alarmed(
    broker: &mut dyn Broker,
    client: &Client,
    drain: Duration,
) -> anyhow::Result<(Server, Pending<u64>, Vec<Pending<u32>>)> {
    let server = Server::start(setup(broker).workers(1).drain(drain))?;
    // Longer than it takes a busy machine to set off the alarm.
    let first = sleep::start(client, 4000)?;
    let calls = (0..20).map(|_| count_slowly::start(client, "during", 1)).collect::<Result<Vec<_>, _>>()?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.unacked == 21)))?;
    broker.memory_alarm(true)?;
    Ok((server, first, calls))
}

/// Until the server knows of it.
fn hears_of_it(server: &Server) -> anyhow::Result<()> {
    eventually(LONG, || Ok(matches!(server.status(), ConnectionStatus::Blocked { .. })))
}

/// What was fetched and not begun is returned as it was, and the reply that waited gets through.
fn an_alarm_that_ends_costs_nothing(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let client = client(broker)?.with_timeout(2 * LONG).without_coalescing();
    let (server, first, calls) = alarmed(broker, &client, LONG)?;
    hears_of_it(&server)?;
    server.shutdown_handle().shutdown();
    thread::sleep(Duration::from_millis(300));
    ensure!(broker.queue(SERVICE)?.is_some_and(|queue| queue.unacked >= 18), "it did not wait for the alarm to end");
    broker.memory_alarm(false)?;
    let report = server.wait();
    // One may have begun before the alarm was heard of.
    ensure!(report.abandoned == 0 && report.requeued >= 18, "{report:?}");
    ensure!(first.wait()? == 4000);
    let _server = Server::start(setup(broker))?;
    calls.into_iter().try_for_each(|call| call.wait().map(drop))?;
    ensure!(counted::call(&client, "during, redelivered")? == 0, "it counts as an attempt");
    Ok(())
}

fn an_alarm_that_lasts_is_not_waited_for(broker: &mut dyn Broker) -> anyhow::Result<()> {
    leaves_under_an_alarm(broker, hears_of_it)
}

/// What it returns gets nowhere, and the broker requeues it.
fn an_alarm_that_it_has_not_heard_of_is_not_waited_for(broker: &mut dyn Broker) -> anyhow::Result<()> {
    leaves_under_an_alarm(broker, |_| Ok(()))
}

fn leaves_under_an_alarm(
    broker: &mut dyn Broker,
    before: impl FnOnce(&Server) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let drain = Duration::from_secs(2);
    let client = client(broker)?.with_timeout(2 * LONG).without_coalescing();
    let (server, _first, calls) = alarmed(broker, &client, drain)?;
    before(&server)?;
    let begun = Instant::now();
    server.shutdown_handle().shutdown();
    let report = server.wait();
    ensure!(begun.elapsed() < LONG, "{:?}", begun.elapsed());
    ensure!(report.abandoned <= 2 && report.requeued >= 18, "{report:?}");
    broker.memory_alarm(false)?;
    let _server = Server::start(setup(broker))?;
    calls.into_iter().try_for_each(|call| call.wait().map(drop)).context("a call was lost with the server")
}

/// The broker has its request again, for another server.
fn what_a_lost_session_runs_is_not_waited_for(broker: &dyn Broker) -> anyhow::Result<()> {
    let server = Server::start(setup(broker).workers(1).drain(4 * LONG))?;
    let client = client(broker)?.with_timeout(4 * LONG);
    let call = begun(&client, 60_000)?;
    broker.close_all_connections("a test")?;
    // Longer than it takes to connect again.
    thread::sleep(Duration::from_secs(3));
    eventually(LONG, || Ok(server.status() == ConnectionStatus::Connected))?;
    let told = Instant::now();
    server.shutdown_handle().shutdown();
    let report = server.wait();
    ensure!(report.abandoned == 0 && told.elapsed() < LONG, "{report:?} after {:?}", told.elapsed());
    drop(call);
    Ok(())
}

fn a_drain_time_without_end_is_one(broker: &dyn Broker) -> anyhow::Result<()> {
    let longest = format!("{}s", u64::MAX);
    let mut program = program(&broker.uri(), &["--drain", &longest])?;
    let client = client(broker)?;
    let call = begun(&client, 300)?;
    program.terminate()?;
    ensure!(program.wait(LONG)?.success(), "{:?}", program.stderr());
    ensure!(call.wait()? == 300);
    Ok(())
}

/// With a broker that takes the connection and never says anything.
fn a_server_that_connects_can_be_shut_down(broker: &dyn Broker) -> anyhow::Result<()> {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let uri = format!("amqp://{}", silent.local_addr()?);
    let shutdown = ShutdownHandle::new();
    let connecting = setup(broker).uri(&uri);
    let (error, took) = thread::scope(|scope| {
        let starting = scope.spawn(|| Server::start_with(connecting, &shutdown).map(drop).unwrap_err());
        let (_connection, _) = silent.accept()?;
        let begun = Instant::now();
        shutdown.shutdown();
        anyhow::Ok((starting.join().expect("it does not panic"), begun.elapsed()))
    })?;
    ensure!(error.kind() == ErrorKind::Stopped, "{error:?}");
    ensure!(took < Duration::from_secs(5), "{took:?}");
    // A handle that has shut down starts nothing any more.
    ensure!(Server::start_with(setup(broker), &shutdown).unwrap_err().kind() == ErrorKind::Stopped);
    Ok(())
}

fn a_server_stops_when_it_is_dropped(broker: &dyn Broker) -> anyhow::Result<()> {
    let (server, client) = serve(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    drop(server);
    ensure!(broker.queue(SERVICE)?.is_some_and(|queue| queue.consumers == 0));
    Ok(())
}
