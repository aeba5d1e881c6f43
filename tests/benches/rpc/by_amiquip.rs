//! Echoes written by hand on amiquip: what guirpc could be at its very best, since it stands on the same client library.

mod dial;
mod inline;
mod reply;
mod request;
mod shared;
mod sole;
mod workers;

pub(crate) use dial::delete;
pub(crate) use inline::serve as serve_inline;
pub(crate) use shared::SharedClient;
pub(crate) use sole::SoleClient;
pub(crate) use workers::serve as serve_with_workers;
