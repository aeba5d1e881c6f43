//! What a test asks of the broker, or does to it.

use std::collections::BTreeSet;

use super::BrokerState;
use crate::embedded::ids::ChannelId;
use crate::embedded::queue::Queue;
use crate::embedded::refusal::{Code, Refusal};
use crate::embedded::send_buffer::SendBuffer;
use crate::embedded::{self, Keep};

impl BrokerState {
    pub(in crate::embedded) fn queue(&self, name: &str) -> Option<embedded::Queue> {
        let queue = self.queues.get(self.queue_ids.get(name)?)?;
        Some(embedded::Queue {
            messages: queue.ready() + queue.unacked,
            consumers: queue.subscribers.len(),
            unacked: queue.unacked,
        })
    }

    pub(in crate::embedded) fn delete(&mut self, queue: &str) -> bool {
        let id = self.queue_ids.get(queue).copied();
        let Some(id) = id else { return false };
        self.remove_queue(id);
        self.update_alarm();
        true
    }

    /// The id, the send buffer and the name of each client whose connection is open.
    pub(in crate::embedded) fn clients(&self) -> Vec<(u64, SendBuffer, String)> {
        let open = self.connections.iter().filter_map(|(id, connection)| {
            let client = connection.client.as_ref()?;
            Some((*id, connection.send_buffer.clone(), client.information.clone()))
        });
        open.collect()
    }

    /// Closes a connection as an operator would; false if it is gone.
    pub(in crate::embedded) fn force_close(&mut self, connection: u64, reason: &str) -> bool {
        let there = self.connections.contains_key(&connection);
        self.refuse_connection(connection, Refusal::new(Code::ConnectionForced, reason), (0, 0));
        there
    }

    pub(in crate::embedded) fn force_alarm(&mut self, on: bool) {
        self.alarm.forced = on;
        self.update_alarm();
    }

    pub(in crate::embedded) fn cancel_consumers(&mut self, queue: &str) -> usize {
        let Some(queue) = self.queue_ids.get(queue).and_then(|id| self.queues.get_mut(id)) else { return 0 };
        let subscribers: Vec<_> = queue.subscribers.drain(..).collect();
        queue.exclusively_consumed = false;
        for subscriber in &subscribers {
            self.end_consumer(subscriber);
        }
        subscribers.len()
    }

    pub(in crate::embedded) fn close_channels(&mut self, queue: &str, reason: &str) -> usize {
        let Some(queue) = self.queue_ids.get(queue).and_then(|id| self.queues.get(id)) else { return 0 };
        let channel_ids: BTreeSet<ChannelId> =
            queue.subscribers.iter().map(|subscriber| subscriber.channel_id).collect();
        for channel_id in &channel_ids {
            self.force_close_channel(*channel_id, Refusal::precondition(reason));
        }
        channel_ids.len()
    }

    pub(in crate::embedded) fn redeliver(&mut self, queue: &str) -> usize {
        let Some(&id) = self.queue_ids.get(queue) else { return 0 };
        let mut taken = Vec::new();
        for channel in self.connections.values_mut().flat_map(|connection| connection.channels.values_mut()) {
            taken.extend(channel.take_back(id));
        }
        let count = taken.len();
        self.requeue(taken);
        count
    }

    pub(in crate::embedded) fn hold_replies(&mut self) {
        self.held.get_or_insert_default();
    }

    pub(in crate::embedded) fn held_replies(&self) -> usize {
        self.held.as_ref().map_or(0, Vec::len)
    }

    pub(in crate::embedded) fn discard_held(&mut self) {
        if let Some(held) = &mut self.held {
            held.clear();
        }
    }

    pub(in crate::embedded) fn release_held(&mut self) {
        let held = self.held.as_mut().map(std::mem::take).unwrap_or_default();
        self.release(held);
    }

    pub(in crate::embedded) fn pass_replies(&mut self) {
        let held = self.held.take().unwrap_or_default();
        self.release(held);
    }

    pub(in crate::embedded) fn set_frozen(&mut self, frozen: bool) {
        self.frozen = frozen;
        self.sessions.values().for_each(|send_buffer| send_buffer.set_frozen(frozen));
    }

    /// Loses every connection, without a word.
    pub(in crate::embedded) fn cut_all(&mut self) {
        self.sessions.values().for_each(SendBuffer::cut);
        let all: Vec<u64> = self.connections.keys().copied().collect();
        for id in all {
            self.disconnect(id);
        }
    }

    /// Loses what does not survive a restart.
    pub(in crate::embedded) fn forget_all_but(&mut self, keep: Keep) {
        let survives = |queue: &Queue| keep == Keep::Durable && queue.durable;
        let lost: Vec<_> = self.queues.iter().filter(|(_, queue)| !survives(queue)).map(|(id, _)| *id).collect();
        for id in lost {
            self.remove_queue(id);
        }
        self.queues.values_mut().for_each(Queue::keep_persistent);
        self.exchanges.retain(|name, exchange| {
            super::exchanges::is_predeclared(name) || (keep == Keep::Durable && exchange.durable)
        });
        self.frozen = false;
        self.held = None;
        self.force_alarm(false);
    }
}
