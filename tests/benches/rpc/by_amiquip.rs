//! Echoes written by hand on amiquip: what guirpc could be at its very best, since it stands on the same client library.

mod dial;
mod inline;
mod reply;
mod request;
mod shared;
mod sole;
mod workers;

use anyhow::Result;

use crate::load::{Client, Load};

pub(crate) use dial::delete;
pub(crate) use inline::serve as serve_inline;
pub(crate) use workers::serve as serve_with_workers;

/// Connects a client, which needs no second thread where one calls.
pub(crate) fn connect(uri: &str, queue: &'static str, load: Load) -> Result<Box<dyn Client>> {
    Ok(match load.callers {
        1 => Box::new(sole::SoleClient::connect(uri, queue)?),
        _ => Box::new(shared::SharedClient::connect(uri, queue)?),
    })
}
