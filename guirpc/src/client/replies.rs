//! The thread of a link that brings replies to their callers; there are many of them, and waiting for one thing is
//! quicker than for several.

use std::io;
use std::iter;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender};

use super::core::Core;
use crate::broker::{self, ChannelBodies, Failure, ReplyNote};

/// Replies that are taken in one go, with the calls locked once for all of them.
const BATCH: usize = 64;

/// Where the replies of one channel come.
pub(super) struct Replies {
    pub(super) core: Arc<Core>,
    pub(super) generation: u64,
    pub(super) incoming: Receiver<ReplyNote>,
    pub(super) bodies: ChannelBodies,
}

impl Replies {
    /// Delivers replies on a thread of its own, until there will be no more; then says why.
    pub(super) fn spawn(self, ended: Sender<Failure>) -> io::Result<()> {
        thread::Builder::new().name("guirpc-replies".to_owned()).spawn(move || {
            let failure = loop {
                match self.incoming.recv().map_err(|_| Failure::silent()).and_then(|first| self.deliver(first)) {
                    Ok(()) => {}
                    Err(failure) => break failure,
                }
            };
            // Nobody reads on, and what is left would stay: amiquip's consumer is never dropped.
            self.incoming.try_iter().for_each(drop);
            let _ = ended.send(failure);
        })?;
        Ok(())
    }

    /// Delivers this reply and those that have come meanwhile.
    pub(super) fn deliver(&self, first: ReplyNote) -> Result<(), Failure> {
        let mut replies = Vec::new();
        let mut notes = iter::once(first).chain(self.incoming.try_iter().take(BATCH));
        let taken =
            notes.try_for_each(|note| broker::replies(note, &self.bodies, |id| self.core.number(id), &mut replies));
        self.core.replied(self.generation, replies);
        taken
    }
}
