//! When calls are given up.

use std::cmp::Reverse;
use std::time::Instant;

use super::{Calls, LinkState, Stage};
use crate::client::outcome::Outcome;
use crate::client::routes::Flight;

impl<W> Calls<W> {
    /// Has [`expired`](Calls::expired) give up a call at its deadline; says whether that is the earliest of all.
    pub(in crate::client) fn watch(&mut self, number: u64) -> bool {
        let Some(deadline) = self.open.get(&number).map(|call| call.deadline) else { return false };
        if self.deadlines.len() > 2 * self.open.len() + 1024 {
            // Most are of calls that are long done.
            self.deadlines.retain(|Reverse((_, number))| self.open.contains_key(number));
        }
        let is_earliest = self.next_deadline().is_none_or(|earliest| deadline < earliest);
        self.deadlines.push(Reverse((deadline, number)));
        is_earliest
    }

    /// The earliest deadline that is watched.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.peek().map(|Reverse((deadline, _))| *deadline)
    }

    /// When the driver is to look for what is due, which it will: a deadline has passed, or calls have waited long enough
    /// for others to travel with.
    pub(in crate::client) fn next_look(&mut self) -> Option<Instant> {
        self.looks_at = [self.next_deadline(), self.next_closing()].into_iter().flatten().min();
        self.looks_at
    }

    /// Whether something is due before the driver looks.
    pub(in crate::client) fn is_due_earlier(&self) -> bool {
        self.next_closing().is_some_and(|due| self.looks_at.is_none_or(|looks_at| due < looks_at))
    }

    /// When a message is closed that others may join until then.
    fn next_closing(&self) -> Option<Instant> {
        let LinkState::Up = self.link else { return None };
        self.batches.due()
    }

    /// Gives up all calls that are watched and past their deadline.
    pub(in crate::client) fn expired(&mut self, now: Instant) {
        while let Some(Reverse((deadline, number))) = self.deadlines.peek().copied()
            && deadline <= now
        {
            self.deadlines.pop();
            self.expire(number);
        }
    }

    /// Gives a call up that is past its deadline.
    pub(in crate::client) fn expire(&mut self, number: u64) {
        let Some(call) = self.open.get(&number) else { return };
        let outcome = match (call.stage, &self.link) {
            (Stage::Queued, LinkState::Down(reason)) => Outcome::NotSent(reason.clone()),
            (Stage::Queued, _) if !call.repeated => {
                Outcome::NotSent("it has not read yet what was sent before".to_owned())
            }
            _ => Outcome::TimedOut,
        };
        if let Stage::InFlight(Flight { route, .. }) = call.stage {
            self.routes.timed_out(route);
        }
        self.decide(number, outcome);
    }
}
