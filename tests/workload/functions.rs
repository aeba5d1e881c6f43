//! The functions that the end-to-end tests call: one of every kind.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::AtomicU32;
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use guirpc::{Context, Fault, OrFault, Reply};
use serde::{Deserialize, Serialize};

#[path = "tasks.rs"]
pub(crate) mod tasks;

/// What the functions remember: how often each was run, by a name that the caller chooses.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    counts: Mutex<BTreeMap<String, u32>>,
    orders: Mutex<BTreeMap<String, Vec<u32>>>,
    /// How many of [`tasks::meet`] are under way.
    met: AtomicU32,
}

impl Runs {
    fn count(&self, name: &str) -> u32 {
        let mut counts = self.counts();
        let count = counts.entry(name.to_owned()).or_default();
        *count += 1;
        *count
    }

    fn counted(&self, name: &str) -> u32 {
        self.counts().get(name).copied().unwrap_or_default()
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.counts.lock().expect(UNPOISONED)
    }

    fn orders(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u32>>> {
        self.orders.lock().expect(UNPOISONED)
    }
}

const UNPOISONED: &str = "no function panics with the lock";

/// A user, as a struct argument and output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct User {
    /// The name.
    pub(crate) name: String,
    /// The age in years.
    pub(crate) age: u8,
    /// The picture, as bytes.
    pub(crate) picture: Vec<u8>,
}

/// The typed error of [`find`].
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum FindError {
    /// There is no such user.
    NoSuchUser {
        /// The name that was looked for.
        name: String,
    },
}

impl std::fmt::Display for FindError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let FindError::NoSuchUser { name } = self;
        write!(f, "no user named {name}")
    }
}

/// Adds.
#[guirpc::function]
pub(crate) fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Takes and returns nothing.
#[guirpc::function]
pub(crate) fn nothing() {}

/// Borrows both.
#[guirpc::function]
pub(crate) fn describe(text: &str, bytes: &[u8]) -> String {
    format!("{text}: {} bytes", bytes.len())
}

/// Returns its bytes backwards.
#[guirpc::function]
pub(crate) fn reversed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.reverse();
    bytes
}

/// So many bytes.
#[guirpc::function]
pub(crate) fn zeros(length: usize) -> Vec<u8> {
    vec![0; length]
}

/// A header of this name beside its output.
#[guirpc::function]
pub(crate) fn headed(name: &str) -> Reply<()> {
    Reply::new(()).header(name, true)
}

/// A struct in, a struct out, and an optional argument.
#[guirpc::function(idempotent)]
pub(crate) fn birthday(mut user: User, years: Option<u8>) -> User {
    user.age += years.unwrap_or(1);
    user
}

/// Fails with an error of its own type.
#[guirpc::function]
pub(crate) fn find(name: &str) -> Result<User, FindError> {
    if name == "ada" {
        return Ok(User { name: "ada".to_owned(), age: 36, picture: vec![1, 2, 3] });
    }
    Err(FindError::NoSuchUser { name: name.to_owned() })
}

/// Fails with a fault.
#[guirpc::function]
pub(crate) fn parse(text: &str) -> Result<i64, Fault> {
    if text.is_empty() {
        return Err(Fault::new(409, "nothing to parse").with_details(serde_json::json!({ "length": 0 })));
    }
    text.parse::<i64>().or_fault(400)
}

/// Returns a status and a header beside its output.
#[guirpc::function]
pub(crate) fn create(name: &str) -> Reply<String> {
    Reply::with_status(201, format!("/users/{name}")).header("etag", 7)
}

/// What it sees of its call.
#[guirpc::function]
pub(crate) fn seen(#[context] context: &Context) -> BTreeMap<String, String> {
    let tenant = context.headers().get("tenant").and_then(|tenant| tenant.as_str()).unwrap_or_default();
    BTreeMap::from([
        ("service".to_owned(), context.service().to_owned()),
        ("function".to_owned(), context.function().to_owned()),
        ("app_id".to_owned(), context.app_id().unwrap_or_default().to_owned()),
        ("tenant".to_owned(), tenant.to_owned()),
        ("deadline".to_owned(), context.deadline().is_some().to_string()),
        ("awaited".to_owned(), context.is_awaited().to_string()),
        ("redelivered".to_owned(), context.redelivered().to_string()),
    ])
}

/// Counts its runs in the state.
#[guirpc::function]
pub(crate) fn count(#[state] runs: &Runs, name: &str) -> u32 {
    runs.count(name)
}

/// Takes its time, counts its runs under the name and under its caller's name for the call, and gives the latter.
#[guirpc::function(idempotent)]
pub(crate) fn steady(
    #[state] runs: &Runs,
    #[context] context: &Context,
    name: &str,
    milliseconds: u64,
) -> Result<String, Fault> {
    let id = context.correlation_id().or_fault(400)?;
    runs.count(name);
    runs.count(id);
    thread::sleep(Duration::from_millis(milliseconds));
    Ok(id.to_owned())
}

/// At most once.
#[guirpc::function(ack = "early")]
pub(crate) fn count_early(#[state] runs: &Runs, name: &str) -> u32 {
    runs.count(name)
}

/// At most once, and in no hurry.
#[guirpc::function(ack = "early")]
pub(crate) fn sleep_early(#[state] runs: &Runs, name: &str, milliseconds: u64) -> u64 {
    runs.count(name);
    thread::sleep(Duration::from_millis(milliseconds));
    milliseconds
}

/// At most once, and leaves a line in a file.
#[guirpc::function(ack = "early")]
pub(crate) fn log_early(path: &str, line: &str) -> Result<(), Fault> {
    log(path, line, 0)
}

/// How often a run was counted under this name.
#[guirpc::function]
pub(crate) fn counted(#[state] runs: &Runs, name: &str) -> u32 {
    runs.counted(name)
}

/// Remembers a number after those that came before under this name.
#[guirpc::function]
pub(crate) fn note(#[state] runs: &Runs, name: &str, number: u32) {
    runs.orders().entry(name.to_owned()).or_default().push(number);
}

/// The numbers under this name, in the order in which they came.
#[guirpc::function]
pub(crate) fn noted(#[state] runs: &Runs, name: &str) -> Vec<u32> {
    runs.orders().get(name).cloned().unwrap_or_default()
}

/// Counts its runs, and beside them those of requests that were delivered before, then takes its time.
#[guirpc::function]
pub(crate) fn count_slowly(#[state] runs: &Runs, #[context] context: &Context, name: &str, milliseconds: u64) -> u32 {
    if context.redelivered() {
        runs.count(&format!("{name}, redelivered"));
    }
    let count = runs.count(name);
    thread::sleep(Duration::from_millis(milliseconds));
    count
}

/// Counts its runs, and fails each time.
#[guirpc::function]
pub(crate) fn fail(#[state] runs: &Runs, name: &str, status: u16) -> Result<(), Fault> {
    Err(Fault::new(status, format!("run {}", runs.count(name))))
}

/// Counts its runs, fails each time, and may be run again.
#[guirpc::function(idempotent)]
pub(crate) fn fail_again(#[state] runs: &Runs, name: &str, status: u16) -> Result<(), Fault> {
    Err(Fault::new(status, format!("run {}", runs.count(name))))
}

/// Leaves a line in a file, and ends its process.
#[guirpc::function]
pub(crate) fn abort(path: &str) {
    let _ = log(path, "begun", 0);
    std::process::abort();
}

/// Leaves a line in a file, goes on for a while, and ends its process.
#[guirpc::function]
pub(crate) fn abort_slowly(path: &str, milliseconds: u64) {
    let _ = log(path, "begun", 0);
    thread::sleep(Duration::from_millis(milliseconds));
    std::process::abort();
}

/// Leaves a line in a file when it begins and another when it is done: `+ PROCESS NAME` and `- PROCESS NAME`.
#[guirpc::function]
pub(crate) fn span(path: &str, name: &str, milliseconds: u64) -> Result<(), Fault> {
    let id = std::process::id();
    log(path, &format!("+ {id} {name}"), 0)?;
    thread::sleep(Duration::from_millis(milliseconds));
    log(path, &format!("- {id} {name}"), 0)
}

/// Takes its time, in a lane of its own.
#[guirpc::function(lane = "reports")]
pub(crate) fn report(milliseconds: u64) -> u64 {
    sleep(milliseconds)
}

/// Says which process ran it.
#[guirpc::function]
pub(crate) fn process() -> u32 {
    thread::sleep(Duration::from_millis(1));
    std::process::id()
}

/// An integer of 128 bits.
#[guirpc::function]
pub(crate) fn halved(number: u128) -> u128 {
    number / 2
}

/// One that no 64 bits hold.
#[guirpc::function]
pub(crate) fn large() -> u128 {
    u128::MAX
}

/// The mean, which is not a number if there are none.
#[guirpc::function]
pub(crate) fn mean(of: Vec<f64>) -> Option<f64> {
    let count = u32::try_from(of.len()).ok()?;
    Some(of.into_iter().sum::<f64>() / f64::from(count))
}

/// Takes its time.
#[guirpc::function]
pub(crate) fn sleep(milliseconds: u64) -> u64 {
    thread::sleep(Duration::from_millis(milliseconds));
    milliseconds
}

/// Makes a file when it begins, then takes its time.
#[guirpc::function]
pub(crate) fn begin(file: &str, milliseconds: u64) -> Result<u64, Fault> {
    std::fs::write(file, "")?;
    thread::sleep(Duration::from_millis(milliseconds));
    Ok(milliseconds)
}

/// Takes its time, and leaves a line in a file when it is done.
#[guirpc::function]
pub(crate) fn log(path: &str, line: &str, milliseconds: u64) -> Result<(), Fault> {
    thread::sleep(Duration::from_millis(milliseconds));
    // One write: lines of several processes are never mixed.
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    Ok(())
}

/// Panics.
#[guirpc::function]
pub(crate) fn panic(message: String) {
    std::panic::panic_any(message);
}

/// A keyword for a name, and one for a parameter.
#[guirpc::function]
pub(crate) fn r#match(r#type: &str) -> bool {
    r#type == "match"
}

/// Has its own timeout.
#[guirpc::function(timeout = "1s")]
pub(crate) fn impatient(milliseconds: u64) -> u64 {
    thread::sleep(Duration::from_millis(milliseconds));
    milliseconds
}

/// Reads whatever a pickle holds.
#[guirpc::function(python(request = "binary", response = "binary"))]
pub(crate) fn unpickled(value: serde_json::Value) -> serde_json::Value {
    value
}

/// Reads a text as Python writes it.
#[guirpc::function(python(request = "text", response = "text"))]
pub(crate) fn upper(text: &str) -> String {
    text.to_uppercase()
}

/// Takes anything, and gives how many values are in it.
#[guirpc::function]
pub(crate) fn size_of(value: serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(values) => values.len(),
        serde_json::Value::Object(values) => values.len(),
        _ => 1,
    }
}

/// A type that is made of itself by nothing that shows in a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Link(pub(crate) Option<Box<Link>>);

/// Takes a chain of any length, of which a message can only hold one.
#[guirpc::function]
pub(crate) fn chain(of: Link) -> Option<Link> {
    of.0.map(|next| *next)
}
