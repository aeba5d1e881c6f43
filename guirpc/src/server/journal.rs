//! The last replies of a lane, for requests that the broker delivers again although they were answered.
//! Pure data, no I/O, no clock.
//!
//! With a prefetch of P the broker can have lost at most the last P acknowledgements of a consumer. So the last P
//! requests are kept with their replies, in a ring: nothing is looked up or hashed while all goes well.
//! When a session is lost the ring becomes the past, in which what comes on the next session is looked up.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::message::{EncodedReply, Request};

/// How long the past is of use: by then the broker has delivered again what it was going to.
const KEPT: Duration = Duration::from_mins(1);
/// What an answer takes beside its bodies, roughly, in bytes.
const OVERHEAD: usize = 512;

/// Requests that were answered, and what was answered.
#[derive(Debug)]
pub(super) struct Journal {
    /// How many are kept in each ring, and how many bytes.
    capacity: usize,
    limit: usize,
    /// How many of those are kept for calls that come several in a message.
    coalesced: usize,
    recent: Ring,
    /// Answered, but not acknowledged: they were put back into their queue on purpose.
    requeued: Ring,
    /// The answers of sessions that were lost, by correlation id.
    past: HashMap<String, Vec<Answered>>,
    past_size: usize,
    lost_at: Option<Instant>,
}

#[derive(Debug)]
struct Answered {
    request: Request,
    reply: EncodedReply,
}

#[derive(Debug, Default)]
struct Ring {
    answers: VecDeque<Answered>,
    size: usize,
}

impl Journal {
    /// A journal for so many unacknowledged requests, of so many bytes; with none it remembers nothing.
    pub(super) fn new(capacity: usize, limit: usize) -> Self {
        let (recent, requeued) = Default::default();
        Journal { capacity, limit, coalesced: 0, recent, requeued, past: HashMap::new(), past_size: 0, lost_at: None }
    }

    /// Keeps so many more for calls that come several in a message, if there are not so many already.
    pub(super) fn make_room(&mut self, coalesced: usize) {
        self.capacity += coalesced.saturating_sub(self.coalesced);
        self.coalesced = self.coalesced.max(coalesced);
    }

    /// Keeps an answer; a request without a correlation id cannot be told from others.
    pub(super) fn remember(&mut self, request: Request, reply: EncodedReply) {
        self.recent.push(Answered { request, reply }, self.capacity, self.limit);
    }

    /// Keeps the answer of a request that is put back into its queue.
    pub(super) fn remember_requeued(&mut self, request: Request, reply: EncodedReply) {
        self.requeued.push(Answered { request, reply }, self.capacity, self.limit);
    }

    /// What was answered may be delivered again from now on.
    pub(super) fn session_lost(&mut self, now: Instant) {
        self.expire(now);
        self.lost_at = Some(now);
        self.recent.size = 0;
        for answered in std::mem::take(&mut self.recent.answers) {
            self.enter_past(answered);
        }
    }

    /// Keeps an answer that came after its session was lost.
    pub(super) fn remember_lost(&mut self, request: Request, reply: EncodedReply) {
        self.enter_past(Answered { request, reply });
    }

    fn enter_past(&mut self, answered: Answered) {
        let Some(id) = answered.request.correlation_id.clone() else { return };
        if answered.size() > self.limit {
            return;
        }
        // One loss after another, within a minute: what is older than the latest is hardly delivered any more.
        if self.past_size + answered.size() > self.limit {
            self.forget_past();
        }
        self.past_size += answered.size();
        self.past.entry(id).or_default().push(answered);
    }

    fn forget_past(&mut self) {
        self.past = HashMap::new();
        self.past_size = 0;
    }

    /// Whether a request may have been answered although the broker does not say so.
    pub(super) fn has_past(&self, now: Instant) -> bool {
        self.lost_at.is_some_and(|lost_at| now.saturating_duration_since(lost_at) < KEPT)
    }

    /// Forgets a past that is of no use any more.
    pub(super) fn expire(&mut self, now: Instant) {
        if !self.has_past(now) {
            self.forget_past();
            self.lost_at = None;
        }
    }

    /// What was answered to this request, if it was.
    pub(super) fn find(&self, request: &Request) -> Option<&EncodedReply> {
        let id = request.correlation_id.as_ref()?;
        // A quorum queue whose leader changes delivers again without a loss, and says so.
        let recent = Some(&self.recent.answers).filter(|_| request.attempts() > 0);
        let past = self.past.get(id).into_iter().flatten();
        let mut all = past.chain(&self.requeued.answers).chain(recent.into_iter().flatten());
        all.find(|answered| answered.request.is_same(request)).map(|answered| &answered.reply)
    }
}

impl Ring {
    fn push(&mut self, answered: Answered, capacity: usize, limit: usize) {
        if answered.request.correlation_id.is_none() {
            return;
        }
        self.size += answered.size();
        self.answers.push_back(answered);
        while self.size > limit || self.answers.len() > capacity {
            let Some(oldest) = self.answers.pop_front() else { break };
            self.size -= oldest.size();
        }
    }
}

impl Answered {
    fn size(&self) -> usize {
        OVERHEAD + self.request.body.len() + self.reply.body.len()
    }
}

#[cfg(test)]
mod tests;
