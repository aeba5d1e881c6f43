//! `guirpc call`: calls a function and prints its output.

use crate::args::Request;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(request: &Request) -> Result<(), Failure> {
    let prepared = request.prepare()?;
    let arguments = prepared.arguments()?;
    let client = prepared.connect()?;
    let output = client.call_json_text(&request.service, &request.function, &arguments);
    for ignored in client.ignored_arguments() {
        output::warn(&ignored);
    }
    let output = output.map_err(|error| Failure::no_reply(error, &client, &request.service))?;
    output::print_output(&output, prepared.takes_text()?)
}
