//! `OpenAPI` 3.1, for an HTTP gateway: `POST /SERVICE/FUNCTION` with the arguments as a JSON object.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::components::Components;
use super::{arguments, extension, insert_docs, pretty, problem};
use crate::contract::{Contract, Function};

/// What may stand in a path as it is; braces would be a template.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The members in the order in which a reader looks for them.
#[derive(Serialize)]
struct Document {
    openapi: &'static str,
    info: Value,
    paths: Map<String, Value>,
    components: Value,
}

/// The contract as a document of `OpenAPI`.
pub(super) fn written(contract: &Contract) -> String {
    let components = Components::of(contract);
    let service = utf8_percent_encode(&contract.service, SEGMENT);
    let paths = contract.functions.iter().map(|(name, function)| {
        let path = format!("/{service}/{}", utf8_percent_encode(name, SEGMENT));
        (path, json!({ "post": operation(name, function, contract, &components) }))
    });
    let document = Document {
        openapi: "3.1.0",
        info: json!({
            "title": contract.service,
            "version": contract.hash,
            "description": "Calls functions by `POST`, with their arguments as a JSON object by name.",
        }),
        paths: paths.collect(),
        components: json!({ "schemas": components.schemas(), "responses": { "Problem": refused_or_failed() } }),
    };
    pretty(&document)
}

fn operation(name: &str, function: &Function, contract: &Contract, components: &Components<'_>) -> Value {
    let schema = |schema: &Value| components.schema(schema);
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), json!(name));
    operation.insert("tags".to_owned(), json!([contract.service]));
    insert_docs(function, &mut operation);
    if function.deprecated.is_some() {
        operation.insert("deprecated".to_owned(), json!(true));
    }
    operation.insert("x-guirpc".to_owned(), extension(function));
    let body = json!({
        "required": function.arguments.iter().any(|argument| argument.required),
        "content": content(&arguments(function, schema)),
    });
    operation.insert("requestBody".to_owned(), body);
    let mut responses = Map::new();
    let output =
        json!({ "description": "What the function returns.", "content": content(&schema(&function.output.ty.schema)) });
    responses.insert("200".to_owned(), output);
    for status in ["4XX", "5XX"] {
        responses.insert(status.to_owned(), json!({ "$ref": "#/components/responses/Problem" }));
    }
    if let Some(error) = &function.error {
        let error_of_its_own =
            json!({ "description": "The function's own error.", "content": content(&schema(&error.ty.schema)) });
        responses.insert(error.status.to_string(), error_of_its_own);
    }
    operation.insert("responses".to_owned(), Value::Object(responses));
    Value::Object(operation)
}

fn content(schema: &Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// What any function may answer with.
fn refused_or_failed() -> Value {
    json!({
        "description": "A fault of the function, or a refusal of the call: the function was not run.",
        "content": content(&problem()),
    })
}
