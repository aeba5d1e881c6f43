//! What outlives a session: the journal, and what its workers finish after it is lost.

use std::mem;
use std::time::Instant;

use crossbeam_channel::{Receiver, TryRecvError};

use super::super::delivery::{Acknowledged, Delivery, Republish};
use super::super::journal::Journal;
use super::super::reports::Report;

/// The memory of a lane.
#[derive(Debug)]
pub(in crate::server) struct Memory {
    pub(in crate::server) journal: Journal,
    /// Where the workers of sessions that are lost report what they finish all the same.
    lost: Vec<Receiver<Report>>,
    unfinished: Vec<Unfinished>,
}

/// A request that was acknowledged on a session that is lost: the broker has forgotten it, or will not have it run again.
#[derive(Debug)]
pub(super) enum Unfinished {
    Unbegun(Delivery),
    /// It has failed, and that is not recorded anywhere.
    Failed(Delivery, Republish),
}

impl Memory {
    pub(in crate::server) fn new(journal: Journal) -> Self {
        Memory { journal, lost: Vec::new(), unfinished: Vec::new() }
    }

    /// The session is lost; its workers report here, and these of its requests were not begun.
    pub(super) fn session_lost(
        &mut self,
        reports: Receiver<Report>,
        unbegun: impl Iterator<Item = Delivery>,
        now: Instant,
    ) {
        self.journal.session_lost(now);
        self.lost.push(reports);
        let sent = unbegun.filter(|delivery| delivery.acknowledged == Acknowledged::Sent);
        // On another connection the nodes of reply addresses are not known yet.
        self.unfinished.extend(sent.map(|delivery| Unfinished::Unbegun(Delivery { is_accepted: None, ..delivery })));
    }

    /// What was acknowledged on sessions that are lost, and is to be gone on with.
    pub(super) fn take_unfinished(&mut self) -> Vec<Unfinished> {
        mem::take(&mut self.unfinished)
    }

    /// How many there are of these.
    pub(super) fn unfinished(&self) -> usize {
        self.unfinished.len()
    }

    /// Enters what was finished by now on sessions that are lost.
    pub(super) fn collect(&mut self) {
        let Memory { journal, lost, unfinished } = self;
        lost.retain(|reports| {
            loop {
                match reports.try_recv() {
                    Ok(Report::Finished(_, _, Some((request, reply)))) => journal.remember_lost(request, reply),
                    Ok(Report::Republish(delivery, what @ Republish::DeadLetter(..))) if delivery.is_acknowledged() => {
                        unfinished.push(Unfinished::Failed(delivery, what));
                    }
                    // It failed, and whatever came of that was not recorded anywhere.
                    Ok(Report::Republish(Delivery { request, .. }, Republish::DeadLetter(_, Some(reply)))) => {
                        journal.remember_lost(request, reply);
                    }
                    Ok(_) => {}
                    Err(TryRecvError::Empty) => return true,
                    Err(TryRecvError::Disconnected) => return false,
                }
            }
        });
    }
}
