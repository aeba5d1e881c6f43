//! How errors become faults.

use std::fmt;

use serde_json::json;

use super::{Fault, OrFault};
use crate::error::CallError;
use crate::message::status;

/// An error with another behind it.
#[derive(Debug)]
struct Unreadable(std::num::ParseIntError);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unreadable")
    }
}

impl std::error::Error for Unreadable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn number(text: &str) -> Result<i64, Fault> {
    Ok(text.parse::<i64>().map_err(Unreadable)?)
}

#[test]
fn a_fault_is_never_a_success() {
    for (given, status) in [(400, 400), (599, 599), (200, 500), (399, 500), (600, 500), (0, 500)] {
        assert_eq!(Fault::new(given, "").status(), status);
    }
}

#[test]
fn any_error_becomes_a_fault_that_keeps_its_sources_to_itself() {
    let fault = number("x").unwrap_err();
    assert_eq!(fault, Fault::new(status::INTERNAL, "unreadable"));
    assert_eq!(fault.source().expect("it is kept for the log").to_string(), "unreadable");
    assert!(!format!("{fault:?}").contains("invalid digit"));
    // What has nothing behind it says everything itself.
    assert!(Fault::from(fmt::Error).source().is_none());
}

#[test]
fn the_fault_of_a_function_that_was_called_stays_what_it_was() {
    let fault = || Fault::new(409, "taken").with_details(json!([1]));
    let called = |error: CallError| -> Result<(), Fault> { Err(error)? };
    assert_eq!(called(CallError::Fault(fault())), Err(fault()));
    let called = |error: CallError<Fault>| -> Result<(), Fault> { Err(error)? };
    assert_eq!(called(CallError::Fault(fault())), Err(fault()));
    let unroutable = called(CallError::Unroutable { service: "math".to_owned() }).unwrap_err();
    assert_eq!(unroutable.status(), status::INTERNAL);
    assert!(unroutable.message().contains("no queue takes calls for service `math`"), "{unroutable}");
}

#[test]
fn what_is_no_error_becomes_a_fault_by_a_status() {
    assert_eq!(Err::<(), _>("a text").or_fault(418), Err(Fault::new(418, "a text")));
    assert_eq!(None::<()>.or_fault(404), Err(Fault::new(404, "no such value")));
    assert_eq!(Some(1).or_fault(404), Ok(1));
}

#[test]
fn a_fault_becomes_a_boxed_error_and_a_fault_again() {
    fn fails() -> Result<(), Fault> {
        Err(Fault::new(409, "taken"))
    }
    fn boxed() -> Result<(), Box<dyn std::error::Error>> {
        Ok(fails()?)
    }
    fn shared() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(fails()?)
    }
    fn again() -> Result<(), Fault> {
        let error = shared().unwrap_err().downcast::<CallError>().expect("it is one");
        Err(*error)?
    }
    assert_eq!(boxed().unwrap_err().to_string(), "fault 409: taken");
    assert_eq!(again().unwrap_err(), Fault::new(409, "taken"));
}

#[cfg(feature = "anyhow")]
#[test]
fn a_fault_becomes_an_anyhow_error() {
    fn fails() -> anyhow::Result<()> {
        Err(Fault::new(409, "taken"))?
    }
    let error = fails().unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(CallError::<std::convert::Infallible>::Fault(_))), "{error}");
}
