//! Calls in the dialect of the Python package guirpc.

#![allow(clippy::disallowed_names, reason = "they are the original's")]

use anyhow::ensure;
use guirpc::{Dialect, Fault, Server, Setup};
use harness::{Broker, eventually};
use serde_json::{Value, json};

use crate::run::{Ended, check};
use crate::{LONG, ask};

#[guirpc::function(service = "foobar")]
fn foobar_sum(foo: i64, bar: i64) -> Value {
    json!({ "result": foo + bar })
}

#[guirpc::function(service = "foobar", python(request = "text", response = "text"))]
fn foobar_count(sentence: &str) -> Result<usize, Fault> {
    if sentence.is_empty() {
        return Err(Fault::new(400, "there is nothing to count in"));
    }
    Ok(sentence.matches("foo").count() + sentence.matches("bar").count())
}

#[guirpc::function(service = "foobar", python(request = "binary", response = "binary"))]
fn echo_binary(object: Value) -> Value {
    object
}

/// Serves where a consumer in Python would.
fn serve(broker: &dyn Broker) -> anyhow::Result<Server> {
    Ok(Server::start(Setup::new(["foobar"]).uri(broker.uri()).dialect(Dialect::Python).pickle(true))?)
}

fn call(broker: &dyn Broker, options: &[&str]) -> anyhow::Result<Ended> {
    ask(broker, &[&["call", "--dialect", "python", "foobar"], options].concat())
}

pub(crate) fn calls_as_python_does(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = serve(broker)?;
    check(&call(broker, &["foobar_sum", r#"{"foo": 1, "bar": 2}"#])?, 0, "{\"result\":3}\n")?;
    check(&call(broker, &["foobar_count", "foo bar foo", "--serializer", "text"])?, 0, "3\n")?;
    let ended = call(broker, &["echo_binary", "[1, null, \"a\"]", "--serializer", "binary"])?;
    check(&ended, 0, "[1,null,\"a\"]\n")
}

pub(crate) fn failures_have_the_usual_exit_codes(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = serve(broker)?;
    check(&call(broker, &["nope"])?, 3, "fault 400: [RequestError] FaaS with name 'nope' is not registered")?;
    check(&call(broker, &["foobar_sum", r#"{"foo": 1}"#])?, 3, "[ValidationError] 'bar' field is required.")?;
    check(&call(broker, &["foobar_count", "--serializer", "text"])?, 3, "fault 400: there is nothing to count in")?;
    check(&call(broker, &["foobar_sum", "--exchange", "nowhere"])?, 7, "no queue takes calls")?;
    check(&call(broker, &["foobar_sum", "--routing-key", "nowhere"])?, 7, "`nowhere`")
}

pub(crate) fn sends_as_python_does(broker: &dyn Broker) -> anyhow::Result<()> {
    drop(serve(broker)?);
    let ended = ask(broker, &["send", "--dialect", "python", "foobar", "foobar_sum", r#"{"foo": 1, "bar": 2}"#])?;
    check(&ended, 0, "")?;
    ensure!(broker.queue("foobar")?.is_some_and(|queue| queue.messages == 1));
    let _server = serve(broker)?;
    eventually(LONG, || Ok(broker.queue("foobar")?.is_some_and(|queue| queue.messages == 0)))
}
