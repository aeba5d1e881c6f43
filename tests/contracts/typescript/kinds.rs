//! A service with every kind of type, each of which it gives back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use guirpc::Context;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const SERVICE: &str = "kinds";

#[derive(Serialize, Deserialize, JsonSchema)]
struct Scalars {
    tiny: i8,
    small: u16,
    wide: i64,
    wider: u64,
    size: usize,
    huge: i128,
    half: f32,
    whole: f64,
    letter: char,
    truth: bool,
    unit: (),
}

/// Told apart by a tag beside the content.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Empty,
    Number(u64),
    Pair(u8, String),
    /// With fields.
    Fields {
        a: bool,
    },
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Circle {
    radius: f64,
}

/// Told apart by a tag within the content.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "shape")]
enum Internal {
    Circle(Circle),
    Square { side: f64 },
    Point,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Truth(bool),
    Text(String),
    Fields { x: i32, y: i32 },
    List(Vec<i32>),
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Tree {
    value: u64,
    children: Vec<Tree>,
    next: Option<Box<Tree>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    circle: Circle,
    #[serde(flatten)]
    kind: Internal,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Meters(u64);

#[derive(Serialize, Deserialize, JsonSchema)]
struct Lists {
    bytes: Vec<u8>,
    fixed: [u8; 4],
    set: BTreeSet<u8>,
    pairs: Vec<(String, u64)>,
    nested: Vec<Vec<Option<Meters>>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Maps {
    by_text: HashMap<String, Adjacent>,
    by_number: BTreeMap<u64, String>,
    anything: serde_json::Value,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Defaults {
    #[serde(default)]
    count: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(rename = "odd-name")]
    odd: String,
    r#type: u8,
}

#[guirpc::function(service = "kinds")]
fn scalars(value: Scalars) -> Scalars {
    value
}

#[guirpc::function(service = "kinds")]
fn adjacent(value: Adjacent) -> Adjacent {
    value
}

#[guirpc::function(service = "kinds")]
fn internal(value: Internal) -> Internal {
    value
}

#[guirpc::function(service = "kinds")]
fn untagged(value: Untagged) -> Untagged {
    value
}

#[guirpc::function(service = "kinds")]
fn tree(value: Tree) -> Tree {
    value
}

#[guirpc::function(service = "kinds")]
fn flat(value: Flat) -> Flat {
    value
}

#[guirpc::function(service = "kinds")]
fn lists(value: Lists) -> Lists {
    value
}

#[guirpc::function(service = "kinds")]
fn maps(value: Maps) -> Maps {
    value
}

#[guirpc::function(service = "kinds")]
fn defaults(value: Defaults) -> Defaults {
    value
}

#[guirpc::function(service = "kinds")]
fn bytes(data: Vec<u8>, meters: Option<Meters>) -> Vec<u8> {
    let meters = meters.map_or(0, |Meters(meters)| meters);
    data.into_iter().rev().chain(meters.to_be_bytes()).collect()
}

/// The names of this one, and of its argument, are words of JavaScript's.
#[guirpc::function(service = "kinds")]
fn then(class: u8) -> u8 {
    class
}

/// What came along with the call: `*/` ends no comment.
#[guirpc::function(service = "kinds")]
fn headers(#[context] context: &Context) -> BTreeMap<String, String> {
    let text = |value: &guirpc::HeaderValue| value.as_str().map_or_else(|| "?".to_owned(), str::to_owned);
    context.headers().iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
}
