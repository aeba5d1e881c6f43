//! Functions with arguments of every kind, and a dispatcher of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use guirpc::{Dispatcher, Fault, Request, Setup};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Record {
    id: u64,
    name: String,
    kind: Kind,
    inner: Option<(i8, f32)>,
    #[serde(default)]
    others: BTreeMap<String, Vec<u16>>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Kind {
    Unit,
    Newtype(i32),
    Tuple(u8, bool),
    Struct { text: String, number: Option<f64> },
}

#[guirpc::function]
pub fn scalars(a: i64, b: u8, c: f64, d: bool, e: char, f: Option<i128>) -> (i64, f64) {
    let _ = (b, d, e, f);
    (a, c)
}

#[guirpc::function]
pub fn record(record: Record) -> Result<Record, Fault> {
    Ok(record)
}

#[guirpc::function]
pub fn anything(value: Value, more: Vec<Value>) -> Value {
    Value::Array([vec![value], more].concat())
}

#[guirpc::function]
pub fn texts(text: &str, names: Vec<String>, keys: BTreeMap<i32, String>) -> String {
    format!("{text}{names:?}{keys:?}")
}

#[guirpc::function]
pub fn text(text: &str) -> String {
    text.to_owned()
}

#[guirpc::function]
pub fn bytes(bytes: &[u8]) -> Vec<u8> {
    bytes.to_owned()
}

#[guirpc::function]
pub fn nothing() {}

#[guirpc::function(python(request = "text", response = "text"))]
pub fn python_text(text: &str) -> String {
    text.to_owned()
}

#[guirpc::function(python(request = "binary", response = "binary"))]
pub fn python_pickle(value: Value) -> Value {
    value
}

#[guirpc::function(python(request = "binary", response = "json"))]
pub fn python_record(record: Record) -> Record {
    record
}

const NAMES: &[&str] = &[
    "scalars",
    "record",
    "anything",
    "texts",
    "text",
    "bytes",
    "nothing",
    "python_text",
    "python_pickle",
    "python_record",
    "nobody",
    "guirpc.ping",
];

pub fn name(number: u8) -> String {
    NAMES[usize::from(number) % NAMES.len()].to_owned()
}

static DISPATCHER: LazyLock<Dispatcher> = LazyLock::new(|| {
    let setup = Setup::new([env!("CARGO_PKG_NAME")]).pickle(true).clock_tolerance(Duration::ZERO);
    setup.dispatcher().expect("the functions can be served")
});

/// Whatever is asked for, there is a reply.
pub fn dispatch(request: &Request) {
    let reply = DISPATCHER.dispatch(request, SystemTime::UNIX_EPOCH);
    assert!((200..600).contains(&reply.status), "{reply:?}");
}
