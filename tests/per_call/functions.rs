//! The functions that are called: the least that a function can do, and the counters of its process.

use guirpc::{Fault, OrFault};

use crate::counters::Counters;

#[guirpc::function(service = "per-call")]
pub(crate) fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[guirpc::function(service = "per-call")]
pub(crate) fn counters() -> Result<Counters, Fault> {
    Counters::now().or_fault(500)
}
