//! Calls that travel together: from joining a message to what becomes of it as a whole.

use std::sync::Arc;
use std::time::Instant;

use super::publish::{Candidate, Content, Part};
use super::{Calls, LinkState, Stage};
use crate::broker::{PublishCheck, Received, Size, TooLarge};
use crate::client::batches::Destination;
use crate::client::outcome::Outcome;
use crate::client::routes::{Access, Flight};
use crate::message::{EncodedReply, ReplyKind};

#[cfg(test)]
mod tests;

impl<W> Calls<W> {
    /// Has messages wait for their turn that nothing joins any more.
    pub(super) fn take_closed(&mut self, now: Instant) {
        while let Some(number) = self.batches.next_closed(now) {
            if self.batches.is_pointless(number, now) { self.split(number) } else { self.enqueue_message(number) }
        }
    }

    /// Has a message wait for its turn, or for the broker to say whether it takes it.
    pub(super) fn enqueue_message(&mut self, number: u64) {
        let Some(Destination { exchange, routing_key, bytes }) = self.batches.destination(number) else { return };
        match self.routes.access_of(&exchange, bytes) {
            Access::Open => return self.queue.insert(number),
            // Each of its calls is smaller.
            Access::Refused(_) => return self.split(number),
            Access::Asked => {}
            Access::Ask => self.to_ask.push(PublishCheck { exchange: exchange.clone(), routing_key, bytes }),
        }
        self.asking.entry(exchange).or_default().push(number);
    }

    /// A message that has its turn; `None` if it is not to be published now.
    pub(super) fn next_message(&mut self, number: u64, now: Instant) -> Option<Candidate> {
        for call in self.batches.calls(number) {
            if self.open.get(&call).is_some_and(|call| call.deadline <= now) {
                self.expire(call);
            }
        }
        if self.batches.is_pointless(number, now) {
            self.queue.pop_first();
            self.split(number);
            return None;
        }
        let Some(Destination { exchange, routing_key, bytes }) = self.batches.destination(number) else {
            self.queue.pop_first();
            return None;
        };
        let route = self.routes.id(&exchange, &routing_key);
        Some(Candidate { route, size: Size::of(bytes, self.routes.limits()), is_call: true, group: None })
    }

    /// It is being published.
    pub(super) fn begin_message(&mut self, number: u64, flight: Flight, now: Instant) -> Content {
        self.batches.publish(number, flight);
        let begin = |number: u64| {
            let call = self.open.get_mut(&number)?;
            call.stage = Stage::InFlight(flight);
            self.queued_bytes -= call.bytes;
            // It is kept: the call is published alone if the message comes back.
            let request = Arc::clone(call.request.as_ref().expect("what is queued can be published"));
            Some(Part { number, request, remaining: call.deadline - now })
        };
        let parts: Vec<Part> = self.batches.calls(number).into_iter().filter_map(begin).collect();
        self.counts.messages += 1;
        self.counts.coalesced += parts.len() as u64;
        Content::Coalesced(parts)
    }

    /// A server has answered a message as a whole, on the link of this generation; says whether anybody waits for that.
    ///
    /// It did not understand it, or it is larger than what it takes: then nothing in it was run.
    pub(in crate::client) fn message_replied(
        &mut self,
        generation: u64,
        number: u64,
        reply: &Received,
        now: Instant,
    ) -> bool {
        let Some(Flight { via, mark, .. }) = self.flight(number).filter(|_| generation == self.generation) else {
            return false;
        };
        self.window.read(via, mark);
        match reply {
            Ok(reply) if !reply.may_have_run() => self.not_understood(number, now),
            Ok(reply) if reply.kind == Some(ReplyKind::Refusal) => self.refused_again(number, reply, now),
            Ok(reply) => self.decide(number, Outcome::Reply(reply.clone())),
            Err(TooLarge { bytes }) => self.decide(number, Outcome::ReplyTooLarge(*bytes)),
        }
        true
    }

    /// Whoever refuses a message has run nothing of it, but a server before may have: only what may be run twice is called
    /// once more.
    fn refused_again(&mut self, number: u64, refusal: &EncodedReply, now: Instant) {
        for call in self.batches.calls(number) {
            match self.open.get_mut(&call) {
                Some(call) if call.idempotent => call.repeated = true,
                Some(_) => self.decide(call, Outcome::Reply(refusal.clone())),
                None => {}
            }
        }
        self.not_understood(number, now);
    }

    /// Nobody runs calls that travel together, nor has run these: they travel alone, as others do for a while.
    pub(super) fn not_understood(&mut self, number: u64, now: Instant) {
        self.batches.pause(number, now);
        self.split(number);
    }

    /// Has the calls of a message travel alone, none of which was run for being in it.
    fn split(&mut self, number: u64) {
        let blocked = match &self.link {
            LinkState::Blocked(reason) => Some(Outcome::Blocked(reason.clone())),
            LinkState::Up | LinkState::Down(_) => None,
        };
        for number in self.batches.dissolve(number) {
            let Some(call) = self.open.get_mut(&number) else { continue };
            (call.place, call.coalescing) = (None, None);
            self.requeue(number);
            if let Some(blocked) = &blocked {
                self.decide(number, blocked.clone());
            }
        }
    }
}
