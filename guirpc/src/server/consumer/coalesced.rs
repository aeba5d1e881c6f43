//! What the consumer thread does with calls that came several in a message, and with their replies.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};

use super::super::acks::AckDecision;
use super::super::delivery::{Acknowledged, Delivery};
use super::super::reply_line::ReplyLine;
use super::super::reports::{Ready, Then};
use super::super::session::Session;
use super::super::shared_acks::SharedAcks;
use super::{ConsumerLoop, Lost};
use crate::broker::{Failure, Receipt};
use crate::log::{in_same_lane, warn};
use crate::message::EncodedReply;

/// How long a refusal waits for the rest of its message. After that its caller is told that the call may yet be run: the
/// broker delivers all of the message again if this process ends before the last of it is done.
const REFUSAL_WAIT: Duration = Duration::from_millis(500);

/// One call of a message that is refused.
struct RefusedCall {
    delivery: Delivery,
    reply: EncodedReply,
    since: Instant,
}

/// What is open of such messages, and of replies to them.
#[derive(Default)]
pub(in crate::server) struct Coalesced {
    acks: SharedAcks,
    /// Wait until their message is acknowledged.
    refused: Vec<RefusedCall>,
    /// Has replies sent that have waited; it is there as soon as there were any.
    sender: Option<Sender<()>>,
    /// Since when replies waited at the last tick.
    turns: Vec<Option<u64>>,
}

impl Coalesced {
    /// Whether it is to be looked after by the tick.
    pub(in crate::server) fn is_waiting(&self) -> bool {
        !self.refused.is_empty()
    }
}

impl ConsumerLoop<'_> {
    /// Passes a decision on a delivery, or on one call of several: then the message is decided with the last of them.
    pub(super) fn decide(&mut self, receipt: Receipt, decision: AckDecision) {
        let tag = receipt.tag();
        let Some(calls) = receipt.calls() else { return self.acks.finish(tag, decision, receipt) };
        let Some(decision) = self.coalesced.acks.finish(tag, calls, decision) else { return };
        self.acks.finish(tag, decision, receipt);
        let is_of_it = |refused: &mut RefusedCall| refused.delivery.receipt.tag() == tag;
        let refused: Vec<RefusedCall> = self.coalesced.refused.extract_if(.., is_of_it).collect();
        for RefusedCall { delivery, reply, .. } in refused {
            match decision {
                AckDecision::Ack => {
                    self.waiting.push((Ready::Answer(delivery, reply, Then::Conclude), self.next_job));
                }
                AckDecision::Requeue => self.admit(delivery, reply),
            }
        }
    }

    /// Requeues a delivery at once, or the message that it was in, if this was the last call of it.
    pub(in super::super) fn requeue(&mut self, receipt: Receipt) -> Result<(), Lost> {
        let is_decided = receipt
            .calls()
            .is_none_or(|calls| self.coalesced.acks.finish(receipt.tag(), calls, AckDecision::Requeue).is_some());
        if is_decided { Ok(self.channel.requeue(receipt)?) } else { Ok(()) }
    }

    /// Takes calls of one message, of which some may have been run before, or run at most once.
    ///
    /// The latter go first: they are published again before anything of a new message runs.
    pub(super) fn take_apart(&mut self, calls: Vec<Delivery>) {
        let services = &self.context.plan.services;
        let is_early = |call: &Delivery| services[call.service].is_early(&call.request);
        let (early, others): (Vec<_>, Vec<_>) = calls.into_iter().partition(is_early);
        for call in early.into_iter().chain(others) {
            self.check(call);
        }
    }

    /// Refuses one call of several: its caller is told when the broker knows that nobody else is to run it, which is when
    /// all of the message is acknowledged.
    pub(super) fn refuse_coalesced(&mut self, mut delivery: Delivery, reply: EncodedReply) {
        delivery.acknowledged = Acknowledged::Soon;
        let receipt = delivery.receipt.clone();
        self.coalesced.refused.push(RefusedCall { delivery, reply, since: Instant::now() });
        self.decide(receipt, AckDecision::Ack);
    }

    /// Tells the callers of refused calls that have waited for too long.
    pub(in crate::server) fn admit_overdue(&mut self) {
        let is_overdue = |refused: &mut RefusedCall| refused.since.elapsed() >= REFUSAL_WAIT;
        let overdue: Vec<RefusedCall> = self.coalesced.refused.extract_if(.., is_overdue).collect();
        for RefusedCall { delivery, reply, .. } in overdue {
            self.admit(delivery, reply);
        }
    }

    /// Refuses a call that may yet be run.
    fn admit(&self, mut delivery: Delivery, reply: EncodedReply) {
        delivery.request.redelivered = true;
        self.session.make_ready(Ready::Answer(delivery, reply, Then::Conclude));
    }

    /// Has the journal keep the answers of all messages that may be fetched, if they are as large as this one.
    pub(super) fn make_room_in_journal(&mut self, receipt: Option<&Receipt>) {
        if let Some(calls) = receipt.and_then(Receipt::calls) {
            self.memory.journal.make_room(usize::from(self.context.plan.prefetched_messages()) * calls);
        }
    }

    /// Has the replies sent that have waited since the last tick.
    pub(super) fn look_after_replies(&mut self) -> Result<(), Lost> {
        if !self.session.has_replies_waiting() {
            self.coalesced.turns.clear();
            return Ok(());
        }
        let turns: Vec<Option<u64>> = self.session.replies.iter().map(ReplyLine::turn).collect();
        let have_waited = turns.iter().zip(&self.coalesced.turns).any(|(turn, last)| turn.is_some() && turn == last);
        self.coalesced.turns = turns;
        if have_waited { self.send_waiting_replies() } else { Ok(()) }
    }

    /// The session is over: what waits may still be of use to callers, and to the journal.
    pub(super) fn end_session(&mut self, is_lost: bool) {
        self.session.end(is_lost);
        if let Err(Lost(failure)) = self.send_waiting_replies() {
            warn!("{}", failure.reason);
        }
    }

    /// Has the replies sent that wait, by a thread that may have to wait for the broker.
    pub(in super::super) fn send_waiting_replies(&mut self) -> Result<(), Lost> {
        if !self.session.has_replies_waiting() {
            return Ok(());
        }
        let sender = match self.coalesced.sender.take() {
            Some(sender) => sender,
            None => start_sender(Arc::clone(&self.session))
                .map_err(|error| Lost(Failure::channel(format!("no thread for replies: {error}"))))?,
        };
        // If there is a message already it is about these, too.
        let _ = sender.try_send(());
        self.coalesced.sender = Some(sender);
        Ok(())
    }
}

/// Starts the thread that sends replies whose worker has something else to do; it ends when nobody can ask it to.
fn start_sender(session: Arc<Session>) -> io::Result<Sender<()>> {
    let (sender, asked) = bounded(1);
    thread::Builder::new().name("guirpc-replies".to_owned()).spawn(in_same_lane(move || {
        for () in asked {
            session.send_all_waiting();
        }
    }))?;
    Ok(sender)
}
