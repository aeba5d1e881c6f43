//! How replies are sent, singly or several in a message, and what follows each.

use super::acks::AckDecision;
use super::delivery::{Delivery, Letter, Republish};
use super::reply_batches::{Batch, MOST_BYTES};
use super::reply_line::{Answer, ReplyLine};
use super::reports::Then;
use super::session::Session;
use crate::broker::{Failure, ReplyTo};
use crate::codec::coalesced::CoalescedReply;
use crate::codec::{self, Format};
use crate::log::{debug, warn};
use crate::message::{EncodedReply, ReplyKind, Request, dead, status};

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
        let published = self.line(worker).publish(address, correlation_id, reply);
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
        let published = self.line(worker).publish_together(address, &together);
        drop(together);
        if let Err(error) = &published {
            self.report_lost(Failure::from(error));
        } else {
            self.coalesced_replies.note(replies.len());
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

/// There is no reply to send, or it is sent.
pub(super) fn finish(session: &Session, delivery: Delivery, reply: EncodedReply, then: Then) {
    let is_failure = !delivery.is_awaited() && reply.status >= 400;
    match then {
        Then::DeadLetter(letter) => fail(session, delivery, letter, None),
        Then::Conclude if is_failure && reply.status == status::EXPIRED => {
            let message = codec::failure_message(&reply);
            debug!(correlation_id = delivery.request.correlation_id, "dropped: {message}");
            done(session, delivery, reply, true);
        }
        Then::Conclude if is_failure => {
            let letter = delivery.letter(dead::FAILED, Some(&reply), codec::failure_message(&reply));
            fail(session, delivery, letter, Some(reply));
        }
        Then::Conclude => done(session, delivery, reply, true),
    }
}

/// Acknowledges a request, or leaves that; what was run is remembered, in case that it is delivered again.
pub(super) fn done(session: &Session, delivery: Delivery, reply: EncodedReply, acknowledge: bool) {
    let is_acknowledged = delivery.is_acknowledged();
    let Delivery { queue, request, receipt, .. } = delivery;
    let receipt = (acknowledge && !is_acknowledged).then_some(receipt);
    let answer = (reply.kind != Some(ReplyKind::Refusal)).then_some((request, reply));
    session.finish(queue, receipt, AckDecision::Ack, answer);
}

pub(super) fn fail(session: &Session, delivery: Delivery, letter: Letter, reply: Option<EncodedReply>) {
    session.fail(delivery, Republish::DeadLetter(letter, reply));
}
