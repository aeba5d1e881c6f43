//! `guirpc call`: calls a function and prints its output.

use serde_json::Value;

use crate::args::Request;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(request: &Request) -> Result<(), Failure> {
    let prepared = request.prepare()?;
    let arguments = prepared.arguments()?;
    let client = prepared.connect()?;
    let result = client.call_json(&request.service, &request.function, arguments);
    match result.map_err(|error| Failure::no_reply(error, &client, &request.service))? {
        Value::String(text) if prepared.takes_text()? => output::print_text(&text),
        output => output::print_json(&output),
    }
}
