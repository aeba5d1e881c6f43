//! The embedded broker for clients whose calls travel together: what holds for calls holds for these, too.

use std::collections::BTreeSet;

use guirpc::embedded::Broker as Embedded;

use crate::{Broker, Queue};

pub(crate) const NAME: &str = "coalescing";

/// The embedded broker, with that wish.
pub(crate) struct Coalescing<'a>(pub(crate) &'a mut Embedded);

impl Broker for Coalescing<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn coalesces(&self) -> bool {
        true
    }

    fn port(&self) -> u16 {
        Broker::port(self.0)
    }

    fn uri(&self) -> String {
        Broker::uri(self.0)
    }

    fn queue(&self, name: &str) -> anyhow::Result<Option<Queue>> {
        Broker::queue(self.0, name)
    }

    fn queues(&self) -> anyhow::Result<Option<BTreeSet<String>>> {
        Broker::queues(self.0)
    }

    fn delete_queue(&self, name: &str) -> anyhow::Result<()> {
        Broker::delete_queue(self.0, name)
    }

    fn fail_queue(&self, name: &str) -> anyhow::Result<()> {
        Broker::fail_queue(self.0, name)
    }

    fn close_channels(&self, queue: &str) -> anyhow::Result<usize> {
        Broker::close_channels(self.0, queue)
    }

    fn close_all_connections(&self, reason: &str) -> anyhow::Result<usize> {
        Broker::close_all_connections(self.0, reason)
    }

    fn sync(&self) -> anyhow::Result<()> {
        Broker::sync(self.0)
    }

    fn memory_alarm(&mut self, on: bool) -> anyhow::Result<()> {
        Broker::memory_alarm(self.0, on)
    }

    fn kill(&mut self) -> anyhow::Result<()> {
        Broker::kill(self.0)
    }

    fn restart(&mut self) -> anyhow::Result<()> {
        Broker::restart(self.0)
    }

    fn stop(&mut self) -> anyhow::Result<()> {
        Broker::stop(self.0)
    }

    fn freeze(&mut self) -> anyhow::Result<()> {
        Broker::freeze(self.0)
    }

    fn thaw(&mut self) -> anyhow::Result<()> {
        Broker::thaw(self.0)
    }
}
