//! What a call costs, and what costs something without any call.

use serde::{Deserialize, Serialize};

/// The mean of many calls, or of seconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Blocks of memory that are asked for, or asked to grow.
    pub(crate) allocations: f64,
    /// The bytes of these.
    pub(crate) bytes: f64,
    /// How often a thread begins to wait, and so has to be woken.
    pub(crate) waits: f64,
}

/// Those of the client, then those of the server.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Costs {
    /// With one call after the other.
    pub(crate) sequential: [Cost; 2],
    /// With many in flight, from one thread.
    pub(crate) pipelined: [Cost; 2],
    /// In a second without any.
    pub(crate) idle: [Cost; 2],
}
