//! A service on its way from Python: what the guide for moving one over promises.

use anyhow::ensure;
use guirpc::{Client, Dialect, Fault, Server, Setup};
use harness::{Broker, Case};
use serde_json::{Value, json};

use crate::foobar;
use crate::python::{Consumer, EXCHANGE, LONG, QUEUE};
use crate::python_calls::check_suite;

pub(crate) fn with_python() -> Vec<Case> {
    vec![Case::shared("moving::what_is_passed_on_comes_back_as_it_was", what_is_passed_on_comes_back_as_it_was)]
}

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::shared("moving::one_queue_for_both_dialects", one_queue_for_both_dialects)]
}

/// Where the functions are that have not been moved.
mod python {
    #[guirpc::function(service = "my_queue_python", dialect = "python")]
    pub(crate) fn foobar_sum(object: serde_json::Value) -> serde_json::Value;
}

struct Python(Client);

#[guirpc::function(service = "moving")]
fn foobar_sum(#[state] python: &Python, object: Value) -> Result<Value, Fault> {
    Ok(python::foobar_sum::call(&python.0, object)?)
}

fn what_is_passed_on_comes_back_as_it_was(broker: &dyn Broker) -> anyhow::Result<()> {
    let _consumer = Consumer::start_on(broker, "my_queue_python")?;
    let python = Python(Client::connect(broker.uri())?.with_timeout(LONG));
    let setup = Setup::new(["moving"]).uri(broker.uri()).dialect(Dialect::Python).queue(QUEUE).routing_key(QUEUE);
    let _server = Server::start(setup.state(python))?;
    check_suite(broker, &["--only", "sum_"], "7 passed, 0 failed")
}

/// The same function as a caller in Rust has it who does not care about Python any more.
#[guirpc::function(service = "foobar")]
fn echo_json(object: Value) -> Value;

fn one_queue_for_both_dialects(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = foobar::serve(broker)?;
    let client = Client::connect(broker.uri())?.with_timeout(LONG).with_exchange(EXCHANGE).with_routing_key(QUEUE);
    let object = json!({ "a": 1 });
    ensure!(echo_json::call(&client, object.clone())? == object);
    ensure!(echo_json::call(&client.with_dialect(Dialect::Python), object.clone())? == object);
    Ok(())
}
