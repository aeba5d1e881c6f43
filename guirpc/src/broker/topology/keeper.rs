//! Looks after what a server has declared and does not consume from, since nobody tells when that is deleted.

use std::collections::BTreeSet;

use amiquip::FieldTable;

use super::Exchange;
use crate::broker::connection::{Opener, explain};
use crate::broker::{Channel, Connection};
use crate::error::{Error, ErrorKind};
use crate::log::{info, warn};

/// What leads from an exchange to the queue of a service.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub(crate) routing_key: String,
    pub(crate) queue: String,
}

/// Declares an exchange and the bindings to it again when they are gone.
///
/// What the user may not declare is left to an operator: that is said once, and looked for all the same.
pub(crate) struct TopologyKeeper {
    opener: Opener,
    /// Kept open from one look to the next, until something is refused.
    channel: Option<Channel>,
    exchange: Exchange,
    bindings: Vec<Binding>,
    /// The queues whose bindings were refused.
    refused: BTreeSet<String>,
    /// Whether the exchange was missing when it was looked for last, and not to be had.
    is_missing: bool,
}

impl TopologyKeeper {
    pub(crate) fn on(connection: &Connection, exchange: Exchange, bindings: Vec<Binding>) -> Self {
        let (opener, refused) = (connection.opener(), BTreeSet::new());
        TopologyKeeper { opener, channel: None, exchange, bindings, refused, is_missing: false }
    }

    /// Looks once, which waits for the broker.
    ///
    /// # Errors
    /// The connection is lost.
    pub(crate) fn look(&mut self) -> Result<(), Error> {
        let name = self.exchange.name.clone();
        if !self.is_there()? {
            if self.is_missing {
                return Ok(());
            }
            match self.ask(|channel, keeper| channel.declare_exchange(&keeper.exchange))? {
                Ok(()) => warn!("exchange `{name}` was deleted: declared again, with its bindings"),
                Err(refusal) => {
                    warn!(
                        "exchange `{name}` was deleted and cannot be declared again, so no request arrives until an \
                         operator declares it: {refusal}"
                    );
                    self.is_missing = true;
                    return Ok(());
                }
            }
        } else if self.is_missing {
            info!("exchange `{name}` is there again");
        }
        self.is_missing = false;
        for Binding { routing_key, queue } in self.bindings.clone() {
            if self.refused.contains(&queue) {
                continue;
            }
            let bound = self.ask(|channel, keeper| {
                let bound = channel.0.queue_bind(&*queue, &*keeper.exchange.name, &*routing_key, FieldTable::new());
                bound.map_err(|error| explain(&error))
            })?;
            // One whose queue is gone is bound when that is declared.
            if let Err(refusal) = bound
                && refusal.kind() == ErrorKind::Denied
            {
                self.refused.insert(queue);
            }
        }
        Ok(())
    }

    fn is_there(&mut self) -> Result<bool, Error> {
        let there = self.ask(|channel, keeper| match channel.0.exchange_declare_passive(&*keeper.exchange.name) {
            Ok(_) => Ok(true),
            Err(amiquip::Error::ServerClosedChannel { code: 404, message, .. }) if message.contains("no exchange") => {
                Ok(false)
            }
            Err(error) => Err(explain(&error)),
        })?;
        // Where even the question is refused, there is no telling.
        let is_there = there.unwrap_or(true);
        if !is_there {
            // Which has cost the channel.
            self.channel = None;
        }
        Ok(is_there)
    }

    /// Asks something of the broker; the inner error is its refusal.
    fn ask<T>(&mut self, ask: impl FnOnce(&Channel, &Self) -> Result<T, Error>) -> Result<Result<T, Error>, Error> {
        let channel = self.channel.take().map_or_else(|| self.opener.open_channel(), Ok)?;
        match ask(&channel, self) {
            Ok(answer) => {
                self.channel = Some(channel);
                Ok(Ok(answer))
            }
            Err(error) if error.kind() == ErrorKind::Unreachable => Err(error),
            Err(refusal) => Ok(Err(refusal)),
        }
    }
}
