//! `guirpc call`: calls a function and prints its output.

use crate::args::Request;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(request: &Request) -> Result<(), Failure> {
    let arguments = request.arguments()?;
    let result = request.connect()?.call_json(&request.service, &request.function, arguments)?;
    output::print_json(&result)
}
