//! Written by `guirpc contract client --lang rust`;
//! write it anew rather than change it.
//!
//! The functions of the service `shop`, which are called by their stubs, as in `add::call(&client, …)`.
#![allow(
    clippy::doc_lazy_continuation,
    clippy::doc_markdown,
    clippy::enum_variant_names,
    clippy::large_enum_variant,
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    clippy::too_many_arguments,
    clippy::type_complexity,
    rustdoc::all,
    reason = "names, docs and types are those of the contract"
)]

pub mod types;

/// The contract that this was written from: the hash of the document.
pub const CONTRACT: &str = "176f0474ada66ed95e6cfa9ee2deda6b";

/// Adds two integers.
#[guirpc::function(service = "shop", idempotent, contract = CONTRACT)]
pub fn add(a: i64, b: i64) -> i64;

/// The sum of all bytes.
#[guirpc::function(service = "shop", timeout = "20s", contract = CONTRACT)]
pub fn checksum(data: &[u8]) -> u64;

/// Fails as `how` says: `fault` (409), `panic`, or takes five seconds (`slow`).
#[guirpc::function(service = "shop", contract = CONTRACT)]
pub fn fail(how: &str);

/// Finds articles by their name.
#[deprecated = "use `search`"]
#[guirpc::function(service = "shop", lane = "search", idempotent, contract = CONTRACT)]
pub fn find(name: &str, limit: Option<u32>) -> Vec<types::ArticleOutput>;

#[guirpc::function(service = "shop", contract = CONTRACT)]
pub fn opaque(thing: serde_json::Value) -> serde_json::Value;

/// Places an order.
///
/// The price is agreed with it.
#[guirpc::function(service = "shop", contract = CONTRACT)]
pub fn place(order: types::Order) -> Result<types::Receipt, types::PlaceError>;

#[guirpc::function(service = "shop", idempotent, contract = CONTRACT)]
pub fn reset();
