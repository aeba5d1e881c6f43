//! What is known of the ways by which requests reach queues. Pure data, no I/O, no clock.
//!
//! The broker is asked for an exchange before anything is published to it, and for a body that is larger than any before,
//! since what it does not take costs the channel.
//!
//! Whether a queue is full shows only in confirms, which cost the broker a good part of its time: so calls are confirmed
//! by sample, and all those of a route whose queue has rejected something, until it takes something again.
//! What is confirmed, as every send is, goes by another channel, and the broker keeps the order of each channel only;
//! so a message waits where it could overtake an earlier one of its route.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use super::window::{Mark, Via, Window};
use crate::broker::{Checked, Limits, MessageSizes, Outbound, Presence};
use crate::message::Name;

/// How soon a full queue is noticed by calls that are made one at a time.
const SAMPLE_EVERY: Duration = Duration::from_millis(10);
/// How soon by many calls at once, which have to be held up for it.
const HOLD_EVERY: Duration = Duration::from_secs(1);
/// A queue that has not confirmed for so long may be stuck.
const SLOW: Duration = Duration::from_secs(1);
/// Routes that are known at a time; what is beyond is confirmed always.
const MOST: usize = 4096;

/// The routes of one connection.
#[derive(Debug, Default)]
pub(super) struct Routes {
    limits: Limits,
    sizes: MessageSizes,
    exchanges: HashMap<Name, ExchangeState, RandomState>,
    ids: HashMap<(Name, Name), RouteId, RandomState>,
    known: Vec<Route>,
}

/// An exchange and a routing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RouteId(usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ExchangeState {
    Asked,
    Present,
}

/// Whether a request may go to an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Open,
    /// The broker is being asked.
    Asked,
    /// The broker is to be asked.
    Ask,
    /// It cannot be published, for this reason.
    Refused(String),
}

/// How a message in flight was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) via: Via,
    pub(super) mark: Mark,
    pub(super) route: Option<RouteId>,
}

/// When a message may be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Now(Via),
    /// When the broker has read, or confirmed, what it could overtake.
    Later,
}

#[derive(Debug, Default)]
struct Route {
    /// When something was published last that is to be confirmed, or was confirmed.
    sampled: Option<Instant>,
    /// Up to where calls have been published without confirms.
    plain: Mark,
    /// Calls that are to be confirmed and are not yet.
    undecided_calls: u32,
    undecided_sends: u32,
    /// Since when something is undecided.
    undecided_since: Option<Instant>,
    /// Its queue has rejected something, and has taken nothing since.
    rejects: bool,
}

impl Route {
    fn is_suspect(&self, now: Instant) -> bool {
        self.rejects || self.undecided_since.is_some_and(|since| now.duration_since(since) >= SLOW)
    }

    fn undecided(&mut self, is_call: bool) -> &mut u32 {
        if is_call { &mut self.undecided_calls } else { &mut self.undecided_sends }
    }

    fn is_sampled_within(&self, time: Duration, now: Instant) -> bool {
        self.sampled.is_some_and(|sampled| now.duration_since(sampled) < time)
    }
}

impl Routes {
    /// Those of a connection with these limits, on which nothing is known yet.
    pub(super) fn on(limits: Limits) -> Self {
        Routes { limits, ..Routes::default() }
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// Whether a request may be published; its exchange counts as asked for from now on.
    pub(super) fn access(&mut self, request: &Outbound) -> Access {
        match request.check_fits(self.limits) {
            Ok(()) => self.access_of(&request.exchange, request.body.len()),
            Err(why) => Access::Refused(why),
        }
    }

    /// Whether a body of so many bytes may be published to this exchange, which counts as asked for from now on.
    pub(super) fn access_of(&mut self, exchange: &Name, bytes: usize) -> Access {
        let is_taken = self.sizes.takes(bytes);
        if is_taken == Some(false) {
            return Access::Refused(self.sizes.too_large("the request", bytes));
        }
        match self.exchanges.get(exchange) {
            Some(ExchangeState::Present) if is_taken.is_some() => Access::Open,
            Some(ExchangeState::Asked) => Access::Asked,
            _ => {
                self.exchanges.insert(exchange.clone(), ExchangeState::Asked);
                Access::Ask
            }
        }
    }

    /// The broker has said whether it takes messages for an exchange; if not, it will be asked again.
    pub(super) fn answered(&mut self, exchange: &Name, checked: &Checked) {
        self.sizes.learn(checked.sizes);
        if checked.presence == Presence::Present {
            self.exchanges.insert(exchange.clone(), ExchangeState::Present);
        } else {
            self.exchanges.remove(exchange);
        }
    }

    /// The route to a queue; none if too many are known.
    pub(super) fn id(&mut self, exchange: &Name, routing_key: &Name) -> Option<RouteId> {
        let key = (exchange.clone(), routing_key.clone());
        if let Some(id) = self.ids.get(&key) {
            return Some(*id);
        }
        if self.known.len() == MOST {
            return None;
        }
        let id = RouteId(self.known.len());
        self.known.push(Route::default());
        self.ids.insert(key, id);
        Some(id)
    }

    fn get(&mut self, id: Option<RouteId>) -> Option<&mut Route> {
        id.map(|RouteId(at)| &mut self.known[at])
    }

    /// When a call or a send may be published, and on which channel.
    pub(super) fn turn(&self, id: Option<RouteId>, is_call: bool, now: Instant, window: &Window) -> Turn {
        let Some(route) = id.map(|RouteId(at)| &self.known[at]) else { return Turn::Now(Via::Confirming) };
        let is_plain_read = window.has_read(Via::Plain, route.plain);
        if !is_call {
            return if is_plain_read { Turn::Now(Via::Confirming) } else { Turn::Later };
        }
        if route.is_suspect(now) || route.undecided_sends > 0 {
            return Turn::Now(Via::Confirming);
        }
        if route.undecided_calls > 0 {
            return Turn::Later;
        }
        if route.is_sampled_within(SAMPLE_EVERY, now) {
            return Turn::Now(Via::Plain);
        }
        match is_plain_read {
            true => Turn::Now(Via::Confirming),
            false if route.is_sampled_within(HOLD_EVERY, now) => Turn::Now(Via::Plain),
            false => Turn::Later,
        }
    }

    /// The channel for a message that may overtake others of its route, and be overtaken: it is confirmed by sample, too.
    pub(super) fn unordered(&self, id: Option<RouteId>, now: Instant) -> Via {
        let is_plain = |RouteId(at): RouteId| {
            let route = &self.known[at];
            !route.is_suspect(now) && route.is_sampled_within(SAMPLE_EVERY, now)
        };
        if id.is_some_and(is_plain) { Via::Plain } else { Via::Confirming }
    }

    /// Whether the queue at the end of this route may take nothing.
    pub(super) fn is_suspect(&self, id: Option<RouteId>, now: Instant) -> bool {
        id.is_some_and(|RouteId(at)| self.known[at].is_suspect(now))
    }

    /// A message is being published on this route.
    pub(super) fn publish(&mut self, id: Option<RouteId>, via: Via, mark: Mark, is_call: bool, now: Instant) {
        let Some(route) = self.get(id) else { return };
        match via {
            Via::Plain => route.plain = mark,
            Via::Confirming => {
                route.sampled = Some(now);
                *route.undecided(is_call) += 1;
                route.undecided_since.get_or_insert(now);
            }
        }
    }

    /// The queue has taken a message, or has rejected it.
    ///
    /// That is known from now on: were it known from when the message was published, each call would be a sample where a
    /// confirm takes longer than calls go without one, and the others would wait for it.
    pub(super) fn confirmed(&mut self, id: Option<RouteId>, is_call: bool, rejected: bool, now: Instant) {
        let Some(route) = self.get(id) else { return };
        *route.undecided(is_call) -= 1;
        route.sampled = Some(now);
        route.undecided_since = None;
        route.rejects = rejected;
    }

    /// A call was not answered in time: its queue may have taken nothing, so the next is confirmed.
    pub(super) fn timed_out(&mut self, id: Option<RouteId>) {
        if let Some(route) = self.get(id) {
            route.sampled = None;
        }
    }
}

#[cfg(test)]
mod tests;
