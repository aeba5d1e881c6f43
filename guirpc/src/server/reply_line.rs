//! The channel of a worker for replies. Replies to calls that came together wait on it for each other, for a moment.
//!
//! They leave when there are enough, when the worker finds nothing more to do at once, before it runs what usually takes
//! long, and else with the tick of the consumer thread, which has them sent by a thread of its own.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::delivery::Delivery;
use super::reply_batches::{Batch, ReplyBatches};
use super::reports::Then;
use crate::broker::{ReplyChannel, ReplyTo};
use crate::codec::coalesced::CoalescedReply;
use crate::error::Error;
use crate::message::EncodedReply;

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
pub(super) struct Answer {
    pub(super) delivery: Delivery,
    pub(super) reply: EncodedReply,
    pub(super) then: Then,
}

impl Answer {
    pub(super) fn coalesced(&self) -> CoalescedReply<'_> {
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
    pub(super) fn push(&self, address: ReplyTo, answer: Answer, most_bytes: usize) -> Vec<Batch<ReplyTo, Answer>> {
        let bytes = answer.coalesced().size();
        let mut state = self.state();
        let leaving = state.batches.push(address, answer, bytes, most_bytes);
        self.note_turn(&state);
        leaving
    }

    /// Takes all that wait.
    pub(super) fn take(&self) -> Vec<Batch<ReplyTo, Answer>> {
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

    pub(super) fn can_send(&self, reply: &EncodedReply) -> bool {
        reply.headers.is_empty() || self.state().channel.check(reply).is_ok()
    }

    /// Publishes one reply; see [`ReplyChannel::publish`].
    pub(super) fn publish(
        &self,
        address: &ReplyTo,
        correlation_id: Option<String>,
        reply: &EncodedReply,
    ) -> Result<Result<(), String>, Error> {
        self.state().channel.publish(address, correlation_id, reply)
    }

    /// Publishes several replies in one message.
    pub(super) fn publish_together(&self, address: &ReplyTo, replies: &[CoalescedReply<'_>]) -> Result<(), Error> {
        self.state().channel.publish_replies(address, replies)
    }

    /// Waits until the broker has all replies that were sent before.
    pub(super) fn flush(&self) -> Result<(), Error> {
        self.state().channel.flush()
    }
}
