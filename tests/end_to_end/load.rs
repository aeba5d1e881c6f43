//! Many calls at once: none mixed up, none held up by another, all workers and all servers used.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use guirpc::{Client, Pending, Server};
use harness::{Broker, Case, Proxy};

use crate::service::{LONG, client, program, serve, setup};
use crate::workload::{add, process, sleep};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("load::threads_share_a_client", threads_share_a_client),
        Case::shared("load::ten_thousand_calls_in_flight", ten_thousand_calls_in_flight),
        Case::shared("load::a_slow_network_makes_calls_no_queue", a_slow_network_makes_calls_no_queue),
        Case::shared("load::a_long_function_holds_up_nobody", a_long_function_holds_up_nobody),
        Case::shared("load::slow_functions_run_side_by_side", slow_functions_run_side_by_side),
        Case::shared("load::two_servers_share_the_load", two_servers_share_the_load),
    ]
}

fn threads_share_a_client(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    thread::scope(|scope| {
        let callers: Vec<_> = (0..64)
            .map(|thread| {
                let client = client.clone();
                scope.spawn(move || -> anyhow::Result<()> {
                    for n in 0..50 {
                        let (a, b) = (thread * 1000, n);
                        ensure!(add::call(&client, a, b)? == a + b, "a reply was mixed up");
                    }
                    Ok(())
                })
            })
            .collect();
        callers.into_iter().try_for_each(|caller| caller.join().expect("no caller panics"))
    })?;
    ensure!(client.late_replies() == 0);
    Ok(())
}

fn ten_thousand_calls_in_flight(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let client = client.with_timeout(4 * LONG);
    let calls = (0..10_000).map(|n| add::start(&client, n, 1)).collect::<Result<Vec<_>, _>>()?;
    for (n, call) in (0..).zip(calls) {
        ensure!(call.wait()? == n + 1);
    }
    Ok(())
}

/// Made one at a time, they would take at least the way there and back each.
fn a_slow_network_makes_calls_no_queue(broker: &dyn Broker) -> anyhow::Result<()> {
    const CALLS: u32 = 500;
    const WAY: Duration = Duration::from_millis(10);
    let _server = serve(broker)?;
    let proxy = Proxy::to(broker.port())?;
    let client = Client::connect(proxy.detour(&broker.uri()))?;
    proxy.delay(WAY);
    let since = Instant::now();
    let calls = (0..i64::from(CALLS)).map(|n| add::start(&client, n, 1)).collect::<Result<Vec<_>, _>>()?;
    for (n, call) in (0..).zip(calls) {
        ensure!(call.wait()? == n + 1);
    }
    let elapsed = since.elapsed();
    ensure!(elapsed < WAY * 2 * CALLS / 2, "{elapsed:?}");
    Ok(())
}

/// The first delivery is open all the while, so nothing can be settled in one frame with it.
fn a_long_function_holds_up_nobody(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(2))?;
    let client = client(broker)?;
    let long = sleep::start(&client, 10_000)?;
    let quick = (0..1000).map(|n| add::start(&client, n, 1)).collect::<Result<Vec<_>, _>>()?;
    for (n, call) in (0..).zip(quick) {
        ensure!(call.wait()? == n + 1);
    }
    let Err(long) = long.wait_timeout(Duration::ZERO) else { anyhow::bail!("the quick ones waited for the long one") };
    ensure!(long.wait()? == 10_000);
    Ok(())
}

fn slow_functions_run_side_by_side(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(8))?;
    let client = client(broker)?;
    let begun = Instant::now();
    let calls = (0..16).map(|_| sleep::start(&client, 500)).collect::<Result<Vec<_>, _>>()?;
    calls.into_iter().try_for_each(|call| call.wait().map(|_| ()))?;
    // One after another they take 8 s, on eight workers 1 s.
    ensure!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    Ok(())
}

fn two_servers_share_the_load(broker: &dyn Broker) -> anyhow::Result<()> {
    let servers = [program(&broker.uri(), &["--workers", "2"])?, program(&broker.uri(), &["--workers", "2"])?];
    let client = client(broker)?;
    let calls: Vec<Pending<u32>> = (0..400).map(|_| process::start(&client)).collect::<Result<_, _>>()?;
    let ran = calls.into_iter().map(Pending::wait).collect::<Result<Vec<_>, _>>()?;
    for server in &servers {
        let share = ran.iter().filter(|id| **id == server.id()).count();
        ensure!(share >= 50, "one of them ran {share} of {}", ran.len());
    }
    ensure!(ran.into_iter().collect::<BTreeSet<_>>().len() == 2);
    Ok(())
}
