//! What servers and clients measure, and what is served of it over HTTP.

use std::time::Duration;

use anyhow::{Context, ensure};
use guirpc::metrics::Metrics;
use guirpc::{Client, Coalescing, Server};
use harness::{Broker, Case, Port, eventually, http_get};
use serde_json::json;

use crate::service::{LONG, SERVICE, client, program, serve, setup};
use crate::workload::{add, fail_again, find, panic, sleep};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("metrics::what_comes_of_calls_is_measured", what_comes_of_calls_is_measured),
        Case::shared("metrics::what_is_under_way_is_measured", what_is_under_way_is_measured),
        Case::shared("metrics::messages_of_several_are_measured", messages_of_several_are_measured),
        Case::shared("metrics::servers_add_up_and_are_not_forgotten", servers_add_up_and_are_not_forgotten),
        Case::shared("metrics::what_is_not_asked_for_is_not_measured", what_is_not_asked_for_is_not_measured),
        Case::shared("metrics::a_program_serves_them_and_its_health", a_program_serves_them_and_its_health),
        Case::exclusive("metrics::a_program_is_ready_when_it_serves", a_program_is_ready_when_it_serves),
        Case::shared("metrics::a_program_of_clients_has_the_same", a_program_of_clients_has_the_same),
    ]
}

/// The value of a sample: the labels are those that stand there, in order.
fn value(text: &str, sample: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' ')?.parse().ok())
}

fn of(function: &str, more: &str) -> String {
    let more = if more.is_empty() { String::new() } else { format!(",{more}") };
    format!("{{service=\"{SERVICE}\",function=\"{function}\",lane=\"\"{more}}}")
}

/// Waits for samples: a reply is there before the server has counted it.
#[track_caller]
fn expect(metrics: &Metrics, samples: &[(String, f64)]) -> anyhow::Result<()> {
    for (sample, expected) in samples {
        eventually(LONG, || Ok(value(&metrics.encode(), sample) == Some(*expected)))
            .with_context(|| format!("{sample} is not {expected}:\n{}", metrics.encode()))?;
    }
    Ok(())
}

fn what_comes_of_calls_is_measured(broker: &dyn Broker) -> anyhow::Result<()> {
    let metrics = Metrics::new();
    let _server = Server::start(setup(broker).metrics(&metrics))?;
    let client = client(broker)?.with_metrics(&metrics);
    for n in 0..20 {
        add::call(&client, n, 1)?;
    }
    ensure!(find::call(&client, "nobody").is_err() && panic::call(&client, "on purpose".to_owned()).is_err());
    ensure!(client.call_json(SERVICE, "made-up", json!({})).is_err());
    ensure!(client.call_json(SERVICE, "add", json!({ "a": "one" })).is_err());
    ensure!(client.call_json("nobody", "add", json!({})).is_err());
    ensure!(sleep::call(&client.with_timeout(Duration::from_millis(100)), 300).is_err());
    drop(sleep::start(&client, 2000)?);
    fail_again::send(&client, "metrics", 503)?;
    let runs =
        |function, outcome| format!("guirpc_server_runs_total{}", of(function, &format!("outcome=\"{outcome}\"")));
    let refusals =
        |function, status| format!("guirpc_server_refusals_total{}", of(function, &format!("status=\"{status}\"")));
    let called = |side, function, outcome| {
        format!("rpc_{side}_call_duration_seconds_count{}", of(function, &format!("outcome=\"{outcome}\"")))
    };
    expect(
        &metrics,
        &[
            (runs("add", "output"), 20.0),
            (runs("add", "fault"), 0.0),
            (runs("find", "error"), 1.0),
            (runs("panic", "fault"), 1.0),
            (refusals("add", 400), 1.0),
            (refusals("_OTHER", 404), 1.0),
            (called("server", "add", "output"), 20.0),
            (called("server", "add", "refusal"), 1.0),
            (called("server", "_OTHER", "refusal"), 1.0),
            (called("client", "add", "output"), 20.0),
            (called("client", "add", "refusal"), 1.0),
            (called("client", "find", "error"), 1.0),
            (called("client", "panic", "fault"), 1.0),
            (called("client", "made-up", "refusal"), 1.0),
            (called("client", "sleep", "timed_out"), 1.0),
            (called("client", "sleep", "abandoned"), 1.0),
            (called("client", "add", "unroutable").replace(SERVICE, "nobody"), 1.0),
            (format!("guirpc_client_send_duration_seconds_count{}", of("fail_again", "outcome=\"accepted\"")), 1.0),
            (format!("guirpc_server_queue_time_seconds_count{}", of("add", "")), 21.0),
            (format!("guirpc_server_retries_total{}", of("fail_again", "")), 4.0),
            (format!("guirpc_server_redeliveries_total{}", of("fail_again", "")), 4.0),
            (format!("guirpc_server_dead_letters_total{}", of("fail_again", "")), 1.0),
            (format!("guirpc_server_in_flight{}", of("add", "")), 0.0),
            ("guirpc_server_connected{lane=\"\"}".to_owned(), 1.0),
            ("guirpc_server_connected{lane=\"reports\"}".to_owned(), 1.0),
            ("guirpc_client_connected".to_owned(), 1.0),
            ("guirpc_clients".to_owned(), 1.0),
        ],
    )?;
    // The reply to what was abandoned is another, unless that was early enough.
    eventually(LONG, || Ok(value(&metrics.encode(), "guirpc_client_late_replies_total") >= Some(1.0)))?;
    let text = metrics.encode();
    ensure!(value(&text, "guirpc_client_confirms_total{outcome=\"accepted\"}") >= Some(1.0), "{text}");
    let took = |bucket: &str| {
        let labels = of("sleep", "outcome=\"timed_out\"").replacen('{', &format!("{{le=\"{bucket}\","), 1);
        value(&text, &format!("rpc_client_call_duration_seconds_bucket{labels}"))
    };
    ensure!((took("0.075"), took("+Inf")) == (Some(0.0), Some(1.0)), "{text}");
    Ok(())
}

fn what_is_under_way_is_measured(broker: &dyn Broker) -> anyhow::Result<()> {
    let metrics = Metrics::new();
    let _server = Server::start(setup(broker).metrics(&metrics))?;
    let client = client(broker)?.with_metrics(&metrics);
    let calls = (0..2).map(|_| sleep::start(&client, 3000)).collect::<Result<Vec<_>, _>>()?;
    let sleeping = |side: &str| format!("guirpc_{side}_in_flight{}", of("sleep", ""));
    let busy = "guirpc_server_busy_workers{lane=\"\"}".to_owned();
    expect(&metrics, &[(sleeping("client"), 2.0), (sleeping("server"), 2.0), (busy.clone(), 2.0)])?;
    calls.into_iter().try_for_each(|call| call.wait().map(drop))?;
    expect(&metrics, &[(sleeping("client"), 0.0), (sleeping("server"), 0.0), (busy, 0.0)])?;
    broker.close_all_connections("a test")?;
    let reconnects = ["guirpc_server_reconnects_total{lane=\"\"}", "guirpc_client_reconnects_total"];
    expect(&metrics, &reconnects.map(|sample| (sample.to_owned(), 1.0)))
}

fn messages_of_several_are_measured(broker: &dyn Broker) -> anyhow::Result<()> {
    let metrics = Metrics::new();
    let _server = Server::start(setup(broker).metrics(&metrics))?;
    let client = client(broker)?.with_metrics(&metrics).with_coalescing(Coalescing::default().window(1));
    let calls = (0..200).map(|n| add::start(&client, n, 1)).collect::<Result<Vec<_>, _>>()?;
    calls.into_iter().try_for_each(|call| call.wait().map(drop))?;
    let text = metrics.encode();
    let sent = ["messages", "calls"].map(|what| value(&text, &format!("guirpc_client_coalesced_{what}_total")));
    let arrived =
        ["messages", "calls"].map(|what| value(&text, &format!("guirpc_server_coalesced_{what}_total{{lane=\"\"}}")));
    ensure!(sent == arrived, "{sent:?} {arrived:?}");
    ensure!(sent[0] >= Some(1.0) && sent[1] > sent[0], "{sent:?}");
    let replied = ["reply_messages", "replies"]
        .map(|what| value(&text, &format!("guirpc_server_coalesced_{what}_total{{lane=\"\"}}")));
    ensure!(replied[0] >= Some(1.0) && replied[1] > replied[0], "{replied:?}");
    Ok(())
}

fn servers_add_up_and_are_not_forgotten(broker: &dyn Broker) -> anyhow::Result<()> {
    let metrics = Metrics::new();
    let start = || Server::start(setup(broker).metrics(&metrics));
    let (one, other) = (start()?, start()?);
    let client = client(broker)?;
    for n in 0..20 {
        add::call(&client, n, 1)?;
    }
    let runs = (format!("guirpc_server_runs_total{}", of("add", "outcome=\"output\"")), 20.0);
    let connected = |count: f64| ("guirpc_server_connected{lane=\"\"}".to_owned(), count);
    expect(&metrics, &[runs.clone(), connected(2.0)])?;
    drop(one);
    expect(&metrics, &[runs.clone(), connected(1.0)])?;
    drop(other);
    let text = metrics.encode();
    ensure!(value(&text, &runs.0) == Some(20.0) && value(&text, &connected(0.0).0).is_none(), "{text}");
    Ok(())
}

fn what_is_not_asked_for_is_not_measured(broker: &dyn Broker) -> anyhow::Result<()> {
    let metrics = Metrics::new();
    let (_server, client) = serve(broker)?;
    add::call(&client, 1, 2)?;
    let text = metrics.encode();
    ensure!(text.ends_with("# EOF\n") && text.lines().all(|line| line.starts_with('#')), "{text}");
    Ok(())
}

fn a_program_serves_them_and_its_health(broker: &dyn Broker) -> anyhow::Result<()> {
    let port = Port::claim()?;
    let number = port.number();
    let mut program = program(&broker.uri(), &["--metrics", &number.to_string()])?;
    let client = client(broker)?;
    add::call(&client, 1, 2)?;
    let runs = format!("guirpc_server_runs_total{}", of("add", "outcome=\"output\""));
    let mut text = String::new();
    eventually(LONG, || {
        text = http_get(number, "/metrics")?.1;
        Ok(value(&text, &runs) == Some(1.0))
    })
    .with_context(|| text.clone())?;
    ensure!(http_get(number, "/readyz")? == (200, "ready\n".to_owned()));
    let ready = (200, "[+] server: ready\n[+] lane reports: ready\nready\n".to_owned());
    ensure!(http_get(number, "/readyz?verbose")? == ready);
    ensure!(http_get(number, "/livez")? == (200, "live\n".to_owned()));
    // It is still at work: live, and no longer ready.
    let call = sleep::start(&client, 3000)?;
    eventually(LONG, || {
        let text = http_get(number, "/metrics")?.1;
        Ok(value(&text, &format!("guirpc_server_in_flight{}", of("sleep", ""))) == Some(1.0))
    })?;
    program.terminate()?;
    let draining = (503, "[-] server: shutting down\nnot ready\n".to_owned());
    eventually(LONG, || Ok(http_get(number, "/readyz")? == draining))?;
    ensure!(http_get(number, "/livez")?.0 == 200);
    call.wait()?;
    ensure!(program.wait(LONG)?.success());
    ensure!(http_get(number, "/livez").is_err());
    Ok(())
}

fn a_program_is_ready_when_it_serves(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let port = Port::claim()?;
    let number = port.number();
    let readiness = || http_get(number, "/readyz?verbose");
    let _program = program(&broker.uri(), &["--metrics", &number.to_string()])?;
    let client = client(broker)?;
    // The broker tells of an alarm those who publish meanwhile: the reply comes then.
    let call = sleep::start(&client, 4000)?;
    let running = format!("guirpc_server_in_flight{}", of("sleep", ""));
    eventually(LONG, || Ok(value(&http_get(number, "/metrics")?.1, &running) == Some(1.0)))?;
    broker.memory_alarm(true)?;
    let mut seen = None;
    eventually(LONG, || {
        seen = Some(readiness()?);
        Ok(seen.as_ref().is_some_and(|(status, lines)| *status == 503 && lines.contains("[-] server: blocked: ")))
    })
    .with_context(|| format!("{seen:?}"))?;
    ensure!(http_get(number, "/livez")?.0 == 200);
    broker.memory_alarm(false)?;
    eventually(LONG, || Ok(readiness()?.0 == 200))?;
    call.wait()?;
    let blocks = value(&http_get(number, "/metrics")?.1, "guirpc_server_blocks_total{lane=\"\"}");
    ensure!(blocks == Some(1.0), "{blocks:?}");
    broker.kill()?;
    eventually(LONG, || {
        let (status, lines) = readiness()?;
        Ok(status == 503 && lines.contains("[-] server: disconnected: "))
    })?;
    ensure!(http_get(number, "/livez")?.0 == 200);
    broker.restart()?;
    eventually(LONG, || Ok(readiness()?.0 == 200))
}

fn a_program_of_clients_has_the_same(broker: &dyn Broker) -> anyhow::Result<()> {
    let metrics = Metrics::new();
    let serving = metrics.serve("0")?;
    let port = serving.address().port();
    ensure!(http_get(port, "/readyz")?.0 == 503, "there is no client yet");
    let _server = Server::start(setup(broker))?;
    let client = Client::connect(broker.uri())?.with_metrics(&metrics);
    add::call(&client, 1, 2)?;
    ensure!(http_get(port, "/readyz?verbose")? == (200, "[+] client: ready\nready\n".to_owned()));
    let called = format!("rpc_client_call_duration_seconds_count{}", of("add", "outcome=\"output\""));
    let text = http_get(port, "/metrics")?.1;
    ensure!(value(&text, &called) == Some(1.0), "{text}");
    drop(client);
    ensure!(http_get(port, "/readyz")?.0 == 503);
    ensure!(value(&http_get(port, "/metrics")?.1, &called) == Some(1.0));
    Ok(())
}
