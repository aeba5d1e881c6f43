//! Traces that are exported: a client, two services, and a collector.

mod client;
mod collector;
mod functions;

use std::net::TcpListener;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use guirpc::Client;
use harness::{Broker, Case, Program, eventually};
use opentelemetry::trace::SpanKind;
use serde_json::Value;

use crate::client::Exported;
use crate::collector::Collector;
use crate::functions::{double, keep, post, quadruple, quadruple_later, sum_of_doubles, try_in_vain};

const LONG: Duration = Duration::from_secs(30);
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn main() -> ExitCode {
    harness::main([
        Case::shared("one_trace_through_two_services", one_trace_through_two_services),
        Case::shared("calls_that_travel_together_have_a_span_each", calls_that_travel_together_have_a_span_each),
        Case::shared("a_send_is_produced_and_consumed", a_send_is_produced_and_consumed),
        Case::shared("failures_are_told_apart", failures_are_told_apart),
        Case::shared("a_caller_without_an_exporter_is_a_parent", a_caller_without_an_exporter_is_a_parent),
        Case::shared("lines_of_the_log_name_their_span", lines_of_the_log_name_their_span),
        Case::shared("a_dead_collector_holds_nothing_up", a_dead_collector_holds_nothing_up),
        Case::shared("nothing_is_exported_unasked", nothing_is_exported_unasked),
    ])
}

/// A service as a program.
fn start(broker: &dyn Broker, service: &str, variables: &[(&str, &str)]) -> anyhow::Result<Program> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_traced"));
    command.env("AMQP_URI", broker.uri()).args(["--service", service, "--log-format", "json"]);
    let program = Program::start(command.envs(variables.iter().copied()))?;
    program.wait_for_log("serving", LONG)?;
    Ok(program)
}

/// Both services, exporting.
fn start_both(broker: &dyn Broker, collector: &Collector) -> anyhow::Result<[Program; 2]> {
    let endpoint = collector.endpoint();
    let start = |service| {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
            ("OTEL_SERVICE_NAME", service),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ];
        start(broker, service, &variables)
    };
    Ok([start("front")?, start("back")?])
}

fn connect(broker: &dyn Broker) -> anyhow::Result<Client> {
    Ok(Client::connect(broker.uri())?.with_timeout(LONG))
}

/// Waits for this tree below a span of a trace.
#[track_caller]
fn check(collector: &Collector, (trace, parent): (&str, &str), expected: &str) -> anyhow::Result<()> {
    let grown = eventually(LONG, || Ok(collector.tree(trace, parent) == expected));
    grown.with_context(|| format!("not\n{expected}\nbut\n{}", collector.tree(trace, parent)))
}

fn one_trace_through_two_services(broker: &dyn Broker) -> anyhow::Result<()> {
    let collector = Collector::start()?;
    let _services = start_both(broker, &collector)?;
    let client = connect(broker)?;
    let (exported, output) = Exported::by(|| quadruple::call(&client, 3));
    ensure!(output? == 12);
    let (trace, root) = exported.only("front/quadruple", &SpanKind::Client)?;
    let expected = "\
server front/quadruple
  client back/double
    server back/double
  client back/double_later
    server back/double_later
";
    check(&collector, (&trace, &root), expected)?;
    let (exported, output) = Exported::by(|| quadruple_later::call(&client, 3));
    ensure!(output? == 12);
    let (other, root) = exported.only("front/quadruple_later", &SpanKind::Client)?;
    ensure!(other != trace);
    check(&collector, (&other, &root), &expected.replace("quadruple", "quadruple_later"))?;

    let served = collector.only(&trace, "server back/double")?;
    let attribute = |name: &str| served.attributes.get(name).map(String::as_str).unwrap_or_default();
    ensure!(served.service == "back" && !served.is_error, "{served:?}");
    let port = broker.port().to_string();
    for (name, value) in [
        ("rpc.system.name", "guirpc"),
        ("rpc.method", "back/double"),
        ("rpc.response.status_code", "200"),
        ("server.address", "127.0.0.1"),
        ("server.port", &port),
        ("messaging.system", "rabbitmq"),
        ("messaging.destination.name", "guirpc:back"),
        ("faas.trigger", "pubsub"),
        ("guirpc.attempts", "0"),
        ("guirpc.redelivered", "false"),
    ] {
        ensure!(attribute(name) == value, "{name}: {served:?}");
    }
    ensure!(attribute("guirpc.queue_time").parse::<f64>()? < LONG.as_secs_f64(), "{served:?}");
    let called = collector.only(&trace, "client back/double")?;
    ensure!(called.service == "front" && called.attributes["rpc.response.status_code"] == "200", "{called:?}");
    let id = attribute("messaging.message.conversation_id");
    ensure!(!id.is_empty() && called.attributes["messaging.message.conversation_id"] == id, "{called:?}");
    // Nothing of what is beside the conventions and is no business of a reader's.
    let is_known = |name: &&String| {
        let known = ["rpc.", "server.", "messaging.", "faas.", "guirpc.", "error.type"];
        !known.iter().any(|known| name.starts_with(known))
    };
    ensure!(served.attributes.keys().find(is_known).is_none(), "{served:?}");
    Ok(())
}

fn calls_that_travel_together_have_a_span_each(broker: &dyn Broker) -> anyhow::Result<()> {
    let collector = Collector::start()?;
    let _services = start_both(broker, &collector)?;
    let client = connect(broker)?;
    let (exported, output) = Exported::by(|| sum_of_doubles::call(&client, 20));
    ensure!(output? == 380);
    let (trace, root) = exported.only("front/sum_of_doubles", &SpanKind::Client)?;
    let each = "  client back/double\n    server back/double\n".repeat(20);
    check(&collector, (&trace, &root), &format!("server front/sum_of_doubles\n{each}"))?;
    let together = collector.trace(&trace);
    let together = together.iter().filter(|span| span.attributes["messaging.destination.name"].contains("back.calls"));
    ensure!(together.count() > 0, "none has travelled with another");
    Ok(())
}

fn a_send_is_produced_and_consumed(broker: &dyn Broker) -> anyhow::Result<()> {
    let collector = Collector::start()?;
    let _services = start_both(broker, &collector)?;
    let client = connect(broker)?;
    let (exported, output) = Exported::by(|| keep::send(&client, 1));
    output?;
    let (trace, root) = exported.only("back/keep", &SpanKind::Producer)?;
    check(&collector, (&trace, &root), "consumer back/keep\n")?;
    let (exported, output) = Exported::by(|| post::call(&client, 1));
    output?;
    let (trace, root) = exported.only("front/post", &SpanKind::Client)?;
    check(&collector, (&trace, &root), "server front/post\n  producer back/keep\n    consumer back/keep\n")?;
    let [produced, consumed] = ["producer back/keep", "consumer back/keep"].map(|title| collector.only(&trace, title));
    ensure!(produced?.attributes["messaging.operation.type"] == "send");
    ensure!(consumed?.attributes["messaging.operation.type"] == "process");
    Ok(())
}

fn failures_are_told_apart(broker: &dyn Broker) -> anyhow::Result<()> {
    let collector = Collector::start()?;
    let _services = start_both(broker, &collector)?;
    let client = connect(broker)?;
    let (exported, output) = Exported::by(|| try_in_vain::call(&client));
    ensure!(output? == 2);
    let (trace, root) = exported.only("front/try_in_vain", &SpanKind::Client)?;
    let expected = "\
server front/try_in_vain
  client back/fail
    server back/fail
  client back/no_such_function
    server back/_OTHER
";
    check(&collector, (&trace, &root), expected)?;
    for (title, code, is_error) in [
        ("client back/fail", "503", true),
        ("server back/fail", "503", true),
        ("client back/no_such_function", "404", true),
        // The service has done what it should.
        ("server back/_OTHER", "404", false),
    ] {
        let span = collector.only(&trace, title)?;
        ensure!(span.attributes["error.type"] == code && span.is_error == is_error, "{span:?}");
        ensure!(!span.attributes.values().any(|value| value.contains("not today")), "{span:?}");
    }
    let nowhere = client.with_service("nobody");
    let (exported, output) = Exported::by(|| double::call(&nowhere, 1));
    ensure!(output.is_err());
    exported.only("nobody/double", &SpanKind::Client)?;
    Ok(())
}

fn a_caller_without_an_exporter_is_a_parent(broker: &dyn Broker) -> anyhow::Result<()> {
    let collector = Collector::start()?;
    let _services = start_both(broker, &collector)?;
    let traced = connect(broker)?.with_header("traceparent", format!("00-{TRACE}-{SPAN}-01"));
    ensure!(quadruple::call(&traced, 1)? == 4);
    let expected = "\
server front/quadruple
  client back/double
    server back/double
  client back/double_later
    server back/double_later
";
    check(&collector, (TRACE, SPAN), expected)?;
    // Whom nobody wants to see is not exported, and neither is what follows.
    let unseen = connect(broker)?.with_header("traceparent", format!("00-{}-{SPAN}-00", TRACE.replace('4', "5")));
    ensure!(quadruple::call(&unseen, 1)? == 4);
    ensure!(quadruple::call(&traced, 1)? == 4);
    check(&collector, (TRACE, SPAN), &expected.repeat(2))?;
    ensure!(collector.trace(&TRACE.replace('4', "5")).is_empty());
    Ok(())
}

/// The line that says this, as JSON.
fn line(program: &Program, text: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&program.wait_for_log(text, LONG)?)?)
}

fn lines_of_the_log_name_their_span(broker: &dyn Broker) -> anyhow::Result<()> {
    let traced = connect(broker)?.with_header("traceparent", format!("00-{TRACE}-{SPAN}-01"));
    let mut plain = start(broker, "back", &[])?;
    ensure!(double::call(&traced, 1)? == 2);
    let logged = line(&plain, "doubling")?;
    // Without an exporter it is the caller's.
    ensure!(logged["trace_id"] == TRACE && logged["span_id"] == SPAN && logged["n"] == 1, "{logged}");
    ensure!(line(&plain, "serving")?["trace_id"].is_null());
    // Not killed, which could have the call delivered again.
    plain.terminate()?;
    ensure!(plain.wait(LONG)?.success());
    let collector = Collector::start()?;
    let [_, exporting] = start_both(broker, &collector)?;
    ensure!(double::call(&traced, 1)? == 2);
    let logged = line(&exporting, "doubling")?;
    check(&collector, (TRACE, SPAN), "server back/double\n")?;
    let span = collector.only(TRACE, "server back/double")?;
    ensure!(logged["trace_id"] == TRACE && logged["span_id"] == *span.id, "{logged} of {span:?}");
    Ok(())
}

fn a_dead_collector_holds_nothing_up(broker: &dyn Broker) -> anyhow::Result<()> {
    // It takes connections, and never answers.
    let dead = TcpListener::bind("127.0.0.1:0")?;
    let endpoint = format!("http://user:hunter2@{}", dead.local_addr()?);
    let mut service = start(broker, "back", &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint)])?;
    ensure!(double::call(&connect(broker)?, 1)? == 2);
    let begun = Instant::now();
    service.terminate()?;
    let status = service.wait(LONG)?;
    ensure!(status.success() && begun.elapsed() < Duration::from_secs(6), "{status} after {:?}", begun.elapsed());
    service.wait_for_log("the last traces could not be exported", LONG)?;
    drop(dead);
    let gone =
        start(broker, "back", &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "20")])?;
    let client = connect(broker)?;
    for n in 0..50 {
        ensure!(double::call(&client, n)? == 2 * n);
        std::thread::sleep(Duration::from_millis(10));
    }
    gone.wait_for_log("no traces can be exported to 127.0.0.1", LONG)?;
    let told = gone.stderr().iter().filter(|line| line.contains("no traces can be exported")).count();
    ensure!(told == 1, "told {told} times");
    ensure!(!gone.stderr().iter().any(|line| line.contains("hunter2")));
    Ok(())
}

fn nothing_is_exported_unasked(broker: &dyn Broker) -> anyhow::Result<()> {
    let collector = Collector::start()?;
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.endpoint());
    let traced = connect(broker)?.with_header("traceparent", format!("00-{TRACE}-{SPAN}-01"));
    for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none"), ("OTEL_TRACES_SAMPLER", "always_off")]
    {
        let mut service = start(broker, "back", &[endpoint, off])?;
        ensure!(double::call(&traced, 1)? == 2);
        service.terminate()?;
        ensure!(service.wait(LONG)?.success());
    }
    ensure!(collector.trace(TRACE).is_empty());
    for (wrong, words) in [
        (("OTEL_TRACES_EXPORTER", "zipkin"), "known: otlp and none"),
        (("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), "known: http/protobuf; grpc"),
        (("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"), "known: gzip and none"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_traced"));
        let mut service = Program::start(command.env("AMQP_URI", broker.uri()).envs([endpoint, wrong]))?;
        let status = service.wait(LONG)?;
        ensure!(status.code() == Some(2), "{wrong:?}: {status}");
        service.wait_for_log(words, LONG)?;
    }
    Ok(())
}
