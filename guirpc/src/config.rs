//! Settings: defaults, under a file, under the environment, under flags.
//!
//! The tables in `settings` say what there is; everything else here reads it from them.
//! What a setting does is not known here.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::Error;
use crate::message::Dialect;

mod client;
mod environment;
mod file;
mod ini;
mod layer;
mod layers;
mod package;
mod settings;
#[cfg(test)]
mod tests;

pub use client::ClientConfig;
pub(crate) use environment::Environment;
pub(crate) use layers::{Layers, Settings};
pub use package::package_of;
pub(crate) use settings::{Kind, SERVER, Setting};

/// Where RabbitMQ is when it has just been installed.
pub(crate) const DEFAULT_URI: &str = "amqp://guest:guest@localhost:5672/%2f";
/// How long a server that is stopped waits for what has begun.
pub(crate) const DEFAULT_DRAIN: Duration = Duration::from_secs(30);
/// RabbitMQ's own default limit for a message, from version 4.
pub(crate) const DEFAULT_MAX_BODY: usize = 16 << 20;

/// How often a function begins on one message before it is set aside.
pub(crate) const DEFAULT_MAX_DELIVERIES: u32 = 5;
/// How far the clocks of two machines may be apart before a deadline is doubted.
pub(crate) const DEFAULT_CLOCK_TOLERANCE: Duration = Duration::from_secs(1);
/// Replies that are kept for those who ask again, in bytes.
pub(crate) const DEFAULT_REPLY_CACHE: usize = 16 << 20;

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

/// The settings of a server; a setting has the same name here, in a file, in the environment and as a flag.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) uri: String,
    pub(crate) workers: Option<usize>,
    pub(crate) prefetch: Option<u16>,
    pub(crate) lane_workers: BTreeMap<String, usize>,
    pub(crate) lane_prefetch: BTreeMap<String, u16>,
    pub(crate) dialect: Dialect,
    pub(crate) exchange: Option<String>,
    pub(crate) exchange_type: ExchangeType,
    pub(crate) queue: Option<String>,
    pub(crate) routing_key: Option<String>,
    pub(crate) durable: Option<bool>,
    pub(crate) queue_type: QueueType,
    pub(crate) max_priority: Option<u8>,
    pub(crate) single_active_consumer: bool,
    pub(crate) max_deliveries: u32,
    pub(crate) clock_tolerance: Duration,
    pub(crate) reply_cache: usize,
    pub(crate) drain: Duration,
    pub(crate) max_body: usize,
    pub(crate) pickle: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            uri: DEFAULT_URI.to_owned(),
            workers: None,
            prefetch: None,
            lane_workers: BTreeMap::new(),
            lane_prefetch: BTreeMap::new(),
            dialect: Dialect::Native,
            exchange: None,
            exchange_type: ExchangeType::Direct,
            queue: None,
            routing_key: None,
            durable: None,
            queue_type: QueueType::Classic,
            max_priority: None,
            single_active_consumer: false,
            max_deliveries: DEFAULT_MAX_DELIVERIES,
            clock_tolerance: DEFAULT_CLOCK_TOLERANCE,
            reply_cache: DEFAULT_REPLY_CACHE,
            drain: DEFAULT_DRAIN,
            max_body: DEFAULT_MAX_BODY,
            pickle: false,
        }
    }
}

impl Config {
    /// Takes what is set, and leaves the rest at its default.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let default = Config::default();
        Ok(Config {
            uri: settings.text("uri")?.unwrap_or(default.uri),
            workers: settings.number("workers")?,
            prefetch: settings.number("prefetch")?,
            lane_workers: settings.numbers("lane_workers")?,
            lane_prefetch: settings.numbers("lane_prefetch")?,
            dialect: settings.dialect()?.unwrap_or(default.dialect),
            exchange: settings.text("exchange")?,
            exchange_type: settings.exchange_type()?.unwrap_or_default(),
            queue: settings.text("queue")?,
            routing_key: settings.text("routing_key")?,
            durable: settings.flag("durable")?,
            queue_type: settings.queue_type()?.unwrap_or_default(),
            max_priority: settings.number("max_priority")?,
            single_active_consumer: settings.flag("single_active_consumer")?.unwrap_or_default(),
            max_deliveries: settings.number("max_deliveries")?.unwrap_or(default.max_deliveries),
            clock_tolerance: settings.time("clock_tolerance")?.unwrap_or(default.clock_tolerance),
            reply_cache: settings.number("reply_cache")?.unwrap_or(default.reply_cache),
            drain: settings.time("drain")?.unwrap_or(default.drain),
            max_body: settings.number("max_body")?.unwrap_or(default.max_body),
            pickle: settings.flag("pickle")?.unwrap_or(default.pickle),
        })
    }
}
