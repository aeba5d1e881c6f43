//! What `py_server_app.py` serves, in Rust: two functions of the original's fixtures, and some more.

#![allow(clippy::disallowed_names, reason = "they are the original's")]

use std::collections::BTreeMap;
use std::fmt;
use std::thread;
use std::time::Duration;

use guirpc::{Client, Context, Dialect, Fault, HeaderValue, OrFault, Server, Setup};
use harness::Broker;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::python::QUEUE;

/// The service's name, which no message says.
pub(crate) const SERVICE: &str = "foobar";

/// Serves where the original's consumer would.
pub(crate) fn serve(broker: &dyn Broker) -> anyhow::Result<Server> {
    let client = Client::lazy(broker.uri())?.with_dialect(Dialect::Python).with_routing_key(QUEUE);
    let setup = Setup::new([SERVICE]).uri(broker.uri()).workers(4).pickle(true).state(client);
    Ok(Server::start(setup.dialect(Dialect::Python).queue(QUEUE).routing_key(QUEUE))?)
}

/// A field of an object, which may be anything: its value if that is an integer, as Python counts them.
#[derive(Clone, Copy, Debug, Serialize)]
struct Field(Option<i128>);

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyField)
    }
}

struct AnyField;

impl<'de> Visitor<'de> for AnyField {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Field, E> {
        Ok(Field(Some(value.into())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Field, E> {
        Ok(Field(Some(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Field, E> {
        Ok(Field(Some(value.into())))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Field, E> {
        Ok(Field(Some(value)))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Field, E> {
        Ok(Field(value.try_into().ok()))
    }

    fn visit_f64<E>(self, _value: f64) -> Result<Field, E> {
        Ok(Field(None))
    }

    fn visit_str<E>(self, _value: &str) -> Result<Field, E> {
        Ok(Field(None))
    }

    fn visit_unit<E>(self) -> Result<Field, E> {
        Ok(Field(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Field, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field(None))
    }
}

/// A sum, as the original names it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Sum {
    result: i128,
}

/// Adds two fields of an object that may have others; complains in the original's words.
#[guirpc::function(service = "foobar")]
fn foobar_sum(foo: Field, bar: Field) -> Result<Sum, Fault> {
    let invalid = |message: &str| Fault::new(400, format!("[ValidationError] {message}"));
    let foo = foo.0.ok_or_else(|| invalid("'foo' field is not an integer."))?;
    let bar = bar.0.ok_or_else(|| invalid("'foo' is not an integer."))?;
    Ok(Sum { result: foo + bar })
}

/// Counts two words in a sentence.
#[guirpc::function(service = "foobar", python(request = "text", response = "text"))]
fn foobar_count(sentence: &str) -> Result<usize, Fault> {
    let sentence = sentence.to_lowercase();
    if sentence.chars().count() < 10 {
        return Err(Fault::new(400, "[ValidationError] Invalid sentence: the minimun required length is 10."));
    }
    Ok(sentence.matches("foo").count() + sentence.matches("bar").count())
}

/// Returns what it gets.
#[guirpc::function(service = "foobar")]
fn echo_json(object: Value) -> Value {
    object
}

/// Returns what it gets.
#[guirpc::function(service = "foobar", python(request = "text", response = "text"))]
fn echo_text(text: String) -> String {
    text
}

/// Returns what it gets.
#[guirpc::function(service = "foobar", python(request = "binary", response = "binary"))]
fn echo_binary(object: Value) -> Value {
    object
}

/// Panics.
#[guirpc::function(service = "foobar")]
fn raise_error(_object: Value) -> Value {
    panic!("boom")
}

/// Takes its time.
#[guirpc::function(service = "foobar", python(request = "text", response = "text"))]
fn sleep_text(seconds: f64) -> Result<String, Fault> {
    thread::sleep(Duration::try_from_secs_f64(seconds).or_fault(400)?);
    Ok("slept".to_owned())
}

/// The headers of the trace that it belongs to.
#[guirpc::function(service = "foobar")]
fn foobar_trace(#[context] context: &Context<'_>) -> BTreeMap<String, String> {
    let text = |name| context.headers().get(name).and_then(HeaderValue::as_str).map(str::to_owned);
    let names = ["traceparent", "tracestate", "baggage"].into_iter();
    names.filter_map(|name| Some((name.to_owned(), text(name)?))).collect()
}

/// What [`foobar_trace`] says when it is called from here.
#[guirpc::function(service = "foobar")]
fn foobar_onward(#[state] client: &Client) -> Result<BTreeMap<String, String>, Fault> {
    Ok(foobar_trace::call(client)?)
}
