//! The channel of a worker for replies. Replies to calls that came together wait on it for each other, for a moment.
//!
//! They leave when there are enough, when the worker finds nothing more to do at once, before it runs what usually takes
//! long, and else with the tick of the consumer thread, which has them sent by a thread of its own.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::delivery::Delivery;
use super::reply_batches::{Batch, MOST_BYTES, ReplyBatches};
use super::reports::Then;
use super::session::Session;
use super::worker::{done, finish};
use crate::broker::{Failure, ReplyChannel, ReplyTo};
use crate::codec::coalesced::CoalescedReply;
use crate::codec::{self, Format};
use crate::error::Error;
use crate::log::warn;
use crate::message::{EncodedReply, Request};

/// A channel, and what waits on it.
pub(super) struct ReplyLine {
    state: Mutex<State>,
    /// Odd while replies wait; every change is a step up.
    turn: AtomicU64,
}

struct State {
    channel: ReplyChannel,
    batches: ReplyBatches<ReplyTo, Answer>,
}

/// A reply, and what is done when it is sent.
struct Answer {
    delivery: Delivery,
    reply: EncodedReply,
    then: Then,
}

impl Answer {
    fn coalesced(&self) -> CoalescedReply<'_> {
        let id = self.delivery.request.correlation_id.as_deref().unwrap_or_default();
        CoalescedReply { id, reply: Cow::Borrowed(&self.reply) }
    }
}

impl ReplyLine {
    pub(super) fn new(channel: ReplyChannel) -> Self {
        let state = State { channel, batches: ReplyBatches::default() };
        ReplyLine { state: Mutex::new(state), turn: AtomicU64::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when replies wait, if any do: it is another number each time.
    pub(super) fn turn(&self) -> Option<u64> {
        let turn = self.turn.load(Ordering::SeqCst);
        (turn % 2 == 1).then_some(turn)
    }

    /// Has an answer wait for others; gives what is to leave now.
    fn push(&self, address: ReplyTo, answer: Answer, most_bytes: usize) -> Vec<Batch<ReplyTo, Answer>> {
        let bytes = answer.coalesced().size();
        let mut state = self.state();
        let leaving = state.batches.push(address, answer, bytes, most_bytes);
        self.note_turn(&state);
        leaving
    }

    /// Takes all that wait.
    fn take(&self) -> Vec<Batch<ReplyTo, Answer>> {
        let mut state = self.state();
        let all = state.batches.take();
        self.note_turn(&state);
        all
    }

    fn note_turn(&self, state: &State) {
        if state.batches.is_empty() == self.turn().is_some() {
            self.turn.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn can_send(&self, reply: &EncodedReply) -> bool {
        reply.headers.is_empty() || self.state().channel.check(reply).is_ok()
    }

    /// Waits until the broker has all replies that were sent before.
    pub(super) fn flush(&self) -> Result<(), Error> {
        self.state().channel.flush()
    }
}

impl Session {
    fn line(&self, worker: usize) -> &ReplyLine {
        &self.replies[worker % self.replies.len()]
    }

    /// Publishes a reply on the channel of this worker, or at least that it cannot be sent.
    ///
    /// False if not even that: the session is lost, and the request will be delivered again, if it is not acknowledged.
    pub(super) fn send(&self, worker: usize, delivery: &Delivery, reply: &EncodedReply) -> bool {
        let Ok(Some(address)) = &delivery.reply_to else { return true };
        let Request { function, correlation_id, dialect, .. } = &delivery.request;
        let fits = self.reply_sizes.check(reply.body.len());
        let sent = fits.and_then(|()| self.reply(worker, address, correlation_id.clone(), reply));
        let Err(why) = sent else { return true };
        warn!(function, correlation_id, "the reply cannot be sent: {why}");
        let message = format!("the reply of `{function}` cannot be sent: {why}");
        let failure = codec::unexpected(Format::readable(*dialect), "PublishError", &message);
        self.reply(worker, address, correlation_id.clone(), &failure).is_ok()
    }

    /// # Errors
    /// This reply cannot be sent, for the reason given. If none can be any more, the session is lost.
    fn reply(
        &self,
        worker: usize,
        address: &ReplyTo,
        correlation_id: Option<String>,
        reply: &EncodedReply,
    ) -> Result<(), String> {
        let published = self.line(worker).state().channel.publish(address, correlation_id, reply);
        published.unwrap_or_else(|error| {
            self.report_lost(Failure::from(&error));
            Err(error.to_string())
        })
    }

    /// Sends a reply, together with others if its request came with others, and does what follows.
    pub(super) fn answer(&self, worker: usize, delivery: Delivery, reply: EncodedReply, then: Then) {
        let answer = Answer { delivery, reply, then };
        match self.address_to_share(worker, &answer) {
            Some((address, most_bytes)) => self.send_together(worker, address, answer, most_bytes),
            None => self.send_one(worker, answer),
        }
    }

    fn send_one(&self, worker: usize, Answer { delivery, reply, then }: Answer) {
        if self.send(worker, &delivery, &reply) {
            finish(self, delivery, reply, then);
        } else {
            // Not acknowledged: when it is delivered again, on the next session, it is answered without another run.
            done(self, delivery, reply, false);
        }
    }

    /// The address of an answer that may wait for others to the same one, and how large they may be together.
    fn address_to_share(&self, worker: usize, answer: &Answer) -> Option<(ReplyTo, usize)> {
        if !answer.delivery.is_coalesced() {
            return None;
        }
        let address = answer.delivery.reply_to.as_ref().ok()?.clone()?;
        let most_bytes = self.reply_sizes.largest(MOST_BYTES);
        let fits = answer.coalesced().size() <= most_bytes && self.line(worker).can_send(&answer.reply);
        fits.then_some((address, most_bytes))
    }

    fn send_together(&self, worker: usize, address: ReplyTo, answer: Answer, most_bytes: usize) {
        let line = self.line(worker);
        let leaving = line.push(address, answer, most_bytes);
        self.send_all(worker, leaving);
        // Whoever has the session end looks for what waits after that: one of the two sees the other.
        if self.is_serving() {
            self.keep_ticking();
        } else {
            self.send_waiting(worker);
        }
    }

    /// Sends what waits on the channel of this worker.
    pub(super) fn send_waiting(&self, worker: usize) {
        let line = self.line(worker);
        if line.turn().is_some() {
            self.send_all(worker, line.take());
        }
    }

    /// Sends what waits on any channel.
    pub(super) fn send_all_waiting(&self) {
        (0..self.replies.len()).for_each(|worker| self.send_waiting(worker));
    }

    /// Whether replies wait on any channel.
    pub(super) fn has_replies_waiting(&self) -> bool {
        self.replies.iter().any(|line| line.turn().is_some())
    }

    fn send_all(&self, worker: usize, batches: Vec<Batch<ReplyTo, Answer>>) {
        for Batch { address, replies, .. } in batches {
            self.send_batch(worker, &address, replies);
        }
    }

    fn send_batch(&self, worker: usize, address: &ReplyTo, replies: Vec<Answer>) {
        if replies.len() == 1 {
            return replies.into_iter().for_each(|alone| self.send_one(worker, alone));
        }
        let together: Vec<CoalescedReply<'_>> = replies.iter().map(Answer::coalesced).collect();
        let published = self.line(worker).state().channel.publish_replies(address, &together);
        drop(together);
        if let Err(error) = &published {
            self.report_lost(Failure::from(error));
        }
        for Answer { delivery, reply, then } in replies {
            if published.is_ok() {
                finish(self, delivery, reply, then);
            } else {
                done(self, delivery, reply, false);
            }
        }
    }
}
