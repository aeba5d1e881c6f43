//! The original's producer calls.

use anyhow::ensure;
use harness::{Broker, Case};

use crate::foobar;
use crate::python::{Consumer, suite};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("python_calls_python", python_calls_python),
        Case::shared("python_calls_rust", python_calls_rust),
        Case::shared("eight_producers", eight_producers),
        Case::shared("a_trace_of_pythons_goes_on", a_trace_of_pythons_goes_on),
    ]
}

/// Has the original's producer call whoever serves, and counts the cases: a suite that shrinks is noticed.
pub(crate) fn check_suite(broker: &dyn Broker, options: &[&str], expected: &str) -> anyhow::Result<()> {
    let lines = suite(broker, options)?;
    ensure!(lines.last().is_some_and(|summary| summary == expected), "not {expected}: {}", lines.join("\n"));
    Ok(())
}

/// What the suite asks for is what the original does.
fn python_calls_python(broker: &dyn Broker) -> anyhow::Result<()> {
    let _consumer = Consumer::start(broker)?;
    check_suite(broker, &["--strict", "--extras", "--pickle"], "42 passed, 0 failed")
}

/// Three cases more than the original: those in which its consumer breaks.
fn python_calls_rust(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = foobar::serve(broker)?;
    check_suite(broker, &["--strict", "--extras", "--pickle", "--ext"], "45 passed, 0 failed")
}

/// At the same time, and none of their 3,000 calls is lost.
fn eight_producers(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = foobar::serve(broker)?;
    check_suite(broker, &["--only", "parallel_producers", "--parallel", "8", "--each", "375"], "1 passed, 0 failed")
}

/// From its caller through a function to the one that this calls.
fn a_trace_of_pythons_goes_on(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = foobar::serve(broker)?;
    check_suite(broker, &["--trace", "--only", "a_trace_goes_on"], "1 passed, 0 failed")
}
