//! What the world around the calls knows of them, and what must be true of whatever they are told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use crate::client::calls::Calls;
use crate::client::outcome::{Outcome, Told, decode_json};
use crate::client::window::Via;

/// What the world around the calls knows.
#[derive(Default)]
pub(super) struct World {
    /// Those without an outcome, and whether they are idempotent.
    pub(super) open: BTreeMap<u64, bool>,
    /// Those that were published.
    pub(super) published: BTreeSet<u64>,
    /// Those that were in flight on a link that was lost, and are made again.
    pub(super) repeated: BTreeSet<u64>,
    /// How often each was published and may have been run for that.
    pub(super) may_have_run: BTreeMap<u64, u32>,
    /// The messages that the broker has returned of those in flight.
    pub(super) returned: BTreeSet<u64>,
    /// What is in flight on the present link, in order.
    pub(super) in_flight: Vec<InFlight>,
    /// The tags that are open, each with the number of its message.
    pub(super) tags: BTreeMap<u64, Option<u64>>,
    last_tag: u64,
    pub(super) probes: Vec<Via>,
    pub(super) generation: u64,
    pub(super) is_up: bool,
}

pub(super) struct InFlight {
    pub(super) message: u64,
    /// Those of its calls that have no outcome.
    pub(super) calls: Vec<u64>,
    pub(super) is_call: bool,
    /// Whether others wait for it.
    pub(super) is_counted: bool,
}

impl World {
    /// It is in flight no more.
    pub(super) fn land(&mut self, number: u64) {
        for message in &mut self.in_flight {
            message.calls.retain(|call| *call != number);
        }
        self.in_flight.retain(|message| !message.calls.is_empty());
    }

    /// The messages that a server may have that belong to calls.
    pub(super) fn with_servers(&self) -> impl Iterator<Item = &InFlight> {
        // What is returned is in no queue, so no server has it.
        self.in_flight.iter().filter(|it| it.is_call && !self.returned.contains(&it.message))
    }

    pub(super) fn confirmable(&mut self, via: Via, number: Option<u64>) {
        if via == Via::Confirming {
            self.last_tag += 1;
            self.tags.insert(self.last_tag, number);
        }
    }

    /// Whoever is told that nothing ran is told the truth.
    pub(super) fn check_told(&self, number: u64, outcome: Outcome) -> Result<(), TestCaseError> {
        let shown = format!("{outcome:?}");
        let told = Told { service: "math", timeout: Duration::ZERO, idempotent: false, max_body: usize::MAX };
        let decoded = outcome.into_reply(told).map(|reply| reply.map(|reply| decode_json(Some(&reply)).map(drop)));
        let says_not_run = match decoded {
            Err(error) => !error.may_have_run(),
            Ok(Some(Err(error))) => !error.may_have_run(),
            Ok(Some(Ok(())) | None) => false,
        };
        let may_have_run = self.may_have_run.get(&number).is_some_and(|times| *times > 0);
        prop_assert!(!(says_not_run && may_have_run), "{number} may have run: {shown}");
        Ok(())
    }

    /// The last time that it was published it was certainly not run.
    pub(super) fn not_run(&mut self, number: u64) {
        *self.may_have_run.entry(number).or_insert(1) -= 1;
    }

    pub(super) fn clear(&mut self) {
        self.in_flight.clear();
        self.returned.clear();
        self.tags.clear();
        self.last_tag = 0;
        self.probes.clear();
        self.is_up = false;
    }

    /// Takes note of those that have an outcome: one each.
    pub(super) fn decided(&mut self, calls: &mut Calls<u64>) -> Result<(), TestCaseError> {
        for (number, outcome) in calls.take_decided() {
            let open = self.open.remove(&number);
            prop_assert!(open.is_some(), "{number} has two outcomes, the second is {outcome:?}");
            if let Outcome::Lost(_) = &outcome {
                prop_assert!(self.published.contains(&number), "{number} was never published");
            }
            self.check_told(number, outcome)?;
            self.land(number);
        }
        Ok(())
    }
}
