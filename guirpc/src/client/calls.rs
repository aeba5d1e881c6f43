//! The calls and sends of a client, from being made to having an outcome. Pure data, no I/O, no clock.
//!
//! Each is queued, then in flight, then decided. It is published when the link is up and the window has room;
//! when its link is lost while it is in flight it fails, unless its function is idempotent: then it is queued again,
//! under the same number.
//!
//! Calls may travel together: such a message has a number of its own, by which it is queued, confirmed and returned.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use super::batches::{Batches, Place, is_message};
use super::confirms::{Confirmed, Confirms, Message};
use super::outcome::Outcome;
use super::queue::Queue;
use super::routes::{Access, Flight, RouteId, Routes};
use super::window::{Mark, Via, Window};
use crate::broker::{Checked, Outbound, Presence, PublishCheck};
use crate::config::Coalescing;
use crate::message::Name;

mod coalesced;
mod deadlines;
mod link;
#[cfg(test)]
mod model;
mod publish;
#[cfg(test)]
pub(super) mod tests;

pub(super) use link::Stuck;
pub(super) use publish::{Content, Publication};

/// How often a call may be in flight on a channel that the broker closes: it may be the one that has it closed.
const MOST_CLOSURES: u32 = 3;

/// All calls and sends of a client that have no outcome yet; `W` is whatever is told the outcome.
#[derive(Debug)]
pub(super) struct Calls<W> {
    open: HashMap<u64, Call<W>, RandomState>,
    /// Those that are to be published, in the order in which they were made.
    queue: Queue,
    /// Those that wait for the broker to say whether their exchange is there; an entry may be outdated.
    asking: HashMap<Name, Vec<u64>>,
    /// What the broker is to be asked for.
    to_ask: Vec<PublishCheck>,
    /// Those that would overtake an earlier one of their route, in order; an entry may be outdated.
    held: HashMap<RouteId, VecDeque<u64>>,
    queued_bytes: u64,
    /// Of those that no thread waits for; an entry may be outdated.
    deadlines: BinaryHeap<Reverse<(Instant, u64)>>,
    link: LinkState,
    /// Counts the links.
    generation: u64,
    window: Window,
    wants_probe: bool,
    confirms: Confirms,
    routes: Routes,
    batches: Batches,
    /// When the driver will look for what is due.
    looks_at: Option<Instant>,
    decided: Vec<(W, Outcome)>,
    counts: Counts,
}

/// What there was, over the life of a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "only metrics read them"))]
pub(super) struct Counts {
    /// Messages that the broker confirmed, rejected, and returned although it was to confirm them.
    pub(super) accepted: u64,
    pub(super) rejected: u64,
    pub(super) returned: u64,
    /// Messages of several calls, and the calls in them.
    pub(super) messages: u64,
    pub(super) coalesced: u64,
    /// How often the broker ceased to take messages.
    pub(super) blocks: u64,
    /// Links that followed the first.
    pub(super) reconnects: u64,
    /// How often a call could not be queued for all that was queued already.
    pub(super) refused: u64,
}

/// A call or a send on its way in.
#[derive(Debug)]
pub(super) struct NewCall<W> {
    pub(super) waiter: W,
    pub(super) request: Arc<Outbound>,
    pub(super) deadline: Instant,
    pub(super) idempotent: bool,
    /// After which a send is of no use; a call is not after its deadline.
    pub(super) expires: Option<Duration>,
    /// Whether and how it may travel with others.
    pub(super) coalescing: Option<Coalescing>,
}

#[derive(Debug)]
struct Call<W> {
    waiter: W,
    stage: Stage,
    /// What is to be published, now or again; none, if it is in flight alone and may not be published twice.
    request: Option<Arc<Outbound>>,
    wants_reply: bool,
    bytes: u64,
    deadline: Instant,
    idempotent: bool,
    expires: Option<Duration>,
    /// Whether it was in flight on a link before, so that its function may have run whatever becomes of it now.
    repeated: bool,
    closures: u32,
    /// Whether and how it may travel with others.
    coalescing: Option<Coalescing>,
    /// How it travels, if others wait for it or with it.
    place: Option<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Queued,
    InFlight(Flight),
}

/// Whether anything can be published.
#[derive(Debug)]
enum LinkState {
    Up,
    /// The broker takes no messages, for this reason.
    Blocked(String),
    Down(String),
}

/// So many bytes wait for the broker.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct QueueFull {
    pub(super) bytes: u64,
}

/// A call that has a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Replied<W> {
    pub(super) waiter: W,
    /// Whether it was in flight before, on another link.
    pub(super) repeated: bool,
}

impl<W> Calls<W> {
    /// No calls, and no link for this reason.
    pub(super) fn new(reason: &str) -> Self {
        Calls {
            open: HashMap::default(),
            queue: Queue::default(),
            asking: HashMap::new(),
            to_ask: Vec::new(),
            held: HashMap::new(),
            queued_bytes: 0,
            deadlines: BinaryHeap::new(),
            link: LinkState::Down(reason.to_owned()),
            generation: 0,
            window: Window::default(),
            wants_probe: false,
            confirms: Confirms::default(),
            routes: Routes::default(),
            batches: Batches::default(),
            looks_at: None,
            decided: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Takes a call in: it is queued, or decided at once.
    ///
    /// # Errors
    /// So many bytes wait for the broker already that this call may not join them.
    pub(super) fn enter(&mut self, number: u64, call: NewCall<W>, most_queued: u64) -> Result<(), QueueFull> {
        let NewCall { waiter, request, deadline, idempotent, expires, coalescing } = call;
        if let LinkState::Blocked(reason) = &self.link {
            self.decided.push((waiter, Outcome::Blocked(reason.clone())));
            return Ok(());
        }
        let bytes = request.bytes();
        if self.queued_bytes > 0 && self.queued_bytes + bytes > most_queued {
            self.counts.refused += 1;
            return Err(QueueFull { bytes: self.queued_bytes });
        }
        self.queued_bytes += bytes;
        let call = Call {
            waiter,
            stage: Stage::Queued,
            wants_reply: request.wants_reply,
            request: Some(request),
            bytes,
            deadline,
            idempotent,
            expires,
            repeated: false,
            closures: 0,
            coalescing,
            place: None,
        };
        self.open.insert(number, call);
        self.enqueue(number);
        Ok(())
    }

    /// Has a queued call, or a coalesced message, wait for its turn, or for the broker to say whether it takes it.
    fn enqueue(&mut self, number: u64) {
        if is_message(number) {
            return self.enqueue_message(number);
        }
        let Some(request) = self.open.get(&number).and_then(|call| call.request.as_ref()) else { return };
        let access = if let LinkState::Down(_) = self.link { Access::Open } else { self.routes.access(request) };
        let exchange = &request.exchange;
        match access {
            Access::Open => return self.queue.insert(number),
            Access::Refused(why) => return self.decide(number, Outcome::Denied(why)),
            Access::Asked => {}
            Access::Ask => {
                let (routing_key, bytes) = (request.routing_key.clone(), request.body.len());
                self.to_ask.push(PublishCheck { exchange: exchange.clone(), routing_key, bytes });
            }
        }
        self.asking.entry(exchange.clone()).or_default().push(number);
    }

    /// The channel on which to ask what the broker has read, if it is time to; the probe is in flight from now on.
    pub(super) fn next_probe(&mut self, now: Instant) -> Option<Via> {
        let LinkState::Up = self.link else { return None };
        let via = if mem::take(&mut self.wants_probe) {
            self.window.probe(Via::Confirming);
            Via::Confirming
        } else {
            self.window.begin_probe(!self.queue.is_empty() || !self.held.is_empty())?
        };
        if via == Via::Confirming {
            self.confirms.publish(None, Mark::default(), now);
        }
        Some(via)
    }

    /// A reply has come, on the link of this generation; `None` if nobody waits for it any more.
    pub(super) fn replied(&mut self, generation: u64, number: u64) -> Option<Replied<W>> {
        let call = self.remove(number)?;
        if let Stage::InFlight(Flight { via, mark, .. }) = call.stage
            && generation == self.generation
        {
            self.window.read(via, mark);
        }
        Some(Replied { waiter: call.waiter, repeated: call.repeated })
    }

    /// A message has come back, since no queue takes it.
    pub(super) fn returned(&mut self, number: u64, now: Instant) {
        let Some(Flight { via, mark, .. }) = self.flight(number) else { return };
        self.window.read(via, mark);
        match via {
            Via::Plain => self.unroutable(number, now),
            // Its confirm follows, as if all were well.
            Via::Confirming => self.confirms.returned(number),
        }
    }

    /// How a call or a coalesced message was published that is in flight.
    fn flight(&self, number: u64) -> Option<Flight> {
        match self.open.get(&number).map(|call| call.stage) {
            Some(Stage::InFlight(flight)) => Some(flight),
            Some(Stage::Queued) => None,
            None => self.batches.flight(number),
        }
    }

    /// No queue takes a message.
    fn unroutable(&mut self, number: u64, now: Instant) {
        if is_message(number) { self.not_understood(number, now) } else { self.decide(number, Outcome::Unroutable) }
    }

    /// A probe has come back.
    pub(super) fn probed(&mut self, via: Via) {
        self.window.probed(via);
    }

    /// The broker has decided about what was published up to a delivery tag.
    pub(super) fn confirmed(&mut self, confirm: (u64, bool, bool), now: Instant) {
        let mut decided = Vec::new();
        let read = self.confirms.confirmed(confirm, now, |message, what| decided.push((message, what)));
        if let Some(mark) = read {
            self.window.read(Via::Confirming, mark);
        }
        for (Message { number, route, is_call }, what) in decided {
            self.routes.confirmed(route, is_call, what == Confirmed::Rejected, now);
            *match what {
                Confirmed::Accepted => &mut self.counts.accepted,
                Confirmed::Returned => &mut self.counts.returned,
                Confirmed::Rejected => &mut self.counts.rejected,
            } += 1;
            match what {
                Confirmed::Accepted if is_call => {}
                Confirmed::Accepted => self.decide(number, Outcome::Accepted),
                Confirmed::Returned => self.unroutable(number, now),
                Confirmed::Rejected => self.decide(number, Outcome::Overloaded),
            }
        }
    }

    /// Whether there is something that the broker is to be asked for.
    pub(super) fn has_questions(&self) -> bool {
        !self.to_ask.is_empty()
    }

    /// What the broker is to be asked for; the answers go to [`answered`](Calls::answered).
    pub(super) fn take_to_ask(&mut self) -> Vec<PublishCheck> {
        mem::take(&mut self.to_ask)
    }

    /// The broker has said, on the link of this generation, whether it takes messages for an exchange.
    pub(super) fn answered(&mut self, generation: u64, exchange: &Name, checked: &Checked) {
        if generation != self.generation {
            return;
        }
        self.routes.answered(exchange, checked);
        for number in self.asking.remove(exchange).unwrap_or_default() {
            match &checked.presence {
                Presence::Present => self.enqueue(number),
                Presence::Missing => self.decide(number, Outcome::Unroutable),
                Presence::Denied(why) => self.decide(number, Outcome::Denied(why.clone())),
                Presence::Unanswered => {
                    let why = format!("it did not say whether it takes messages for the exchange `{exchange}`");
                    self.decide(number, Outcome::NotSent(why));
                }
            }
        }
    }

    /// Forgets a call in which nobody is interested any more; gives who would have been told, if it had no outcome.
    pub(super) fn forget(&mut self, number: u64) -> Option<W> {
        self.remove(number).map(|call| call.waiter)
    }

    /// Everything that has an outcome by now, to be told of it.
    pub(super) fn take_decided(&mut self) -> Vec<(W, Outcome)> {
        mem::take(&mut self.decided)
    }

    /// Decides a call, or all calls of a coalesced message.
    fn decide(&mut self, number: u64, outcome: Outcome) {
        if is_message(number) {
            for call in self.batches.calls(number) {
                self.decide(call, outcome.clone());
            }
        } else if let Some(call) = self.remove(number) {
            self.decided.push((call.waiter, outcome.of_call(call.repeated)));
        }
    }

    fn remove(&mut self, number: u64) -> Option<Call<W>> {
        let call = self.open.remove(&number)?;
        if call.stage == Stage::Queued {
            self.queue.remove(number);
            self.queued_bytes -= call.bytes;
        }
        if let Some(place) = call.place {
            self.batches.leave(place);
        }
        Some(call)
    }
}
