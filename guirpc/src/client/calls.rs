//! The calls and sends of a client, from being made to having an outcome. Pure data, no I/O, no clock.
//!
//! Each is queued, then in flight, then decided. It is published when the link is up and the window has room;
//! when its link is lost while it is in flight it fails, unless its function is idempotent: then it is queued again,
//! under the same number.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use super::confirms::{Confirmed, Confirms, Message};
use super::outcome::Outcome;
use super::queue::Queue;
use super::routes::{Access, RouteId, Routes, Turn};
use super::window::{Mark, Via, Window};
use crate::broker::{Checked, Outbound, Presence, PublishCheck};
use crate::message::Name;

mod deadlines;
mod link;
#[cfg(test)]
mod model;
#[cfg(test)]
pub(super) mod tests;

pub(super) use link::Stuck;

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
    decided: Vec<(W, Outcome)>,
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
}

#[derive(Debug)]
struct Call<W> {
    waiter: W,
    stage: Stage,
    /// What is to be published, now or again; none, if it is in flight and may not be published twice.
    request: Option<Arc<Outbound>>,
    wants_reply: bool,
    bytes: u64,
    deadline: Instant,
    idempotent: bool,
    expires: Option<Duration>,
    /// Whether it was in flight on a link before, so that its function may have run whatever becomes of it now.
    repeated: bool,
    closures: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Queued,
    InFlight { via: Via, mark: Mark, route: Option<RouteId> },
}

/// Whether anything can be published.
#[derive(Debug)]
enum LinkState {
    Up,
    /// The broker takes no messages, for this reason.
    Blocked(String),
    Down(String),
}

/// A request that is to be published now.
#[derive(Debug)]
pub(super) struct Publication {
    pub(super) number: u64,
    pub(super) request: Arc<Outbound>,
    pub(super) expires: Option<Duration>,
    pub(super) via: Via,
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
            decided: Vec::new(),
        }
    }

    /// Takes a call in: it is queued, or decided at once.
    ///
    /// # Errors
    /// So many bytes wait for the broker already that this call may not join them.
    pub(super) fn enter(&mut self, number: u64, call: NewCall<W>, most_queued: u64) -> Result<(), QueueFull> {
        let NewCall { waiter, request, deadline, idempotent, expires } = call;
        if let LinkState::Blocked(reason) = &self.link {
            self.decided.push((waiter, Outcome::Blocked(reason.clone())));
            return Ok(());
        }
        let bytes = request.bytes();
        if self.queued_bytes > 0 && self.queued_bytes + bytes > most_queued {
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
        };
        self.open.insert(number, call);
        self.enqueue(number);
        Ok(())
    }

    /// Has a queued call wait for its turn, or for the broker to say whether it takes it.
    fn enqueue(&mut self, number: u64) {
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

    /// The next request to publish, if there is one and the window has room for it; it is in flight from now on.
    pub(super) fn next_publication(&mut self, now: Instant) -> Option<Publication> {
        self.release(now);
        loop {
            let LinkState::Up = self.link else { return None };
            let number = self.queue.first()?;
            let call = self.open.get_mut(&number).expect("what is queued is there");
            if call.deadline <= now {
                self.expire(number);
                continue;
            }
            let request = call.request.as_ref().expect("what is queued can be published");
            let size = request.size(self.routes.limits());
            let route = self.routes.id(&request.exchange, &request.routing_key);
            let is_call = call.wants_reply;
            // What comes after one that is held is held, too.
            let is_behind = route.is_some_and(|route| self.held.contains_key(&route));
            let via = match self.routes.turn(route, is_call, now, &self.window) {
                Turn::Now(via) if !is_behind => via,
                _ => {
                    self.queue.pop_first();
                    self.held.entry(route.expect("only what is known is held")).or_default().push_back(number);
                    continue;
                }
            };
            if !self.window.has_room(via, size) {
                return None;
            }
            let mark = self.window.publish(via, size);
            self.routes.publish(route, via, mark, is_call, now);
            if via == Via::Confirming
                && let Some(other) = self.confirms.publish(Some(Message { number, route, is_call }), mark, now)
            {
                self.routes.confirmed(other.route, other.is_call, false, now);
            }
            call.stage = Stage::InFlight { via, mark, route };
            let expires = if call.wants_reply { Some(call.deadline - now) } else { call.expires };
            let request = if call.idempotent { Arc::clone(request) } else { call.request.take()? };
            self.queued_bytes -= call.bytes;
            self.queue.pop_first();
            return Some(Publication { number, request, expires, via });
        }
    }

    /// Has those wait for their turn that were held, as soon as they overtake nothing.
    fn release(&mut self, now: Instant) {
        if self.held.is_empty() {
            return;
        }
        let Calls { open, routes, window, .. } = self;
        let released = self.held.extract_if(|route, held| {
            let is_queued = |number: &u64| open.get(number).is_some_and(|call| call.stage == Stage::Queued);
            // There may be thousands, so only as many are looked at as are outdated.
            while held.pop_front_if(|first| !is_queued(first)).is_some() {}
            let first = held.front().and_then(|first| open.get(first));
            first.is_none_or(|first| routes.turn(Some(*route), first.wants_reply, now, window) != Turn::Later)
        });
        let is_queued = |number: &u64| open.get(number).is_some_and(|call| call.stage == Stage::Queued);
        self.queue.extend(released.flat_map(|(_, held)| held).filter(is_queued));
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

    /// A request could not be handed over, so it was not sent: it is queued again.
    pub(super) fn unpublished(&mut self, publication: Publication) {
        if let Some(call) = self.open.get_mut(&publication.number) {
            call.request = Some(publication.request);
            call.stage = Stage::Queued;
            self.queued_bytes += call.bytes;
            self.enqueue(publication.number);
        }
    }

    /// A reply has come, on the link of this generation; `None` if nobody waits for it any more.
    pub(super) fn replied(&mut self, generation: u64, number: u64) -> Option<Replied<W>> {
        let call = self.remove(number)?;
        if let Stage::InFlight { via, mark, .. } = call.stage
            && generation == self.generation
        {
            self.window.read(via, mark);
        }
        Some(Replied { waiter: call.waiter, repeated: call.repeated })
    }

    /// A request has come back, since no queue takes it.
    pub(super) fn returned(&mut self, number: u64) {
        let Some(Stage::InFlight { via, mark, .. }) = self.open.get(&number).map(|call| call.stage) else { return };
        self.window.read(via, mark);
        match via {
            Via::Plain => self.decide(number, Outcome::Unroutable),
            // Its confirm follows, as if all were well.
            Via::Confirming => self.confirms.returned(number),
        }
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
            match what {
                Confirmed::Accepted if is_call => {}
                Confirmed::Accepted => self.decide(number, Outcome::Accepted),
                Confirmed::Returned => self.decide(number, Outcome::Unroutable),
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

    /// Forgets a call in which nobody is interested any more.
    pub(super) fn forget(&mut self, number: u64) {
        self.remove(number);
    }

    /// Everything that has an outcome by now, to be told of it.
    pub(super) fn take_decided(&mut self) -> Vec<(W, Outcome)> {
        mem::take(&mut self.decided)
    }

    fn decide(&mut self, number: u64, outcome: Outcome) {
        if let Some(call) = self.remove(number) {
            self.decided.push((call.waiter, outcome.of_call(call.repeated)));
        }
    }

    fn remove(&mut self, number: u64) -> Option<Call<W>> {
        let call = self.open.remove(&number)?;
        if call.stage == Stage::Queued {
            self.queue.remove(number);
            self.queued_bytes -= call.bytes;
        }
        Some(call)
    }
}
