//! Lanes: slow functions hold up nothing but each other.

use std::time::{Duration, Instant};

use anyhow::ensure;
use guirpc::{ErrorKind, Server};
use harness::{Broker, Case, eventually};
use serde_json::Value;

use crate::service::{LONG, SERVICE, client, program, setup};
use crate::workload::{add, report, sleep};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("lanes::a_slow_lane_holds_up_no_other", a_slow_lane_holds_up_no_other),
        Case::shared("lanes::a_lane_has_workers_of_its_own", a_lane_has_workers_of_its_own),
        Case::shared("lanes::a_lane_is_drained_as_well", a_lane_is_drained_as_well),
        Case::shared("lanes::a_caller_without_the_lane_is_answered", a_caller_without_the_lane_is_answered),
        Case::shared("lanes::each_line_of_a_lane_names_it", each_line_of_a_lane_names_it),
        Case::shared("lanes::an_unknown_lane_is_a_mistake", an_unknown_lane_is_a_mistake),
    ]
}

const REPORTS: &str = concat!(env!("CARGO_PKG_NAME"), ".reports");

fn a_slow_lane_holds_up_no_other(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(1).lane_workers("reports", 1).drain(Duration::ZERO))?;
    let client = client(broker)?.without_coalescing();
    let slow = (0..3).map(|_| report::start(&client, 8000)).collect::<Result<Vec<_>, _>>()?;
    eventually(LONG, || Ok(broker.queue(REPORTS)?.is_some_and(|queue| queue.messages == 3 && queue.unacked == 1)))?;
    for n in 0..200 {
        ensure!(add::call(&client, n, 1)? == n + 1);
    }
    let waiting = slow.into_iter().map(|call| call.wait_timeout(Duration::ZERO)).filter(Result::is_err).count();
    ensure!(waiting > 0, "the quick ones waited for the slow ones");
    Ok(())
}

fn a_lane_has_workers_of_its_own(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(1).lane_workers("reports", 4))?;
    let client = client(broker)?;
    let begun = Instant::now();
    let calls = (0..8).map(|_| report::start(&client, 1500)).collect::<Result<Vec<_>, _>>()?;
    calls.into_iter().try_for_each(|call| call.wait().map(drop))?;
    // One after another they take 12 s, on four workers 3 s.
    ensure!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    Ok(())
}

fn a_lane_is_drained_as_well(broker: &dyn Broker) -> anyhow::Result<()> {
    let setup = setup(broker).workers(1).lane_workers("reports", 1).lane_prefetch("reports", 2);
    let server = Server::start(setup)?;
    let client = client(broker)?;
    let calls = [report::start(&client, 3000)?, report::start(&client, 1)?];
    let other = sleep::start(&client, 3000)?;
    eventually(LONG, || Ok(broker.queue(REPORTS)?.is_some_and(|queue| queue.unacked == 2)))?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.unacked == 1)))?;
    server.shutdown_handle().shutdown();
    let drained = server.wait();
    ensure!(drained.requeued == 1 && drained.abandoned == 0, "{drained:?}");
    let [first, second] = calls;
    ensure!(first.wait()? == 3000 && other.wait()? == 3000);
    let _server = Server::start(crate::service::setup(broker))?;
    ensure!(second.wait()? == 1);
    Ok(())
}

/// As one that was built before the function had a lane.
fn a_caller_without_the_lane_is_answered(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let output = client(broker)?.call_json(SERVICE, "report", serde_json::json!({ "milliseconds": 1 }))?;
    ensure!(output == 1);
    Ok(())
}

fn each_line_of_a_lane_names_it(broker: &dyn Broker) -> anyhow::Result<()> {
    let program = program(&broker.uri(), &["--log", "guirpc=debug", "--log-format", "json"])?;
    let client = client(broker)?;
    ensure!(report::call(&client, 1)? == 1 && add::call(&client, 1, 2)? == 3);
    program.terminate()?;
    for (text, lane) in [("\"function\":\"report\"", "reports"), ("\"function\":\"add\"", "")] {
        let line: Value = serde_json::from_str(&program.wait_for_log(text, LONG)?)?;
        ensure!(line["lane"].as_str().unwrap_or_default() == lane, "{line}");
    }
    let of_reports = |text: &str| program.stderr().iter().any(|line| line.contains(text) && line.contains("reports"));
    eventually(LONG, || Ok(of_reports("\"serving\"") && of_reports("\"stopped\"")))
}

fn an_unknown_lane_is_a_mistake(broker: &dyn Broker) -> anyhow::Result<()> {
    let error = Server::start(setup(broker).lane_workers("report", 2)).unwrap_err();
    ensure!(error.kind() == ErrorKind::Configuration && error.to_string().contains("lanes: reports"), "{error}");
    Ok(())
}
