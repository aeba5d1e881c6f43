//! `AsyncAPI` 3.1: the messages as they are on the broker, in guirpc's own dialect.
//!
//! The application that is described is the service, so each function is an operation that receives and replies.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::components::{Components, Keys};
use super::draft_07::downgraded;
use super::{arguments, extension, insert_docs, pretty};
use crate::contract::{Contract, Function};

mod messages;

/// The version of the bindings for AMQP.
const BINDING: &str = "0.3.0";
const REPLIES: &str = "replies";

/// The members in the order in which a reader looks for them.
#[derive(Serialize)]
struct Document {
    asyncapi: &'static str,
    info: Value,
    #[serde(rename = "defaultContentType")]
    default_content_type: &'static str,
    channels: BTreeMap<String, Value>,
    operations: BTreeMap<String, Value>,
    components: Value,
}

/// A function with its keys in the document.
struct Described<'a> {
    function: &'a Function,
    name: &'a str,
    operation: String,
    channel: String,
    request: String,
    output: String,
    error: Option<String>,
}

/// The contract as a document of `AsyncAPI`.
pub(super) fn written(contract: &Contract) -> String {
    let components = Components::of(contract);
    let schema = |schema: &Value| downgraded(&components.schema(schema));
    let functions = described(contract);
    let schemas: Map<String, Value> =
        components.schemas().into_iter().map(|(key, schema)| (key, downgraded(&schema))).collect();
    let document = Document {
        asyncapi: "3.1.0",
        info: json!({
            "title": contract.service,
            "version": contract.hash,
            "description": "Functions that are called over RabbitMQ, in the wire format of guirpc.",
        }),
        default_content_type: "application/msgpack",
        channels: channels(contract, &functions),
        operations: functions.iter().map(|function| (function.operation.clone(), operation(function))).collect(),
        components: json!({
            "schemas": schemas,
            "messages": messages::all(&functions, &schema),
            "messageTraits": { "reply": messages::reply_trait(), "request": messages::request_trait() },
        }),
    };
    pretty(&document)
}

/// Keys have fewer characters than names, and each is there once.
fn described(contract: &Contract) -> Vec<Described<'_>> {
    let [mut operations, mut channels, mut messages] = [Keys::default(), Keys::default(), Keys::default()];
    let requests = channels.of("requests");
    let mut lanes: BTreeMap<&str, String> = BTreeMap::new();
    // These are there for all functions.
    for key in [messages::FAULT, messages::REFUSAL] {
        messages.of(key);
    }
    let described = contract.functions.iter().map(|(name, function)| Described {
        function,
        name,
        operation: operations.of(name),
        channel: function.lane.as_deref().map_or_else(
            || requests.clone(),
            |lane| lanes.entry(lane).or_insert_with(|| channels.of(&format!("requests.{lane}"))).clone(),
        ),
        request: messages.of(&format!("{name}.request")),
        output: messages.of(&format!("{name}.output")),
        error: function.error.as_ref().map(|_| messages.of(&format!("{name}.error"))),
    });
    described.collect()
}

/// Where requests go, of the service itself and of each lane, and where replies go.
fn channels(contract: &Contract, functions: &[Described<'_>]) -> BTreeMap<String, Value> {
    let mut channels: BTreeMap<String, Value> = BTreeMap::new();
    for function in functions {
        let service = &contract.service;
        let (address, of) = match &function.function.lane {
            None => (service.clone(), format!("the service `{service}`")),
            Some(lane) => (format!("{service}.{lane}"), format!("the lane `{lane}` of the service `{service}`")),
        };
        let channel = channels.entry(function.channel.clone()).or_insert_with(|| {
            json!({
                "address": address,
                "description": format!("The requests of {of}; the address is the routing key."),
                "messages": {},
                "bindings": bindings(json!({
                    "is": "routingKey",
                    "exchange": { "name": "guirpc", "type": "direct", "durable": true, "autoDelete": false },
                })),
            })
        });
        channel["messages"][&function.request] = message(&function.request);
    }
    let mut replies: Vec<&str> = vec![messages::FAULT, messages::REFUSAL];
    replies.extend(functions.iter().flat_map(Described::replies));
    let replies: Map<String, Value> = replies.into_iter().map(|key| (key.to_owned(), message(key))).collect();
    let channel = json!({
        "address": null,
        "description": "The replies to a caller, at the address in its requests.",
        "messages": replies,
        "bindings": bindings(json!({ "is": "routingKey", "exchange": { "name": "", "type": "default", "durable": true } })),
    });
    channels.insert(REPLIES.to_owned(), channel);
    channels
}

fn operation(described: &Described<'_>) -> Value {
    let Described { function, channel, request, .. } = described;
    let in_channel = |channel: &str, key: &str| json!({ "$ref": format!("#/channels/{channel}/messages/{key}") });
    let mut replies: Vec<Value> = described.replies().map(|key| in_channel(REPLIES, key)).collect();
    replies.extend([messages::FAULT, messages::REFUSAL].map(|key| in_channel(REPLIES, key)));
    let mut operation = Map::new();
    operation.insert("action".to_owned(), json!("receive"));
    operation.insert("title".to_owned(), json!(described.name));
    insert_docs(function, &mut operation);
    operation.insert("channel".to_owned(), json!({ "$ref": format!("#/channels/{channel}") }));
    operation.insert("messages".to_owned(), json!([in_channel(channel, request)]));
    let reply = json!({
        "address": {
            "location": "$message.header#/reply_to",
            "description": "The property `reply_to` of the request; without it there is no reply.",
        },
        "channel": { "$ref": format!("#/channels/{REPLIES}") },
        "messages": replies,
    });
    operation.insert("reply".to_owned(), reply);
    // A call is transient, and comes back if no queue takes it.
    let mut amqp = json!({ "deliveryMode": 1, "mandatory": true, "ack": true });
    if let Some(timeout) = function.timeout_ms {
        amqp["expiration"] = json!(timeout);
    }
    operation.insert("bindings".to_owned(), bindings(amqp));
    operation.insert("x-guirpc".to_owned(), extension(function));
    Value::Object(operation)
}

impl Described<'_> {
    /// The messages that only this function replies with.
    fn replies(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.output.as_str()).chain(self.error.as_deref())
    }
}

fn message(key: &str) -> Value {
    json!({ "$ref": format!("#/components/messages/{key}") })
}

/// The bindings for AMQP with these members.
fn bindings(mut amqp: Value) -> Value {
    amqp["bindingVersion"] = json!(BINDING);
    json!({ "amqp": amqp })
}
