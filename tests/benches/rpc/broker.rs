//! Where the contestants meet: a private RabbitMQ, a broker that was named, or the embedded one.

use anyhow::{Context as _, Result};
use harness::{Broker as _, RabbitMq};

use crate::child::{self, Child};
use crate::role::Role;

/// A broker that runs.
pub(crate) struct Broker {
    uri: String,
    pid: Option<u32>,
    /// Ends with this value.
    _process: Process,
}

enum Process {
    Somebodys,
    RabbitMq { _node: RabbitMq },
    Embedded { _child: Child },
}

impl Broker {
    /// A broker of somebody else's, of whose process nothing is known.
    pub(crate) fn named(uri: &str) -> Self {
        Self { uri: uri.to_owned(), pid: None, _process: Process::Somebodys }
    }

    /// A RabbitMQ that nobody else uses.
    pub(crate) fn private() -> Result<Self> {
        let node = RabbitMq::start().context("start a private RabbitMQ (`--uri` names another broker)")?;
        let pid = node.eval("list_to_integer(os:getpid())")?;
        let pid = pid.parse().with_context(|| format!("`{pid}` is no process id"))?;
        Ok(Self { uri: node.uri(), pid: Some(pid), _process: Process::RabbitMq { _node: node } })
    }

    /// The embedded broker in a process of its own, so that its share of the work is seen.
    pub(crate) fn embedded() -> Result<Self> {
        let (child, uri) = Role::Broker.start().context("start the embedded broker")?;
        Ok(Self { uri, pid: Some(child.pid()), _process: Process::Embedded { _child: child } })
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

/// Is the embedded broker, until the process is killed.
pub(crate) fn be() -> Result<()> {
    let broker = guirpc::embedded::Broker::start()?;
    child::ready(&broker.uri());
    loop {
        std::thread::park();
    }
}
