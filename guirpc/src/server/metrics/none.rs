//! Without the feature `metrics` nothing is measured, and nobody may ask for it.

use super::lane::Lane;
use super::plan::Plan;
use super::shutdown_handle::ShutdownHandle;
use crate::error::{Error, ErrorKind};

/// What is asked for: where to serve it.
pub(super) struct WantedMetrics {
    pub(super) address: Option<String>,
}

#[derive(Debug)]
pub(super) struct Measured;

impl Measured {
    pub(super) fn start(wanted: WantedMetrics, _: &[Plan], _: &ShutdownHandle) -> Result<Self, Error> {
        let Some(address) = wanted.address else { return Ok(Measured) };
        let message = format!(
            "`metrics` at {address} needs the feature of that name, which this program is built without: in Cargo.toml, \
             add `features = [\"metrics\"]` to guirpc"
        );
        Err(Error::new(ErrorKind::Configuration, message))
    }

    #[allow(clippy::unused_self, reason = "its twin measures them")]
    pub(super) fn set_lanes(&self, _: &[Lane]) {}
}
