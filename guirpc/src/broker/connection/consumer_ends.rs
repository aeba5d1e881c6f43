//! The ends of a channel's consumers, kept until amiquip has told them that it is over.
//!
//! That a consumer or its channel is closed amiquip tells us first, and the consumer afterwards. If that is gone by then,
//! amiquip's thread gives up the whole connection.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use amiquip::ConsumerMessage;
use crossbeam_channel::Receiver;

/// It is told within moments, however busy the machine is.
const KEPT: Duration = Duration::from_secs(10);

type End = Receiver<ConsumerMessage>;

/// Those of channels that are closed, for one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct ClosedEnds(Arc<Mutex<VecDeque<(Instant, End)>>>);

impl ClosedEnds {
    /// For another channel.
    pub(super) fn of_channel(&self) -> ConsumerEnds {
        ConsumerEnds { open: RefCell::default(), closed: self.clone() }
    }

    fn add(&self, ends: impl Iterator<Item = End>) {
        let now = Instant::now();
        let mut closed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while closed.front().is_some_and(|(since, _)| now.duration_since(*since) > KEPT) {
            closed.pop_front();
        }
        closed.extend(ends.map(|end| (now, end)));
    }
}

/// Those of one channel.
pub(in crate::broker) struct ConsumerEnds {
    open: RefCell<Vec<End>>,
    closed: ClosedEnds,
}

impl ConsumerEnds {
    /// Keeps one.
    pub(super) fn keep(&self, end: &End) {
        self.open.borrow_mut().push(end.clone());
    }
}

impl Drop for ConsumerEnds {
    fn drop(&mut self) {
        self.closed.add(self.open.get_mut().drain(..));
    }
}
