//! Where the contestants meet: a private RabbitMQ, or a broker that was named.

use anyhow::{Context as _, Result};
use harness::{Broker as _, RabbitMq};

/// A broker that runs.
pub(crate) struct Broker {
    uri: String,
    pid: Option<u32>,
    /// Ends with this value.
    _node: Option<RabbitMq>,
}

impl Broker {
    /// A broker of somebody else's, of whose process nothing is known.
    pub(crate) fn named(uri: &str) -> Self {
        Self { uri: uri.to_owned(), pid: None, _node: None }
    }

    /// A RabbitMQ that nobody else uses.
    pub(crate) fn private() -> Result<Self> {
        let node = RabbitMq::start().context("start a private RabbitMQ (`--uri` names another broker)")?;
        let pid = node.eval("list_to_integer(os:getpid())")?;
        let pid = pid.parse().with_context(|| format!("`{pid}` is no process id"))?;
        Ok(Self { uri: node.uri(), pid: Some(pid), _node: Some(node) })
    }

    /// Where a client finds it.
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// Its process, if that is known and runs here.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.pid
    }
}
