//! Contracts: what a service promises its callers, as a document.
//!
//! A [`Contract`] has each function of a service with its arguments, its output and its error, as JSON Schemas, and
//! with what its attribute says. It is made of the functions themselves, so it cannot be out of date.
//! The guide is the page [`contracts`](crate::contracts).

pub mod compare;
mod describe;
mod document;
#[cfg(test)]
mod tests;

pub use document::{
    Argument, Contract, Definitions, DocumentError, Error, FORMAT_VERSION, Function, Output, Python, Type,
};
