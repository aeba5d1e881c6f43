//! Calls from tasks: nothing that is asked of a client ever holds up the thread that runs them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures_util::future::{join, join_all};
use guirpc::{CallError, Client, ConnectionStatus, Server};
use harness::{Broker, Case, eventually};
use tokio::runtime::{self, Runtime};

use crate::service::{LONG, SERVICE, client, serve, setup};
use crate::workload::{add, count, counted, describe, note, noted};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("asynchronous::everything_has_an_async_form", everything_has_an_async_form),
        Case::shared("asynchronous::a_caller_keeps_its_order", a_caller_keeps_its_order),
        Case::exclusive("asynchronous::no_task_waits_on_a_frozen_broker", no_task_waits_on_a_frozen_broker),
        Case::exclusive("asynchronous::no_task_waits_for_a_restart", no_task_waits_for_a_restart),
        Case::exclusive("asynchronous::a_client_may_be_there_first", a_client_may_be_there_first),
        Case::exclusive("asynchronous::many_clients_are_back_soon", many_clients_are_back_soon),
    ]
}

fn one_thread() -> anyhow::Result<Runtime> {
    Ok(runtime::Builder::new_current_thread().enable_time().build()?)
}

fn everything_has_an_async_form(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    one_thread()?.block_on(async {
        let client = Client::connect_async(broker.uri()).await?.with_timeout(LONG);
        ensure!(add::call_async(&client, 1, 2).await? == 3);
        count::send_async(&client, "sent").await?;
        let arguments = || serde_json::json!({ "name": "sent" });
        client.send_json_async(SERVICE, "count", arguments()).await?;
        eventually(LONG, || Ok(counted::call(&client, "sent")? == 2))?;
        ensure!(client.call_json_async(SERVICE, "counted", arguments()).await? == 2);
        ensure!(client.ping_async(SERVICE).await?.service == SERVICE);
        let nowhere = client.publish_async("guirpc", "nobody-has-bound-this", "text").await;
        ensure!(matches!(nowhere, Err(CallError::Unroutable { .. })), "{nowhere:?}");
        let refused = Client::connect_async("amqp://nobody:wrong@localhost:1").await;
        ensure!(refused.is_err());
        // A future may live longer than what it was made of.
        let sum = { add::call_async(&client.clone(), 2, 3) };
        drop(client);
        ensure!(sum.await? == 5);
        Ok(())
    })
}

/// With one worker, whatever one thread asks for is run in the order in which it was asked.
fn a_caller_keeps_its_order(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(1))?;
    let client = client(broker)?.without_coalescing();
    for round in 0..20 {
        let key = format!("order-{round}");
        let mut pending = Vec::new();
        let mut sends = Vec::new();
        for n in 0..50_u32 {
            if n.is_multiple_of(7) {
                sends.push(note::send_async(&client, &key, n));
            } else {
                pending.push(note::start(&client, &key, n)?);
            }
        }
        one_thread()?.block_on(join_all(sends)).into_iter().collect::<Result<(), _>>()?;
        pending.into_iter().try_for_each(|call| call.wait().map(drop))?;
        let all: Vec<u32> = noted::call(&client, &key)?;
        ensure!(all == (0..50).collect::<Vec<_>>(), "{all:?}");
    }
    Ok(())
}

/// A beat of the tickers.
const BEAT: Duration = Duration::from_millis(5);
/// What a task may be late by beside what the machine makes it.
const LATE: Duration = Duration::from_millis(500);

/// Runs tasks on one thread while something happens to the broker, and says how late a ticker beside them was at most;
/// and how late one was that ran on a thread of its own, which is what the machine makes of it.
fn lateness<F: Future<Output = anyhow::Result<()>>>(
    tasks: impl FnOnce(Arc<AtomicBool>) -> F + Send,
    happens: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<(Duration, Duration)> {
    let over = Arc::new(AtomicBool::new(false));
    let ticker = |over: Arc<AtomicBool>| async move {
        let mut worst = Duration::ZERO;
        while !over.load(Ordering::Relaxed) {
            let begin = Instant::now();
            tokio::time::sleep(BEAT).await;
            worst = worst.max(begin.elapsed().saturating_sub(BEAT));
        }
        worst
    };
    thread::scope(|scope| {
        let beside = scope.spawn(|| {
            one_thread()?.block_on(async {
                let (worst, done) = join(ticker(Arc::clone(&over)), tasks(Arc::clone(&over))).await;
                done.map(|()| worst)
            })
        });
        let alone = scope.spawn(|| anyhow::Ok(one_thread()?.block_on(ticker(Arc::clone(&over)))));
        let happened = happens();
        over.store(true, Ordering::Relaxed);
        let joined = |thread: thread::ScopedJoinHandle<'_, anyhow::Result<Duration>>| thread.join().expect("no panic");
        let (beside, alone) = (joined(beside), joined(alone));
        happened?;
        Ok((beside?, alone?))
    })
}

/// Calls and sends of every kind, until it is over; what becomes of them is not what matters.
async fn load(client: Client, over: Arc<AtomicBool>) -> anyhow::Result<()> {
    let client = client.with_timeout(Duration::from_secs(2));
    let large = vec![0; 100 << 10];
    while !over.load(Ordering::Relaxed) {
        for n in 0..5 {
            drop(tokio::spawn(add::call_async(&client, n, 1)));
        }
        drop(tokio::spawn(describe::call_async(&client, "", &large)));
        drop(tokio::spawn(count::send_async(&client, "load")));
        let started = add::start(&client, 1, 2)?;
        drop(tokio::spawn(started));
        tokio::time::sleep(BEAT).await;
    }
    Ok(())
}

#[track_caller]
fn check((beside, alone): (Duration, Duration)) -> anyhow::Result<()> {
    ensure!(beside <= LATE + 2 * alone, "held up for {beside:?}; a thread without calls: {alone:?}");
    Ok(())
}

fn no_task_waits_on_a_frozen_broker(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let client = client(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    let tasks = {
        let client = client.clone();
        |over| load(client, over)
    };
    let late = lateness(tasks, || {
        thread::sleep(Duration::from_secs(1));
        broker.freeze()?;
        thread::sleep(Duration::from_secs(8));
        broker.thaw()?;
        thread::sleep(Duration::from_secs(1));
        Ok(())
    })?;
    check(late)?;
    eventually(LONG, || Ok(add::call(&client, 1, 2).is_ok()))
}

fn no_task_waits_for_a_restart(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let client = client(broker)?;
    let tasks = {
        let client = client.clone();
        |over| load(client, over)
    };
    let late = lateness(tasks, || {
        thread::sleep(Duration::from_secs(1));
        broker.kill()?;
        broker.restart()
    })?;
    check(late)?;
    eventually(3 * LONG, || Ok(add::call(&client, 1, 2).is_ok()))
}

fn a_client_may_be_there_first(broker: &mut dyn Broker) -> anyhow::Result<()> {
    broker.kill()?;
    let client = Client::lazy(broker.uri())?.with_timeout(3 * LONG);
    ensure!(matches!(client.status(), ConnectionStatus::Disconnected { .. }));
    let waits = add::start(&client, 1, 2)?;
    let brief = add::call(&client.with_timeout(Duration::from_millis(200)), 1, 2).unwrap_err();
    ensure!(matches!(brief, CallError::Disconnected { sent: false, .. }) && brief.is_retryable(), "{brief:?}");
    let full = add::start(&client.with_max_queued(100), 1, 2).map(drop).unwrap_err();
    ensure!(matches!(full, CallError::Backpressure { .. }) && full.is_retryable(), "{full:?}");
    broker.restart()?;
    // A call is unroutable as long as nobody serves it, so the one that waits may be, or not.
    let early = waits.wait();
    ensure!(matches!(early, Ok(3) | Err(CallError::Unroutable { .. })), "{early:?}");
    let (_server, _) = serve(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    Ok(())
}

/// After an outage of so long the last of them is connected after about as long again, and not all come at once.
fn many_clients_are_back_soon(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let clients = (0..200).map(|_| Client::connect(broker.uri())).collect::<Result<Vec<_>, _>>()?;
    let begin = Instant::now();
    broker.kill()?;
    eventually(LONG, || Ok(!clients.iter().any(|client| client.status().is_connected())))?;
    thread::sleep(Duration::from_secs(3).saturating_sub(begin.elapsed()));
    broker.restart()?;
    let outage = begin.elapsed();
    let limit = outage + Duration::from_secs(5);
    let back = Instant::now();
    eventually(limit, || Ok(clients.iter().all(|client| client.status().is_connected())))
        .with_context(|| format!("not all are back {limit:?} after an outage of {outage:?}"))?;
    println!("all are back {:?} after an outage of {outage:?}", back.elapsed());
    Ok(())
}
