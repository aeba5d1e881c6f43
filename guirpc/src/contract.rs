//! Contracts: what a service promises its callers, as a document.
//!
//! A [`Contract`] has each function of a service with its arguments, its output and its error, as JSON Schemas, and
//! with what its attribute says. It is made of the functions themselves, so it cannot be out of date.
//! Tools of others read it in another [`Format`].
//! The guide is the page [`contracts`](crate::contracts).

mod callers;
pub mod compare;
mod definitions;
mod describe;
mod document;
mod format;
mod references;
#[cfg(test)]
mod tests;

pub(crate) use callers::called_services;
pub use document::{
    Argument, Contract, Definitions, DocumentError, Error, FORMAT_VERSION, Function, Output, Python, Type,
};
pub use format::{Format, UnknownFormat};

/// guirpc's own format of contracts, as a JSON Schema (2020-12).
///
/// ```
/// let schema: serde_json::Value = serde_json::from_str(guirpc::contract::JSON_SCHEMA)?;
/// assert_eq!(schema["title"], "A contract of guirpc");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub const JSON_SCHEMA: &str = include_str!("contract/contract.schema.json");
