//! JSON as Python's module `json` writes and reads it.
//!
//! `serde_json` has neither `NaN` nor integers beyond 64 bits; what does, jiter, only reads, and brings ten crates along.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub(super) use read::read;
pub(super) use write::write;
