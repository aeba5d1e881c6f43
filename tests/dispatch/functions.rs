//! The functions that are dispatched to: one of every shape, and some that misbehave.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use guirpc::{Context, Fault, OrFault, Reply};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What [`count`] remembers.
#[derive(Debug, Default)]
pub(crate) struct Runs(AtomicU32);

/// One value of every kind that serde knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Everything {
    pub(crate) flag: bool,
    pub(crate) small: i8,
    pub(crate) large: u64,
    pub(crate) number: f64,
    pub(crate) letter: char,
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) pair: (i16, f32),
    pub(crate) four: [u8; 4],
    pub(crate) perhaps: Option<Vec<String>>,
    pub(crate) rows: Vec<Vec<u32>>,
    pub(crate) names: BTreeMap<String, i32>,
    pub(crate) nothing: (),
    pub(crate) term: Term,
}

/// An enum with every kind of variant, one of which holds itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Term {
    #[default]
    Zero,
    Number(i32),
    Pair(i32, i32),
    Named {
        name: String,
    },
    Not(Box<Term>),
    Sum(Vec<Term>),
}

/// The typed error of [`find`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum FindError {
    NoSuchUser { name: String },
}

impl fmt::Display for FindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FindError::NoSuchUser { name } = self;
        write!(f, "no user named {name}")
    }
}

/// What happens to a value that is meant to cause trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Trouble {
    Writing,
    WritingPanics,
    ShowingPanics,
    DroppingPanics,
}

/// A value that causes it.
#[derive(Debug)]
pub(crate) struct Troublesome(Trouble);

impl Serialize for Troublesome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Trouble::Writing => Err(serde::ser::Error::custom("it does not want to")),
            Trouble::WritingPanics => panic!("writing panics"),
            Trouble::ShowingPanics | Trouble::DroppingPanics => self.0.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Troublesome {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("reading panics")
    }
}

impl fmt::Display for Troublesome {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("showing panics")
    }
}

impl Drop for Troublesome {
    fn drop(&mut self) {
        assert!(self.0 != Trouble::DroppingPanics || std::thread::panicking(), "dropping panics");
    }
}

#[guirpc::function]
pub(crate) fn add(a: i64, b: i64) -> i64 {
    a.wrapping_add(b)
}

#[guirpc::function]
pub(crate) fn nothing() {}

#[guirpc::function]
pub(crate) fn describe(text: &str, bytes: &[u8]) -> String {
    format!("{text}: {} bytes", bytes.len())
}

#[guirpc::function]
pub(crate) fn everything(value: Everything) -> Everything {
    value
}

#[guirpc::function(python(request = "text", response = "text"))]
pub(crate) fn same_text(text: &str) -> String {
    text.to_owned()
}

#[guirpc::function(python(request = "binary", response = "binary"))]
pub(crate) fn same_bytes(bytes: &[u8]) -> Vec<u8> {
    bytes.to_owned()
}

#[guirpc::function]
pub(crate) fn same_number(number: f64) -> f64 {
    number
}

#[guirpc::function]
pub(crate) fn same_integer(number: u128) -> u128 {
    number
}

#[guirpc::function]
pub(crate) fn perhaps(number: Option<u8>) -> Option<u8> {
    number
}

#[guirpc::function]
pub(crate) fn term(term: Term) -> Term {
    term
}

#[guirpc::function]
pub(crate) fn find(name: &str) -> Result<String, FindError> {
    if name == "ada" { Ok("Ada".to_owned()) } else { Err(FindError::NoSuchUser { name: name.to_owned() }) }
}

#[guirpc::function]
pub(crate) fn parse(text: &str) -> Result<i64, Fault> {
    if text.is_empty() {
        return Err(Fault::new(409, "nothing to parse").with_details(serde_json::json!({ "length": 0 })));
    }
    text.parse::<i64>().or_fault(400)
}

#[guirpc::function]
pub(crate) fn create(name: &str) -> Reply<String> {
    Reply::with_status(201, format!("/users/{name}")).header("etag", 7)
}

#[guirpc::function]
pub(crate) async fn later(text: &str) -> String {
    std::future::ready(text.to_uppercase()).await
}

#[guirpc::function]
pub(crate) fn count(#[state] runs: &Runs) -> u32 {
    runs.0.fetch_add(1, Ordering::Relaxed) + 1
}

#[guirpc::function]
pub(crate) fn tenant(#[context] context: &Context) -> Option<String> {
    context.headers().get("tenant").and_then(|tenant| tenant.as_str()).map(str::to_owned)
}

#[guirpc::function]
pub(crate) fn panic(message: String) {
    std::panic::panic_any(message);
}

/// Panics with a value that panics again when it is dropped.
#[guirpc::function]
pub(crate) fn panic_twice() {
    std::panic::panic_any(Troublesome(Trouble::DroppingPanics));
}

#[guirpc::function]
pub(crate) fn troublesome_output(trouble: Trouble) -> Troublesome {
    Troublesome(trouble)
}

#[guirpc::function]
pub(crate) fn troublesome_error(trouble: Trouble) -> Result<(), Troublesome> {
    Err(Troublesome(trouble))
}

#[guirpc::function]
pub(crate) fn troublesome_argument(value: Troublesome) {
    drop(value);
}
