//! The functions of the recordings, as one would write them in Rust.

use std::collections::BTreeMap;

use guirpc::{Fault, Reply};
use serde::{Deserialize, Serialize};

use crate::data::Data;

#[derive(Serialize, Deserialize)]
struct Sum {
    result: i128,
}

fn invalid(message: &str) -> Fault {
    Fault::new(400, format!("[ValidationError] {message}"))
}

/// With the original's own words, which name `foo` where they mean `bar`.
fn sum(foo: Option<&Data>, bar: Option<&Data>) -> Result<Sum, Fault> {
    let foo = foo.ok_or_else(|| invalid("'foo' field is required."))?;
    let bar = bar.ok_or_else(|| invalid("'bar' field is required."))?;
    let foo = foo.as_integer().ok_or_else(|| invalid("'foo' field is not an integer."))?;
    let bar = bar.as_integer().ok_or_else(|| invalid("'foo' is not an integer."))?;
    Ok(Sum { result: foo + bar })
}

#[guirpc::function(service = "foobar")]
fn foobar_sum(foo: Option<Data>, bar: Option<Data>) -> Result<Sum, Fault> {
    sum(foo.as_ref(), bar.as_ref())
}

#[guirpc::function(service = "foobar")]
fn alias_sum(foo: Option<Data>, bar: Option<Data>) -> Result<Sum, Fault> {
    sum(foo.as_ref(), bar.as_ref())
}

#[guirpc::function(service = "foobar", python(request = "text", response = "text"))]
fn foobar_count(sentence: &str) -> Result<usize, Fault> {
    if sentence.chars().count() < 10 {
        return Err(invalid("Invalid sentence: the minimun required length is 10."));
    }
    let sentence = sentence.to_lowercase();
    Ok(sentence.matches("foo").count() + sentence.matches("bar").count())
}

#[guirpc::function(service = "foobar")]
fn echo_json(object: Data) -> Data {
    object
}

#[guirpc::function(service = "foobar", python(request = "text", response = "text"))]
fn echo_text(text: String) -> String {
    text
}

#[guirpc::function(service = "foobar", python(request = "binary", response = "binary"))]
fn echo_binary(object: Data) -> Data {
    object
}

#[guirpc::function(service = "foobar", python(request = "binary", response = "binary"))]
fn binary_error() -> Result<Data, Fault> {
    Err(Fault::new(400, "bad binary"))
}

#[guirpc::function(service = "foobar", python(response = "text"))]
fn json_to_text(object: BTreeMap<String, Data>) -> String {
    format!("n={}", object.len())
}

#[guirpc::function(service = "foobar", python(response = "text"))]
fn introspect() -> String {
    "introspect".to_owned()
}

#[guirpc::function(service = "foobar")]
fn raise_value() {
    panic!("boom");
}

#[guirpc::function(service = "foobar")]
fn raise_nonascii() {
    panic!("niño");
}

#[guirpc::function(service = "foobar")]
fn status_201() -> Reply<BTreeMap<String, bool>> {
    Reply::with_status(201, BTreeMap::from([("created".to_owned(), true)]))
}

#[guirpc::function(service = "foobar")]
fn status_302() -> Reply<BTreeMap<String, bool>> {
    Reply::with_status(302, BTreeMap::from([("moved".to_owned(), true)]))
}

#[guirpc::function(service = "foobar")]
fn status_string() -> BTreeMap<String, u8> {
    BTreeMap::from([("s".to_owned(), 1)])
}

#[guirpc::function(service = "foobar")]
fn status_big() -> BTreeMap<String, u8> {
    BTreeMap::from([("s".to_owned(), 1)])
}

#[guirpc::function(service = "foobar")]
fn error_with_object() -> Result<(), Fault> {
    Err(Fault::new(409, "conflict"))
}

/// A function's own error, which travels to Python as its words.
#[guirpc::function(service = "foobar")]
fn error_nonascii_message() -> Result<(), String> {
    Err("niño".to_owned())
}

#[guirpc::function(service = "foobar")]
fn none_json() -> Option<u8> {
    None
}

#[guirpc::function(service = "foobar", python(request = "text", response = "text"))]
fn none_text() -> Option<u8> {
    None
}

#[guirpc::function(service = "foobar", python(request = "text", response = "text"))]
fn empty_text() -> String {
    String::new()
}

#[guirpc::function(service = "foobar")]
fn unserializable() -> BTreeMap<Vec<u8>, u8> {
    BTreeMap::from([(vec![1], 2)])
}

#[guirpc::function(service = "foobar", python(request = "text", response = "text"))]
fn nonascii_text_reply() -> String {
    "ñ".to_owned()
}

#[guirpc::function(
    service = "foobar",
    python(request = "text", response = "text", request_codec = "utf-8", response_codec = "utf-8")
)]
fn utf8_text(text: &str) -> String {
    format!("{text} ñ")
}
