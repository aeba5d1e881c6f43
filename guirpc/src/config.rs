//! Settings: defaults, under a file, under the environment, under flags.
//!
//! Each setting is declared once, in `server.rs` or `client.rs`: its name, its type, its default, its help, and what the
//! Python original calls it. Struct, table, flags, `--help` and the page in the documentation are made of that.
//! What a setting does is not known here.

use std::time::Duration;

mod address;
mod client;
mod coalescing;
mod declare;
mod server;
mod setting;
#[cfg(feature = "config")]
mod sources;
#[cfg(all(test, feature = "main"))]
mod tests;
mod value;

#[cfg_attr(not(feature = "metrics"), allow(unused_imports, reason = "only metrics are listened for"))]
pub(crate) use address::listening_address;
pub use client::ClientConfig;
pub use coalescing::Coalescing;
pub(crate) use server::{Config, PREFETCH_PER_WORKER, SERVER};
use setting::CONNECTION;
pub(crate) use setting::{Kind, Setting};
#[cfg(fuzzing)]
pub(crate) use sources::fuzzing;
#[cfg(feature = "config")]
pub use sources::package_of;
#[cfg(feature = "config")]
pub(crate) use sources::{Environment, Layers, OwnSection, Settings};
pub(crate) use value::{LONGEST_TIME, Value};

/// Where RabbitMQ is when it has just been installed.
pub(crate) const DEFAULT_URI: &str = "amqp://guest:guest@localhost:5672/%2f";
/// How long a caller waits if neither the client nor the function says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// RabbitMQ's own default limit for a message, from version 4.
pub(crate) const DEFAULT_MAX_BODY: usize = 16 << 20;

/// Whose settings they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Those of a program that serves.
    Server,
    /// Those of a program that calls.
    Client,
}

/// How an exchange chooses the queues for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExchangeType {
    /// Those that are bound with the request's routing key.
    #[default]
    Direct,
    /// All that are bound to it.
    Fanout,
    /// Those that are bound with a pattern that fits the routing key.
    Topic,
}

/// How the broker keeps a service's queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueueType {
    /// On one node.
    #[default]
    Classic,
    /// On several nodes of a cluster, most of which have to be there.
    Quorum,
}

/// What becomes of a request with an argument that its function does not take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownArguments {
    /// The function runs without it, and the reply says so: callers may be newer than the service.
    #[default]
    Ignore,
    /// It is refused, with status 400.
    Refuse,
}

/// How the log of a service is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line, for programs.
    Json,
}
