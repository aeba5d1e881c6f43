//! Functions of every kind, as a library has them, under the strictest lints.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic, unused_qualifications, missing_debug_implementations)]
#![allow(clippy::must_use_candidate, clippy::missing_errors_doc, reason = "about the functions, not their stubs")]

use std::sync::atomic::{AtomicU64, Ordering};

use guirpc::{Context, Fault, Reply};

/// A counter.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

/// Does nothing.
#[guirpc::function]
pub fn nothing() {}

/// Returns what it was given.
#[guirpc::function(name = "echo-text", service = "texts")]
pub fn echo(text: &str) -> String {
    text.to_owned()
}

/// Counts bytes.
#[guirpc::function(ack = "early")]
pub(crate) fn count(bytes: &[u8], #[state] counter: &Counter, #[context] context: &Context) -> u64 {
    let _ = context.function();
    let length = bytes.len() as u64;
    counter.0.fetch_add(length, Ordering::Relaxed) + length
}

/// Raw identifiers.
#[guirpc::function]
pub fn r#match(r#type: String, r#async: Option<u8>) -> (String, Option<u8>) {
    (r#type, r#async)
}

/// A function that changes its own copy of an argument.
#[guirpc::function]
pub fn grow(mut list: Vec<u8>, #[allow(unused_variables)] unused: bool) -> Vec<u8> {
    list.push(0);
    list
}

/// Not served any more under this name.
#[deprecated = "use `echo`"]
#[guirpc::function]
pub fn old_echo(text: &str) -> String {
    text.to_owned()
}

/// Not there at all.
#[guirpc::function]
#[cfg(any())]
pub fn absent(argument: NoSuchType) -> NoSuchType {
    argument
}

#[doc = concat!("Doubles", " a number.")]
///
/// Its docs are put together by the compiler.
#[guirpc::function]
pub fn double(number: i64) -> i64 {
    2 * number
}

/// There, for two reasons.
#[cfg(not(windows))]
#[guirpc::function]
#[cfg(any(unix, not(unix)))]
pub fn present(argument: u8) -> u8 {
    argument
}

/// A status beside the value.
#[guirpc::function]
pub async fn create(name: String) -> Result<Reply<String>, Fault> {
    if std::future::ready(name.is_empty()).await {
        return Err(Fault::new(400, "a name has letters"));
    }
    Ok(Reply::with_status(201, name))
}

/// Data that only sounds like a `Result`.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct SearchResult {
    /// What was found.
    pub found: Vec<String>,
}

/// Finds nothing.
#[guirpc::function(infallible)]
pub fn search() -> SearchResult {
    SearchResult { found: Vec::new() }
}

type Outcome<T> = Result<T, Fault>;

/// A `Result` that does not sound like one.
#[guirpc::function(fallible, stub = attempt_call)]
pub fn attempt(_underscored: i64) -> Outcome<i64> {
    Err(Fault::new(503, "not today"))
}

/// As many arguments as there can be.
#[guirpc::function]
#[allow(clippy::too_many_arguments, clippy::many_single_char_names, clippy::similar_names)]
pub fn most(
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
    f: u8,
    g: u8,
    h: u8,
    i: u8,
    j: u8,
    k: u8,
    l: u8,
    m: u8,
    n: u8,
    o: u8,
    p: u8,
) -> u8 {
    a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p
}

/// Lives in another program.
pub mod elsewhere {
    /// Adds two integers.
    #[guirpc::function(service = "math")]
    pub fn add(a: i64, b: i64) -> i64;

    /// Not called any more.
    #[deprecated]
    #[guirpc::function(service = "math", timeout = "150ms", idempotent)]
    pub fn subtract(mut a: i64, b: i64) -> Result<i64, guirpc::Fault>;

    #[guirpc::function(service = "math")]
    #[cfg(any())]
    pub fn absent(a: NoSuchType);
}
