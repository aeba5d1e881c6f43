//! Calls that travel together, and how many messages of theirs are unanswered. Pure data, no I/O, no clock.
//!
//! As long as fewer messages of a group are unanswered than its window has, a call goes at once, alone. Any other joins an
//! open message, which is closed when the window has room again, when it is full, or when it has waited long enough.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use super::routes::Flight;
use crate::broker::{Outbound, coalesced_routing_key};
use crate::config::Coalescing;
use crate::message::Name;

/// What sets the number of a coalesced message off from that of its first call, which it has otherwise.
const COALESCED: u64 = 1 << 63;
/// Groups that are known at a time; the calls of others travel alone.
const MOST: usize = 4096;
/// How long calls of a group travel alone after no server has understood a message of several.
const PAUSE: Duration = Duration::from_secs(10);

/// Whether this is the number of a coalesced message, and not of a call.
pub(super) fn is_message(number: u64) -> bool {
    number & COALESCED != 0
}

/// By what numbers are ordered: a message has the turn of its first call.
pub(super) fn turn(number: u64) -> u64 {
    number & !COALESCED
}

/// The messages of one link.
#[derive(Debug, Default)]
pub(super) struct Batches {
    ids: HashMap<GroupKey, GroupId, RandomState>,
    groups: Vec<Group>,
    /// The group that was asked for last: most calls are of the same as the one before.
    last: Option<GroupId>,
    messages: HashMap<u64, Message, RandomState>,
    /// Messages that calls may join, and when each is closed at the latest.
    open: BTreeSet<(Instant, u64)>,
    /// Messages that were closed and are to be published.
    closed: Vec<u64>,
}

/// Calls that may share a message: those of one queue, with the same properties and settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GroupId(usize);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct GroupKey {
    exchange: Name,
    routing_key: Name,
    priority: Option<u8>,
    app_id: Option<Name>,
    coalescing: Coalescing,
}

impl GroupKey {
    fn is_of(&self, request: &Outbound, coalescing: Coalescing) -> bool {
        self.routing_key == request.routing_key
            && self.exchange == request.exchange
            && self.priority == request.priority
            && self.app_id == request.app_id
            && self.coalescing == coalescing
    }
}

#[derive(Debug)]
struct Group {
    key: GroupKey,
    /// Of its coalesced messages.
    routing_key: Name,
    /// Messages in flight, each of which has a call that has no outcome.
    unanswered: usize,
    open: Option<u64>,
    /// No server understands a message of several calls, so that there are none until then.
    paused_until: Option<Instant>,
}

/// Several calls that travel together.
#[derive(Debug)]
pub(super) struct Message {
    group: GroupId,
    /// All that have joined it; some may have an outcome by now.
    calls: Vec<u64>,
    /// How many have none.
    left: usize,
    bytes: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Others may join it, until then.
    Open(Instant),
    Closed,
    InFlight(Flight),
}

/// How a call travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In flight by itself, and counted.
    Alone(GroupId),
    /// In the coalesced message of this number.
    Within(u64),
}

/// Where a message goes, and how many bytes its body has at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) exchange: Name,
    pub(super) routing_key: Name,
    pub(super) bytes: usize,
}

impl Batches {
    /// Those that a call may travel with; `None` if there are none.
    pub(super) fn group(&mut self, request: &Outbound, coalescing: Coalescing) -> Option<GroupId> {
        if let Some(GroupId(at)) = self.last
            && self.groups[at].key.is_of(request, coalescing)
        {
            return self.last;
        }
        self.last = self.find_or_make_group(request, coalescing);
        self.last
    }

    fn find_or_make_group(&mut self, request: &Outbound, coalescing: Coalescing) -> Option<GroupId> {
        let Outbound { exchange, routing_key, priority, app_id, .. } = request;
        let key = GroupKey {
            exchange: exchange.clone(),
            routing_key: routing_key.clone(),
            priority: *priority,
            app_id: app_id.clone(),
            coalescing,
        };
        if let Some(id) = self.ids.get(&key) {
            return Some(*id);
        }
        if self.groups.len() == MOST {
            return None;
        }
        let routing_key = coalesced_routing_key(routing_key)?;
        let id = GroupId(self.groups.len());
        self.groups.push(Group { key: key.clone(), routing_key, unanswered: 0, open: None, paused_until: None });
        self.ids.insert(key, id);
        Some(id)
    }

    /// Whether a call of this size and with this deadline is to wait for others.
    pub(super) fn is_awaited(&self, GroupId(at): GroupId, bytes: usize, deadline: Instant, now: Instant) -> bool {
        let Group { key: GroupKey { coalescing, .. }, unanswered, paused_until, .. } = &self.groups[at];
        *unanswered >= coalescing.window
            && bytes <= coalescing.max_bytes
            && deadline - now > coalescing.linger
            && paused_until.is_none_or(|until| until <= now)
    }

    /// Has a call join the open message.
    pub(super) fn join(&mut self, group: GroupId, call: u64, bytes: usize, now: Instant) -> Place {
        let GroupId(at) = group;
        let Coalescing { max_calls, max_bytes, linger, .. } = self.groups[at].key.coalescing;
        let open = self.groups[at].open;
        if let Some(open) = open.filter(|open| self.messages[open].bytes + bytes > max_bytes) {
            self.close(open);
        }
        let number = self.groups[at].open.unwrap_or_else(|| {
            let (number, until) = (call | COALESCED, now + linger);
            let message = Message { group, calls: Vec::new(), left: 0, bytes: 0, state: State::Open(until) };
            self.messages.insert(number, message);
            self.open.insert((until, number));
            self.groups[at].open = Some(number);
            number
        });
        let message = self.messages.get_mut(&number).expect("an open message is there");
        message.calls.push(call);
        message.left += 1;
        message.bytes += bytes;
        if message.calls.len() >= max_calls {
            self.close(number);
        }
        Place::Within(number)
    }

    /// Nothing joins an open message any more.
    fn close(&mut self, number: u64) {
        let Some(message) = self.messages.get_mut(&number) else { return };
        if let State::Open(until) = message.state {
            message.state = State::Closed;
            self.groups[message.group.0].open = None;
            self.open.remove(&(until, number));
            self.closed.push(number);
        }
    }

    /// When [`next_closed`](Batches::next_closed) has something to give, if nothing happens before.
    pub(super) fn due(&self) -> Option<Instant> {
        self.open.first().map(|(until, _)| *until)
    }

    /// A message that is to be published, and was not told of before.
    pub(super) fn next_closed(&mut self, now: Instant) -> Option<u64> {
        while let Some((until, number)) = self.open.first().copied()
            && until <= now
        {
            self.close(number);
        }
        self.closed.pop()
    }

    /// Where a message is to go that is not in flight; `None` if it has no calls any more.
    pub(super) fn destination(&self, number: u64) -> Option<Destination> {
        let Message { group: GroupId(at), bytes, state: State::Closed, .. } = self.messages.get(&number)? else {
            return None;
        };
        let Group { key, routing_key, .. } = &self.groups[*at];
        Some(Destination { exchange: key.exchange.clone(), routing_key: routing_key.clone(), bytes: *bytes })
    }

    /// Whether the calls of this message had better travel alone: it is only one, or no server takes several.
    pub(super) fn is_pointless(&self, number: u64, now: Instant) -> bool {
        self.messages.get(&number).is_some_and(|message| {
            message.left == 1 || self.groups[message.group.0].paused_until.is_some_and(|until| until > now)
        })
    }

    /// The calls that have joined a message, some of which may have an outcome.
    pub(super) fn calls(&self, number: u64) -> Vec<u64> {
        self.messages.get(&number).map(|message| message.calls.clone()).unwrap_or_default()
    }

    /// How a message was published, if it was, and one of its calls has no outcome.
    pub(super) fn flight(&self, number: u64) -> Option<Flight> {
        match self.messages.get(&number)?.state {
            State::InFlight(flight) => Some(flight),
            State::Open(_) | State::Closed => None,
        }
    }

    /// A message is being published.
    pub(super) fn publish(&mut self, number: u64, flight: Flight) {
        let message = self.messages.get_mut(&number).expect("a message that is published is there");
        message.state = State::InFlight(flight);
        self.groups[message.group.0].unanswered += 1;
    }

    /// A call is being published by itself.
    pub(super) fn publish_alone(&mut self, group: GroupId) -> Place {
        self.groups[group.0].unanswered += 1;
        Place::Alone(group)
    }

    /// A call has an outcome, or is not in flight after all.
    pub(super) fn leave(&mut self, place: Place) {
        match place {
            Place::Alone(group) => self.answered(group),
            Place::Within(number) => {
                let message =
                    self.messages.get_mut(&number).expect("a message is there as long as one of its calls is");
                message.left -= 1;
                if message.left == 0 {
                    self.dissolve(number);
                }
            }
        }
    }

    /// Takes a message apart, of which there will be no more.
    pub(super) fn dissolve(&mut self, number: u64) -> Vec<u64> {
        self.close(number);
        let Some(Message { group, calls, state, .. }) = self.messages.remove(&number) else { return Vec::new() };
        if let State::InFlight(_) = state {
            self.answered(group);
        }
        calls
    }

    fn answered(&mut self, GroupId(at): GroupId) {
        let group = &mut self.groups[at];
        group.unanswered -= 1;
        if group.unanswered < group.key.coalescing.window
            && let Some(open) = group.open
        {
            self.close(open);
        }
    }

    /// No server has understood this message: the calls of its group travel alone for a while.
    pub(super) fn pause(&mut self, number: u64, now: Instant) {
        let Some(message) = self.messages.get(&number) else { return };
        let group = &mut self.groups[message.group.0];
        group.paused_until = Some(now + PAUSE);
        if let Some(open) = group.open {
            self.close(open);
        }
    }

    /// Forgets everything; gives the calls of messages that were not published.
    pub(super) fn clear(&mut self) -> Vec<u64> {
        let Batches { messages, .. } = std::mem::take(self);
        let is_waiting = |message: &Message| !matches!(message.state, State::InFlight(_));
        messages.into_values().filter(is_waiting).flat_map(|message| message.calls).collect()
    }

    /// Whether a message is open, or was closed and is not told of yet.
    #[cfg(test)]
    pub(super) fn will_be_closed(&self, number: u64) -> bool {
        let message = self.messages.get(&number);
        message.is_some_and(|message| matches!(message.state, State::Open(_))) || self.closed.contains(&number)
    }

    /// The messages in flight of all groups.
    #[cfg(test)]
    pub(super) fn unanswered(&self) -> usize {
        self.groups.iter().map(|group| group.unanswered).sum()
    }
}
