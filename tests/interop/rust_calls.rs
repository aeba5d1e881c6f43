//! This library calls the original's consumer.

use std::thread;
use std::time::Duration;

use anyhow::ensure;
use guirpc::{CallError, Client, Dialect, Pending, PythonOptions, PythonSerializer};
use harness::{Broker, Case, eventually};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::foobar::SERVICE;
use crate::python::{Consumer, LONG, QUEUE};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("rust_calls_python", rust_calls_python),
        Case::shared("rust_calls_python::without_a_stub", without_a_stub),
        Case::shared("rust_calls_python::faults_have_status_and_text", faults_have_status_and_text),
        Case::shared("rust_calls_python::a_deadline_ends_the_wait", a_deadline_ends_the_wait),
        Case::shared("rust_calls_python::from_many_threads", from_many_threads),
        Case::shared("rust_calls_python::astray_is_unroutable", astray_is_unroutable),
        Case::shared("rust_calls_python::what_nobody_waits_for", what_nobody_waits_for),
    ]
}

/// A sum, as the original names it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Sum {
    result: i64,
}

/// Its two numbers, as one object.
#[derive(Debug, Serialize, Deserialize)]
struct Operands {
    foo: i64,
    bar: i64,
}

/// With the fields of its object as arguments.
#[guirpc::function(service = "foobar", dialect = "python")]
fn foobar_sum(foo: i64, bar: i64) -> Sum;

/// With its object as the only argument.
#[guirpc::function(service = "foobar", name = "foobar_sum", dialect = "python")]
fn sum_of(object: Operands) -> Sum;

#[guirpc::function(service = "foobar", dialect = "python", python(request = "text", response = "text"))]
fn foobar_count(sentence: &str) -> u32;

#[guirpc::function(service = "foobar", dialect = "python")]
fn echo_json(object: Value) -> Value;

#[guirpc::function(service = "foobar", dialect = "python", python(request = "text", response = "text"))]
fn echo_text(text: &str) -> String;

#[guirpc::function(service = "foobar", dialect = "python", python(request = "binary", response = "binary"))]
fn echo_binary(object: Value) -> Value;

#[guirpc::function(service = "foobar", dialect = "python")]
fn raise_error(object: ()) -> Value;

#[guirpc::function(service = "foobar", dialect = "python", python(request = "text", response = "text"))]
fn sleep_text(seconds: f64) -> String;

/// The original's consumer, and a client of it.
fn serve(broker: &dyn Broker) -> anyhow::Result<(Consumer, Client)> {
    let consumer = Consumer::start(broker)?;
    Ok((consumer, Client::connect(broker.uri())?.with_timeout(LONG).with_routing_key(QUEUE)))
}

fn rust_calls_python(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_consumer, client) = serve(broker)?;
    ensure!(foobar_sum::call(&client, 2, 3)? == Sum { result: 5 });
    ensure!(sum_of::call(&client, Operands { foo: -7, bar: 3 })? == Sum { result: -4 });
    ensure!(foobar_count::call(&client, "My name is foo and I love bars")? == 2);
    for object in [
        json!({ "kñ": "niño € 😀\u{0}", "l": [1, 2.5, null, true, { "a": "b" }], "e": {} }),
        json!(0),
        json!("s"),
        json!([]),
    ] {
        ensure!(echo_json::call(&client, object.clone())? == object);
        ensure!(echo_binary::call(&client, object.clone())? == object);
    }
    let long = "x".repeat(1 << 20);
    ensure!(echo_text::call(&client, &long)? == long);
    Ok(())
}

fn without_a_stub(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_consumer, client) = serve(broker)?;
    let client = client.with_dialect(Dialect::Python);
    ensure!(client.call_json(SERVICE, "foobar_sum", json!({ "foo": 1, "bar": 2 }))? == json!({ "result": 3 }));
    ensure!(client.call_json(SERVICE, "echo_json", json!("a text"))? == json!("a text"));
    let of_texts = client.with_python(PythonOptions { request: PythonSerializer::Text, ..PythonOptions::new() });
    ensure!(of_texts.call_json(SERVICE, "foobar_count", json!("foo bar foo bar"))? == json!("4"));
    Ok(())
}

/// Whatever the original answers, its function may have run.
#[track_caller]
fn check_fault<T: std::fmt::Debug, E: std::fmt::Debug>(
    result: Result<T, CallError<E>>,
    status: u16,
    matches: impl FnOnce(&str) -> bool,
) {
    match result {
        Err(CallError::Fault(fault)) if fault.status() == status && matches(fault.message()) => {}
        other => panic!("not the fault {status}: {other:?}"),
    }
}

fn faults_have_status_and_text(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_consumer, client) = serve(broker)?;
    let python = client.with_dialect(Dialect::Python);
    let missing = python.call_json(SERVICE, "foobar_sum", json!({ "foo": 3 }));
    ensure!(missing.as_ref().is_err_and(|error| error.may_have_run() && !error.is_retryable()));
    check_fault(missing, 400, |text| text == "[ValidationError] 'bar' field is required.");
    check_fault(foobar_count::call(&client, "too short"), 400, |text| text.contains("length is 10"));
    check_fault(raise_error::call(&client, ()), 500, |text| text.starts_with("[ServerError]") && text.contains("boom"));
    let unknown = "[RequestError] FaaS with name 'nope' is not registered";
    check_fault(python.call_json(SERVICE, "nope", json!({})), 400, |text| text == unknown);
    ensure!(foobar_sum::call(&client, 2, 3)? == Sum { result: 5 });
    Ok(())
}

fn a_deadline_ends_the_wait(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_consumer, client) = serve(broker)?;
    ensure!(sleep_text::call(&client, 0.01)? == "slept");
    // It expires in its queue if it waits there for what is not acknowledged yet.
    eventually(LONG, || Ok(broker.queue(QUEUE)?.is_some_and(|queue| queue.messages == 0)))?;
    let error = sleep_text::call(&client.with_timeout(Duration::from_secs(1)), 4.0).unwrap_err();
    ensure!(matches!(error, CallError::TimedOut { .. }) && error.may_have_run(), "{error:?}");
    // It serves one call after the other: this one waits for that.
    ensure!(foobar_sum::call(&client, 2, 3)? == Sum { result: 5 });
    ensure!(client.late_replies() == 1);
    Ok(())
}

fn from_many_threads(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_consumer, client) = serve(broker)?;
    thread::scope(|scope| {
        for thread in 0..16 {
            let client = &client;
            scope.spawn(move || {
                for n in 0..50 {
                    assert_eq!(foobar_sum::call(client, thread, n).unwrap().result, thread + n);
                }
            });
        }
    });
    Ok(())
}

fn astray_is_unroutable(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_consumer, client) = serve(broker)?;
    // It serves one call after the other, so none of them is done before the first is.
    let seconds = [3.0, 0.2, 0.2];
    let calls: Vec<Pending<String>> =
        seconds.into_iter().map(|seconds| sleep_text::start(&client, seconds)).collect::<Result<_, _>>()?;
    eventually(LONG, || Ok(broker.queue(QUEUE)?.is_some_and(|queue| queue.messages == 3)))?;
    for astray in [client.with_routing_key("nowhere"), client.with_exchange("nowhere")] {
        let error = foobar_sum::call(&astray, 2, 3).unwrap_err();
        ensure!(matches!(error, CallError::Unroutable { .. }) && !error.may_have_run(), "{error:?}");
    }
    for call in calls {
        ensure!(call.wait()? == "slept");
    }
    Ok(())
}

/// A message that names no place for its reply breaks the original's consumer.
fn what_nobody_waits_for(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_consumer, client) = serve(broker)?;
    for _ in 0..8 {
        foobar_count::send(&client, "nobody wants to know")?;
    }
    ensure!(foobar_sum::call(&client, 2, 3)? == Sum { result: 5 });
    let error = client.with_dialect(Dialect::Python).call_json(SERVICE, "niño", json!({})).unwrap_err();
    ensure!(matches!(error, CallError::Unsendable { .. }), "{error:?}");
    Ok(())
}
