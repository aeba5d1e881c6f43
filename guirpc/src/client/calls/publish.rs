//! What is to be published next, and what becomes of it if it cannot be.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Calls, LinkState, Stage};
use crate::broker::{Coalescable, Outbound, Size};
use crate::client::batches::{GroupId, is_message};
use crate::client::confirms::Message;
use crate::client::correlation::CorrelationIds;
use crate::client::routes::{Flight, RouteId, Turn};
use crate::client::window::Via;

/// A message that is to be published now.
#[derive(Debug)]
pub(in crate::client) struct Publication {
    pub(in crate::client) number: u64,
    pub(in crate::client) content: Content,
    pub(in crate::client) via: Via,
}

/// What a message is made of.
#[derive(Debug)]
pub(in crate::client) enum Content {
    /// A call or a send.
    Single { request: Arc<Outbound>, expires: Option<Duration> },
    /// Calls that travel together.
    Coalesced(Vec<Part>),
}

/// One of several calls in a message.
#[derive(Debug)]
pub(in crate::client) struct Part {
    pub(in crate::client) number: u64,
    pub(in crate::client) request: Arc<Outbound>,
    /// Until its deadline.
    pub(in crate::client) remaining: Duration,
}

impl Part {
    /// With its correlation id.
    pub(in crate::client) fn coalescable(&self, ids: &CorrelationIds) -> Coalescable<'_> {
        Coalescable { correlation_id: ids.of(self.number), request: &self.request, remaining: self.remaining }
    }
}

/// What has its turn, and how large it is.
pub(super) struct Candidate {
    pub(super) route: Option<RouteId>,
    pub(super) size: Size,
    pub(super) is_call: bool,
    /// For which it counts, if it is a call that travels alone and others wait for.
    pub(super) group: Option<GroupId>,
}

impl<W> Calls<W> {
    /// The next message to publish, if there is one and the window has room for it; it is in flight from now on.
    pub(in crate::client) fn next_publication(&mut self, now: Instant) -> Option<Publication> {
        self.release(now);
        loop {
            let LinkState::Up = self.link else { return None };
            self.take_closed(now);
            let number = self.queue.first()?;
            let candidate =
                if is_message(number) { self.next_message(number, now) } else { self.next_call(number, now) };
            let Some(Candidate { route, size, is_call, group }) = candidate else { continue };
            // What comes after one that is held is held, too.
            let is_behind = route.is_some_and(|route| self.held.contains_key(&route));
            let via = match self.routes.turn(route, is_call, now, &self.window) {
                // A queue for calls that travel together keeps no order with that for others.
                _ if is_message(number) => self.routes.unordered(route, now),
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
            self.queue.pop_first();
            let flight = Flight { via, mark, route };
            let content = if is_message(number) {
                self.begin_message(number, flight, now)
            } else {
                self.begin(number, flight, group, now)
            };
            return Some(Publication { number, content, via });
        }
    }

    /// A call or a send that has its turn; `None` if it is not to be published now.
    fn next_call(&mut self, number: u64, now: Instant) -> Option<Candidate> {
        let call = self.open.get_mut(&number).expect("what is queued is there");
        if call.deadline <= now {
            self.expire(number);
            return None;
        }
        let request = call.request.as_ref().expect("what is queued can be published");
        let group = call.coalescing.and_then(|coalescing| self.batches.group(request, coalescing));
        if let Some(group) = group
            && let bytes = request.coalesced_bytes()
            && self.batches.is_awaited(group, bytes, call.deadline, now)
        {
            call.place = Some(self.batches.join(group, number, bytes, now));
            self.queue.pop_first();
            return None;
        }
        let route = self.routes.id(&request.exchange, &request.routing_key);
        Some(Candidate { route, size: request.size(self.routes.limits()), is_call: call.wants_reply, group })
    }

    /// It is being published by itself.
    fn begin(&mut self, number: u64, flight: Flight, group: Option<GroupId>, now: Instant) -> Content {
        let call = self.open.get_mut(&number).expect("it has its turn");
        call.stage = Stage::InFlight(flight);
        call.place = group.map(|group| self.batches.publish_alone(group));
        self.queued_bytes -= call.bytes;
        let expires = if call.wants_reply { Some(call.deadline - now) } else { call.expires };
        let request = if call.idempotent { call.request.clone() } else { call.request.take() };
        Content::Single { request: request.expect("what is queued can be published"), expires }
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

    /// A message could not be handed over, so it was not sent: it is queued again.
    pub(in crate::client) fn unpublished(&mut self, Publication { number, content, .. }: Publication) {
        match content {
            Content::Single { request, .. } => {
                let Some(call) = self.open.get_mut(&number) else { return };
                call.request = Some(request);
                self.requeue(number);
            }
            Content::Coalesced(parts) => {
                self.batches.dissolve(number);
                for Part { number, .. } in parts {
                    self.open.get_mut(&number).expect("it was published just now").place = None;
                    self.requeue(number);
                }
            }
        }
    }

    /// Has a call wait again that certainly was not run for having been published.
    pub(super) fn requeue(&mut self, number: u64) {
        let Some(call) = self.open.get_mut(&number) else { return };
        if let Some(place) = call.place.take() {
            self.batches.leave(place);
        }
        if call.stage != Stage::Queued {
            call.stage = Stage::Queued;
            self.queued_bytes += call.bytes;
        }
        self.enqueue(number);
    }
}
