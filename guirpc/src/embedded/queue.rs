//! Queues: messages in order, and the consumers that take turns.
//!
//! Connections are not in here: the caller decides which consumer may be given a message.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use amq_protocol::types::FieldTable;

use super::arguments::Arguments;
use super::ids::ChannelId;
use super::memory::Counted;
use super::message::Message;

/// What a place costs, with what a queue keeps in reserve.
const PLACE: usize = 2 * size_of::<Entry>();

/// A message in a queue, or on its way from it to a client.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) message: Arc<Message>,
    _place: Counted,
    /// Higher ones go first; 0 in a queue without priorities.
    priority: u8,
    /// Where it belongs among those of its priority, if it comes back.
    position: u64,
    pub(super) expires: Option<Instant>,
    pub(super) redelivered: bool,
    /// How often it has come back; only quorum queues count.
    pub(super) returns: usize,
}

impl Entry {
    /// Its order in the queue: the lowest is delivered first.
    fn rank(&self) -> (Reverse<u8>, u64) {
        (Reverse(self.priority), self.position)
    }
}

/// A consumer, as its queue refers to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subscriber {
    pub(super) channel_id: ChannelId,
    pub(super) tag: Arc<str>,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) durable: bool,
    /// The connection to which it is exclusive.
    pub(super) owner: Option<u64>,
    pub(super) auto_delete: bool,
    /// As declared, to compare another declaration with.
    pub(super) declared: FieldTable,
    pub(super) arguments: Arguments,
    ready: VecDeque<Entry>,
    ready_bytes: usize,
    pub(super) unacked: usize,
    /// In the order in which they are served; if only one is, in that of their registration.
    pub(super) subscribers: VecDeque<Subscriber>,
    /// Its only consumer wants to stay the only one.
    pub(super) exclusively_consumed: bool,
    /// It has had too much and takes no new messages, until it has clearly less.
    overfull: bool,
    next_position: u64,
    pub(super) last_used: Instant,
}

impl Queue {
    pub(super) fn new(name: String, declared: FieldTable, arguments: Arguments, now: Instant) -> Self {
        Queue {
            name,
            durable: false,
            owner: None,
            auto_delete: false,
            declared,
            arguments,
            ready: VecDeque::new(),
            ready_bytes: 0,
            unacked: 0,
            subscribers: VecDeque::new(),
            exclusively_consumed: false,
            overfull: false,
            next_position: 0,
            last_used: now,
        }
    }

    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Whether a new message of so many bytes is refused.
    pub(super) fn refuses(&mut self, bytes: usize) -> bool {
        if !self.arguments.reject_publish {
            return false;
        }
        if !self.arguments.quorum {
            return self.exceeds(self.ready.len() + 1, self.ready_bytes + bytes);
        }
        let is_low = |max: Option<usize>, now: usize| max.is_none_or(|max| now <= max / 5 * 4 + max % 5 * 4 / 5);
        if is_low(self.arguments.max_length, self.ready.len())
            && is_low(self.arguments.max_length_bytes, self.ready_bytes)
        {
            self.overfull = false;
        }
        self.overfull
    }

    /// Notes whether there is more than there may be: a quorum queue takes one message too many before it refuses.
    pub(super) fn note_overflow(&mut self) {
        self.overfull |= self.exceeds(self.ready.len(), self.ready_bytes);
    }

    fn exceeds(&self, length: usize, bytes: usize) -> bool {
        self.arguments.max_length.is_some_and(|max| length > max)
            || self.arguments.max_length_bytes.is_some_and(|max| bytes > max)
    }

    /// Puts a new message behind those of its priority.
    pub(super) fn push(&mut self, message: Arc<Message>, expiration: Option<Duration>, now: Instant) {
        let lifetime = [expiration, self.arguments.message_ttl].into_iter().flatten().min();
        // A moment beyond what the clock can hold never comes.
        let expires = lifetime.and_then(|lifetime| now.checked_add(lifetime));
        let position = self.next_position;
        self.next_position += 1;
        let priority = self.arguments.max_priority.map_or(0, |max| message.priority().min(max));
        let place = message.count_place(PLACE);
        self.put_back(Entry { message, _place: place, priority, position, expires, redelivered: false, returns: 0 });
    }

    /// Takes the first message.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        let entry = self.ready.pop_front()?;
        self.ready_bytes -= entry.message.body.len();
        Some(entry)
    }

    /// Takes the first message if it has expired.
    pub(super) fn pop_expired(&mut self, now: Instant) -> Option<Entry> {
        self.head_expires().filter(|expires| *expires <= now)?;
        self.pop()
    }

    /// Takes the first message if there is more than there may be.
    pub(super) fn pop_overflowing(&mut self) -> Option<Entry> {
        if self.exceeds(self.ready.len(), self.ready_bytes) { self.pop() } else { None }
    }

    /// Puts a message back where it was.
    pub(super) fn put_back(&mut self, entry: Entry) {
        self.ready_bytes += entry.message.body.len();
        let at = self.ready.partition_point(|other| other.rank() < entry.rank());
        self.ready.insert(at, entry);
    }

    pub(super) fn purge(&mut self) -> usize {
        self.ready_bytes = 0;
        self.ready.drain(..).count()
    }

    /// Loses what is not persistent.
    pub(super) fn keep_persistent(&mut self) {
        self.ready.retain(|entry| entry.message.is_persistent());
        self.ready_bytes = self.ready.iter().map(|entry| entry.message.body.len()).sum();
    }

    fn head_expires(&self) -> Option<Instant> {
        self.ready.front()?.expires
    }

    /// When it expires, if it is unused until then.
    fn unused_until(&self) -> Option<Instant> {
        if !self.subscribers.is_empty() {
            return None;
        }
        self.last_used.checked_add(self.arguments.expires?)
    }

    pub(super) fn is_unused(&self, now: Instant) -> bool {
        self.unused_until().is_some_and(|until| until <= now)
    }

    /// When a message in it, or the queue itself, expires next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        [self.head_expires(), self.unused_until()].into_iter().flatten().min()
    }

    /// Those of its consumers that are served.
    pub(super) fn served(&self) -> impl Iterator<Item = &Subscriber> {
        let served = if self.arguments.single_active_consumer { 1 } else { self.subscribers.len() };
        self.subscribers.iter().take(served)
    }

    /// How many consumers it has by its own account: a quorum queue does not count those that wait to be the active one.
    pub(super) fn consumers(&self) -> usize {
        if self.arguments.quorum { self.served().count() } else { self.subscribers.len() }
    }

    /// The next consumer in turn that can take a message.
    pub(super) fn next_subscriber(&mut self, can_take: impl Fn(&Subscriber) -> bool) -> Option<Subscriber> {
        let at = self.served().position(can_take)?;
        if self.arguments.single_active_consumer {
            return self.subscribers.get(at).cloned();
        }
        let subscriber = self.subscribers.remove(at)?;
        self.subscribers.push_back(subscriber.clone());
        Some(subscriber)
    }

    pub(super) fn unsubscribe(&mut self, subscriber: &Subscriber, now: Instant) {
        self.subscribers.retain(|other| other != subscriber);
        self.exclusively_consumed = false;
        self.last_used = now;
    }
}
