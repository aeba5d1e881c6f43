//! `guirpc send`: fire-and-forget; it prints nothing once the broker has confirmed the request.

use crate::args::Request;
use crate::failure::Failure;

pub(super) fn run(request: &Request) -> Result<(), Failure> {
    let prepared = request.prepare()?;
    let arguments = prepared.arguments()?;
    Ok(prepared.connect()?.send_json_text(&request.service, &request.function, &arguments)?)
}
