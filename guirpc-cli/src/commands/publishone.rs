//! `guirpc publishone`: one message to an exchange, or one call of a function in Python.

use std::io;

use serde_json::Value;

use super::request::from_json;
use crate::args::{PublishOne, Serializer};
use crate::failure::Failure;
use crate::output;

pub(super) fn run(publish: &PublishOne) -> Result<(), Failure> {
    let PublishOne { exchange, routing_key, function, serializer, broker, .. } = publish;
    let message = message(publish)?;
    let Some(function) = function else {
        broker.connect()?.publish(exchange, routing_key, &message)?;
        let place = format!("exchange `{exchange}` with routing key `{routing_key}`");
        return output::print(&format!("Published to {place}: the broker has it in a queue.\n"));
    };
    let serializer = serializer.unwrap_or_default();
    let arguments = match serializer {
        Serializer::Text => Value::String(message).to_string(),
        _ => from_json(&message, "a message that is a text goes with `--serializer text`")?,
    };
    let client = broker.connect()?.with_dialect(guirpc::Dialect::Python).with_python(serializer.options());
    let client = client.with_exchange(exchange).with_routing_key(routing_key);
    let output = client.call_json_text(routing_key, function, &arguments)?;
    output::print_output(&output, serializer == Serializer::Text)
}

fn message(publish: &PublishOne) -> Result<String, Failure> {
    if publish.message != "-" {
        return Ok(publish.message.clone());
    }
    io::read_to_string(io::stdin()).map_err(|error| Failure::other(format!("cannot read the standard input: {error}")))
}
