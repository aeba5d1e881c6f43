//! The nodes of the broker that replies may be sent to.
//!
//! A direct reply-to address names the node of the caller's channel, by a number.
//! RabbitMQ 3.10 answers a reply to a node that its cluster does not know, whatever the rest of the address is,
//! with 541, and closes the whole connection; and no address shows by its form which nodes there are.
//! So the first reply to each node is tried on a connection that nobody needs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use amiquip::Publish;
use tracing::warn;

use super::ReplyTo;
use super::connection::{Beside, bounded};

/// For the trial, beginning with the connection.
const TRIAL_TIMEOUT: Duration = Duration::from_secs(20);
/// So many nodes are remembered that are none: hostile callers make up as many as they like.
const MOST_STRANGERS: usize = 1000;

/// What is known of nodes: whether replies may be sent to them.
#[derive(Debug, Default)]
pub(crate) struct ReplyNodes {
    /// Read for every call, and by many threads at once.
    known: RwLock<HashMap<u64, bool>>,
    /// Held during a trial, so that each node is tried once.
    trial: Mutex<()>,
}

impl ReplyNodes {
    /// Whether it is known what to do with replies to this address, so that asking takes no time.
    pub(crate) fn knows(&self, address: &ReplyTo) -> bool {
        address.node().is_none_or(|node| self.known(node).is_some())
    }

    /// Whether replies may be sent to this address; if that is not known, it is tried on another connection.
    pub(crate) fn accepts(&self, address: &ReplyTo, beside: &Beside) -> bool {
        let Some(node) = address.node() else { return true };
        if let Some(known) = self.known(node) {
            return known;
        }
        let _trial = self.trial.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.known(node) {
            return known;
        }
        let (address, trial) = (address.unclaimed(), beside.clone());
        let tried = bounded(TRIAL_TIMEOUT, move || {
            let mut connection = trial.open("server, trying a reply address").ok()?;
            let channel = connection.open_channel().ok()?;
            Some(channel.0.basic_publish("", Publish::new(b"", address)).and_then(|()| channel.0.qos(0, 0, false)))
        });
        let is_stranger = match tried.flatten() {
            Some(Ok(())) => false,
            Some(Err(amiquip::Error::ServerClosedConnection { code: 541, .. })) => true,
            // It could not be tried, and will be another time.
            _ => return true,
        };
        if is_stranger {
            warn!(node, "a reply address names a node that the broker does not know: what is on it gets no replies");
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_STRANGERS {
            known.retain(|_, accepts| *accepts);
        }
        known.insert(node, !is_stranger);
        !is_stranger
    }

    fn known(&self, node: u64) -> Option<bool> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&node).copied()
    }

    /// Has all be tried again: strangers may have joined the cluster, and a node that is gone is a stranger.
    pub(crate) fn forget(&self) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
