//! The embedded broker as a case sees it: each has one of its own, since they cost nothing.

use std::collections::BTreeSet;

use anyhow::{bail, ensure};
use guirpc::embedded::{Broker as Embedded, Keep};

use crate::broker::{Broker, Queue};
use crate::port::Port;

pub(crate) const NAME: &str = "embedded";

/// Runs a case on a broker that nobody else uses.
///
/// Its port is claimed for as long as that takes, also while the broker is down.
pub fn on_embedded(run: impl FnOnce(&mut Embedded) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let port = Port::claim()?;
    run(&mut Embedded::start_on(port.number())?)
}

impl Broker for Embedded {
    fn name(&self) -> &'static str {
        NAME
    }

    fn port(&self) -> u16 {
        Embedded::port(self)
    }

    fn uri(&self) -> String {
        Embedded::uri(self)
    }

    fn queue(&self, name: &str) -> anyhow::Result<Option<Queue>> {
        Ok(Embedded::queue(self, name))
    }

    fn queues(&self) -> anyhow::Result<Option<BTreeSet<String>>> {
        Ok(None)
    }

    fn delete_queue(&self, name: &str) -> anyhow::Result<()> {
        ensure!(Embedded::delete_queue(self, name), "there is no queue `{name}`");
        Ok(())
    }

    fn fail_queue(&self, name: &str) -> anyhow::Result<()> {
        bail!("queue `{name}` has no process of its own: only RabbitMQ's have")
    }

    fn close_channels(&self, queue: &str) -> anyhow::Result<usize> {
        Ok(Embedded::close_channels(self, queue, "delivery acknowledgement on channel 1 timed out"))
    }

    fn close_all_connections(&self, reason: &str) -> anyhow::Result<usize> {
        Ok(self.close_connections(reason))
    }

    fn sync(&self) -> anyhow::Result<()> {
        // Whatever it has answered, it has kept.
        Ok(())
    }

    fn memory_alarm(&mut self, on: bool) -> anyhow::Result<()> {
        Embedded::memory_alarm(self, on);
        Ok(())
    }

    fn kill(&mut self) -> anyhow::Result<()> {
        Embedded::kill(self);
        Ok(())
    }

    fn restart(&mut self) -> anyhow::Result<()> {
        Ok(Embedded::restart(self, Keep::Durable)?)
    }

    fn stop(&mut self) -> anyhow::Result<()> {
        Embedded::stop(self);
        Ok(())
    }

    fn freeze(&mut self) -> anyhow::Result<()> {
        Embedded::freeze(self);
        Ok(())
    }

    fn thaw(&mut self) -> anyhow::Result<()> {
        Embedded::thaw(self);
        Ok(())
    }
}
