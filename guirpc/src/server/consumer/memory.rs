//! What outlives a session: the journal, and what its workers finish after it is lost.

use std::time::Instant;

use crossbeam_channel::{Receiver, TryRecvError};

use super::super::delivery::{Delivery, Republish};
use super::super::journal::Journal;
use super::super::reports::Report;

/// The memory of a lane.
#[derive(Debug)]
pub(in crate::server) struct Memory {
    pub(in crate::server) journal: Journal,
    /// Where the workers of sessions that are lost report what they finish all the same.
    lost: Vec<Receiver<Report>>,
}

impl Memory {
    pub(in crate::server) fn new(journal: Journal) -> Self {
        Memory { journal, lost: Vec::new() }
    }

    /// The session is lost; its workers report here.
    pub(super) fn session_lost(&mut self, reports: Receiver<Report>, now: Instant) {
        self.journal.session_lost(now);
        self.lost.push(reports);
    }

    /// Enters what was finished by now on sessions that are lost.
    pub(super) fn collect(&mut self) {
        let journal = &mut self.journal;
        self.lost.retain(|reports| {
            loop {
                match reports.try_recv() {
                    Ok(Report::Finished(_, _, Some((request, reply)))) => journal.remember_lost(request, reply),
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
