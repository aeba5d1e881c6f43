//! The settings of a server and their defaults.

use std::time::Duration;

/// Where RabbitMQ is when it has just been installed.
pub(crate) const DEFAULT_URI: &str = "amqp://guest:guest@localhost:5672/%2f";
/// How long a server that is stopped waits for what has begun.
pub(crate) const DEFAULT_DRAIN: Duration = Duration::from_secs(30);
/// RabbitMQ's own default limit for a message, from version 4.
pub(crate) const DEFAULT_MAX_BODY: usize = 16 << 20;

/// The settings of a server; a setting has the same name here, as a flag and in the environment.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) uri: String,
    pub(crate) workers: Option<usize>,
    pub(crate) prefetch: Option<u16>,
    pub(crate) queue: Option<String>,
    pub(crate) drain: Duration,
    pub(crate) max_body: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            uri: DEFAULT_URI.to_owned(),
            workers: None,
            prefetch: None,
            queue: None,
            drain: DEFAULT_DRAIN,
            max_body: DEFAULT_MAX_BODY,
        }
    }
}
