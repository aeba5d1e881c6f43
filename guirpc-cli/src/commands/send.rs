//! `guirpc send`: leaves a request with the broker; silence means that it is there.

use crate::args::Request;
use crate::failure::Failure;

pub(super) fn run(request: &Request) -> Result<(), Failure> {
    let prepared = request.prepare()?;
    let arguments = prepared.arguments()?;
    Ok(prepared.connect()?.send_json(&request.service, &request.function, arguments)?)
}
