//! What happens to calls when their link comes, goes, or is blocked.

use std::mem;
use std::time::Instant;

#[cfg(feature = "metrics")]
use super::Counts;
use super::{Call, Calls, LinkState, MOST_CLOSURES, Stage};
use crate::broker::{Failure, Limits, Scope};
use crate::client::outcome::Outcome;
use crate::client::routes::{Flight, Routes};
use crate::health::ConnectionStatus;

/// A queue that takes nothing.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::client) struct Stuck {
    pub(in crate::client) since: Instant,
    /// Whether the broker has read something since.
    pub(in crate::client) reads_on: bool,
    /// Whether something else would be lost with the link.
    pub(in crate::client) is_spared: bool,
}

impl<W> Calls<W> {
    /// A link is up.
    pub(in crate::client) fn up(&mut self, blocked: Option<String>, limits: Limits) {
        self.counts.reconnects = self.generation;
        self.generation += 1;
        self.link = LinkState::Up;
        self.routes = Routes::on(limits);
        for number in mem::take(&mut self.queue) {
            self.enqueue(number);
        }
        self.set_blocked(blocked);
    }

    pub(in crate::client) fn generation(&self) -> u64 {
        self.generation
    }

    /// The broker takes no messages for this reason, or takes them again; what is queued fails meanwhile.
    pub(in crate::client) fn set_blocked(&mut self, reason: Option<String>) {
        match (&self.link, reason) {
            (LinkState::Down(_), _) | (LinkState::Up, None) => {}
            (LinkState::Blocked(_), None) => self.link = LinkState::Up,
            (_, Some(reason)) => {
                let queued: Vec<u64> = self.numbers(|stage| stage == Stage::Queued);
                for number in queued {
                    self.decide(number, Outcome::Blocked(reason.clone()));
                }
                if matches!(self.link, LinkState::Up) {
                    self.counts.blocks += 1;
                }
                self.link = LinkState::Blocked(reason);
            }
        }
    }

    /// Nothing can be published any more, for this reason; what is in flight may still be answered.
    pub(in crate::client) fn set_down(&mut self, reason: &str) {
        self.link = LinkState::Down(reason.to_owned());
    }

    /// The link is gone: what is in flight fails, or is queued again if it may be published twice.
    pub(in crate::client) fn lose(&mut self, failure: &Failure) {
        self.set_down(&failure.reason);
        (self.window, self.confirms, self.routes) = Default::default();
        self.to_ask.clear();
        self.wants_probe = false;
        self.queue.extend(mem::take(&mut self.asking).into_values().flatten());
        self.queue.extend(mem::take(&mut self.held).into_values().flatten());
        self.queue.retain(|number| self.open.get(number).is_some_and(|call| call.stage == Stage::Queued));
        for number in self.batches.clear() {
            if let Some(call) = self.open.get_mut(&number) {
                call.place = None;
                self.queue.insert(number);
            }
        }
        for number in self.numbers(|stage| stage != Stage::Queued) {
            let call = self.open.get_mut(&number).expect("it is among them");
            call.closures += u32::from(failure.scope == Scope::Channel);
            call.place = None;
            if call.idempotent && call.closures < MOST_CLOSURES {
                call.repeated = true;
                call.stage = Stage::Queued;
                self.queued_bytes += call.bytes;
                self.enqueue(number);
            } else {
                self.decide(number, Outcome::Lost(failure.reason.clone()));
            }
        }
    }

    fn numbers(&self, is_such: impl Fn(Stage) -> bool) -> Vec<u64> {
        self.open.iter().filter(|(_, call)| is_such(call.stage)).map(|(number, _)| *number).collect()
    }

    /// Whether there is anything for [`stuck`](Calls::stuck) to look at.
    pub(in crate::client) fn may_be_stuck(&self, now: Instant) -> bool {
        self.confirms.stuck(now).is_some()
    }

    /// Whether a queue takes nothing although the broker reads on, and since when; `None` if there is no sign of that.
    ///
    /// No link is given up for it while anything is in flight, to another queue, that would be lost with it.
    pub(in crate::client) fn stuck(&self, now: Instant) -> Option<Stuck> {
        let (since, reads_on) = self.confirms.stuck(now)?;
        let is_spared = |call: &Call<W>| match call.stage {
            Stage::InFlight(Flight { route, .. }) => !call.idempotent && !self.routes.is_suspect(route, now),
            Stage::Queued => false,
        };
        Some(Stuck { since, reads_on, is_spared: self.open.values().any(is_spared) })
    }

    /// Has the next probe go by the confirming channel, whatever was published, to see whether the broker reads on.
    pub(in crate::client) fn want_probe(&mut self) {
        self.wants_probe = true;
    }

    /// Fails everything.
    pub(in crate::client) fn close(&mut self, reason: &str) {
        self.set_down(reason);
        self.deadlines.clear();
        for number in self.numbers(|stage| stage == Stage::Queued) {
            self.decide(number, Outcome::NotSent(reason.to_owned()));
        }
        for number in self.numbers(|_| true) {
            self.decide(number, Outcome::Lost(reason.to_owned()));
        }
    }

    #[cfg(feature = "metrics")]
    pub(in crate::client) fn counts(&self) -> Counts {
        self.counts
    }

    pub(in crate::client) fn status(&self) -> ConnectionStatus {
        match &self.link {
            LinkState::Up => ConnectionStatus::Connected,
            LinkState::Blocked(reason) => ConnectionStatus::Blocked { reason: reason.clone() },
            LinkState::Down(reason) => ConnectionStatus::Disconnected { reason: reason.clone() },
        }
    }
}
