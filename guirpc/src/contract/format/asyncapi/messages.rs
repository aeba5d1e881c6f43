//! The messages: a request and an output for each function, and what any of them may answer with.

use serde_json::{Map, Value, json};

use super::{Described, arguments, bindings};
use crate::contract::Type;
use crate::contract::format::problem;

/// The replies that any function may give: their keys, and their kinds.
pub(super) const FAULT: &str = "fault";
pub(super) const REFUSAL: &str = "refusal";

/// All messages, by their keys.
pub(super) fn all(functions: &[Described<'_>], schema: &dyn Fn(&Value) -> Value) -> Map<String, Value> {
    let mut messages = Map::new();
    for (kind, title) in [
        (FAULT, "The function failed without an error of its own."),
        (REFUSAL, "The function was not run on this delivery."),
    ] {
        messages.insert(kind.to_owned(), reply(kind, title, &problem()));
    }
    for described in functions {
        let Described { function, name, .. } = described;
        messages.insert(described.request.clone(), request(described, schema));
        let output = reply("output", &format!("What `{name}` returns."), &payload(&function.output.ty, schema));
        messages.insert(described.output.clone(), output);
        if let (Some(key), Some(error)) = (&described.error, &function.error) {
            let error = reply("error", &format!("The error of `{name}`'s own."), &payload(&error.ty, schema));
            messages.insert(key.clone(), error);
        }
    }
    messages
}

fn request(Described { function, name, .. }: &Described<'_>, schema: &dyn Fn(&Value) -> Value) -> Value {
    let mut payload = arguments(function, schema);
    for argument in function.arguments.iter().filter(|argument| argument.ty.bytes) {
        payload["properties"][&argument.name] = self::payload(&argument.ty, schema);
    }
    let mut request = json!({
        "name": name,
        "title": format!("The arguments of `{name}`, by name."),
        "traits": [{ "$ref": "#/components/messageTraits/request" }],
        "payload": payload,
        "bindings": bindings(json!({ "messageType": name })),
    });
    if function.deprecated.is_some() {
        request["deprecated"] = json!(true);
    }
    request
}

/// A reply of a kind, which is its property `type`.
fn reply(kind: &str, title: &str, payload: &Value) -> Value {
    json!({
        "name": kind,
        "title": title,
        "traits": [{ "$ref": "#/components/messageTraits/reply" }],
        "payload": payload,
        "bindings": bindings(json!({ "messageType": kind })),
    })
}

/// The schema of a type as a whole.
fn payload(ty: &Type, schema: &dyn Fn(&Value) -> Value) -> Value {
    match schema(&ty.schema) {
        Value::Bool(true) => json!({}),
        Value::Object(mut members) if ty.bytes => {
            // In MessagePack they are `bin`, for which there is no schema.
            members.insert("x-guirpc-bytes".to_owned(), json!(true));
            Value::Object(members)
        }
        schema => schema,
    }
}

/// What every request has.
pub(super) fn request_trait() -> Value {
    let trace = |what: &str| json!({ "type": "string", "description": format!("The trace that it belongs to: {what}, as W3C defines it.") });
    json!({
        "headers": {
            "type": "object",
            "properties": {
                "correlation_id": {
                    "type": "string", "maxLength": 255,
                    "description": "A property of AMQP's: an id that no other request has.",
                },
                "reply_to": {
                    "type": "string", "maxLength": 255,
                    "description": "A property of AMQP's: where the reply goes; without it nobody waits for one.",
                },
                "app_id": {
                    "type": "string", "maxLength": 255,
                    "description": "A property of AMQP's: the caller's name for itself.",
                },
                "guirpc-deadline": {
                    "type": "integer",
                    "description": "When the caller gives up, in milliseconds since the Unix epoch.",
                },
                "guirpc-timeout": {
                    "type": "integer",
                    "description": "How long the caller was ready to wait, in milliseconds.",
                },
                "traceparent": trace("`traceparent`"),
                "tracestate": trace("`tracestate`"),
                "baggage": trace("`baggage`"),
            },
        },
        "correlationId": { "location": "$message.header#/correlation_id" },
    })
}

/// What every reply has.
pub(super) fn reply_trait() -> Value {
    json!({
        "headers": {
            "type": "object",
            "properties": {
                "correlation_id": {
                    "type": "string", "maxLength": 255,
                    "description": "A property of AMQP's: that of the request.",
                },
                "Response-Status": {
                    "type": "integer", "minimum": 0, "maximum": 65535,
                    "description": "The status, which means what it means in HTTP.",
                },
                "guirpc-attempts": {
                    "type": "integer",
                    "description": "In a refusal: the function may have run on an earlier delivery, or may yet run.",
                },
                "guirpc-time": {
                    "type": "integer",
                    "description": "In a refusal of a request that came too late: the server's time, in milliseconds \
                                    since the Unix epoch.",
                },
                "guirpc-ignored-arguments": {
                    "type": "string",
                    "description": "The arguments that the function does not take.",
                },
            },
            "required": ["Response-Status"],
        },
        "correlationId": { "location": "$message.header#/correlation_id" },
    })
}
