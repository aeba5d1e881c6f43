//! A channel: its consumers, and what it was given and has not settled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::embedded::ids::QueueId;
use crate::embedded::queue::Entry;

#[derive(Debug, Default)]
pub(super) struct Channel {
    /// How many messages it has published, once it wants confirms.
    pub(super) confirms: Option<u64>,
    last_tag: u64,
    unacked: BTreeMap<u64, Unacked>,
    /// Deliveries that a test took back: the client's acknowledgements of them are ignored.
    taken_back: BTreeSet<u64>,
    /// What consumers that start from now on may hold; 0 is no limit.
    pub(super) prefetch: u16,
    /// What all its consumers together may hold; 0 is no limit.
    pub(super) total_prefetch: u16,
    pub(super) consumers: BTreeMap<Arc<str>, Consumer>,
    pub(super) replies: Option<ReplyConsumer>,
    /// The queue that it declared last, which an empty name stands for.
    pub(super) last_queue: Option<String>,
}

#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) queue: QueueId,
    pub(super) no_ack: bool,
    pub(super) prefetch: u16,
    pub(super) unacked: usize,
}

/// The consumer of `amq.rabbitmq.reply-to`, of which a channel has one at most.
#[derive(Debug)]
pub(super) struct ReplyConsumer {
    pub(super) tag: String,
    pub(super) address: String,
}

/// A delivery that is not settled.
#[derive(Debug)]
pub(super) struct Unacked {
    pub(super) queue: QueueId,
    /// The consumer that it went to; nothing after `basic.get`.
    pub(super) consumer: Option<Arc<str>>,
    pub(super) entry: Entry,
}

impl Channel {
    /// Whether the consumer may be given another message.
    pub(super) fn can_take(&self, tag: &str) -> bool {
        let Some(consumer) = self.consumers.get(tag) else { return false };
        let within = |limit: u16, held: usize| limit == 0 || held < usize::from(limit);
        consumer.no_ack
            || (within(consumer.prefetch, consumer.unacked) && within(self.total_prefetch, self.unacked.len()))
    }

    /// The tag of a reply that is delivered directly: RabbitMQ gives the next delivery the same.
    pub(super) fn reply_tag(&self) -> u64 {
        self.last_tag + 1
    }

    /// The tag of the next delivery.
    pub(super) fn next_tag(&mut self) -> u64 {
        self.last_tag += 1;
        self.last_tag
    }

    /// Remembers a delivery until it is settled.
    pub(super) fn hold(&mut self, tag: u64, unacked: Unacked) {
        if let Some(consumer) = unacked.consumer.as_ref().and_then(|consumer| self.consumers.get_mut(consumer)) {
            consumer.unacked += 1;
        }
        self.unacked.insert(tag, unacked);
    }

    /// Takes out the deliveries that a tag means; nothing if it means none.
    pub(super) fn settle(&mut self, tag: u64, multiple: bool) -> Option<Vec<Unacked>> {
        let tags: Vec<u64> = match (tag, multiple) {
            (0, true) => self.unacked.keys().copied().collect(),
            (tag, _) if !self.unacked.contains_key(&tag) => {
                return self.taken_back.remove(&tag).then(Vec::new);
            }
            (tag, true) => self.unacked.range(..=tag).map(|(tag, _)| *tag).collect(),
            (tag, false) => vec![tag],
        };
        Some(tags.into_iter().filter_map(|tag| self.take(tag)).collect())
    }

    fn take(&mut self, tag: u64) -> Option<Unacked> {
        let unacked = self.unacked.remove(&tag)?;
        if let Some(consumer) = unacked.consumer.as_ref().and_then(|consumer| self.consumers.get_mut(consumer)) {
            consumer.unacked -= 1;
        }
        Some(unacked)
    }

    /// Takes out everything that is not settled, in the order of its delivery.
    pub(super) fn settle_all(&mut self) -> Vec<Unacked> {
        self.settle(0, true).unwrap_or_default()
    }

    /// Takes out the deliveries of one queue without the client's doing.
    pub(super) fn take_back(&mut self, queue: QueueId) -> Vec<Unacked> {
        let of_queue = self.unacked.iter().filter(|(_, unacked)| unacked.queue == queue);
        let tags: Vec<u64> = of_queue.map(|(tag, _)| *tag).collect();
        self.taken_back.extend(&tags);
        tags.into_iter().filter_map(|tag| self.take(tag)).collect()
    }
}
