//! Consuming: who wants messages, and who is given the next one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::basic::{
    AMQPMethod as Basic, Cancel, CancelOk, Consume, ConsumeOk, Get, GetEmpty, Qos, QosOk,
};

use super::channel::{Consumer, Unacked};
use super::connections::Connection;
use super::queues::count;
use super::replies::REPLIES;
use super::{BrokerState, generated_name};
use crate::embedded::ids::{ChannelId, QueueId};
use crate::embedded::message::Message;
use crate::embedded::queue::{Entry, Subscriber};
use crate::embedded::refusal::{Code, Refusal};
use crate::embedded::wire::{Carrier, write_message};

impl BrokerState {
    pub(super) fn set_prefetch(&mut self, channel_id: ChannelId, qos: &Qos) -> Result<(), Refusal> {
        if qos.prefetch_size != 0 {
            return Err(Refusal::not_implemented(format!("prefetch_size!=0 ({})", qos.prefetch_size)));
        }
        let channel = self.channel(channel_id);
        if qos.global {
            channel.total_prefetch = qos.prefetch_count;
            self.deliver_to_channel(channel_id);
        } else {
            channel.prefetch = qos.prefetch_count;
        }
        self.send(channel_id, &AMQPClass::Basic(Basic::QosOk(QosOk {})));
        Ok(())
    }

    pub(super) fn consume(&mut self, channel_id: ChannelId, consume: &Consume) -> Result<(), Refusal> {
        // RabbitMQ ignores unknown arguments.
        if let Some(argument) = consume.arguments.keys().find(|argument| argument.starts_with("x-")) {
            let text = format!("argument '{argument}' of a consumer is not supported by the embedded broker");
            return Err(Refusal::not_implemented(text));
        }
        if consume.queue == REPLIES {
            return self.consume_replies(channel_id, consume);
        }
        let tag = self.new_tag(channel_id, &consume.consumer_tag)?;
        let id = self.accessible_queue(channel_id, &consume.queue)?;
        let has_total_prefetch = self.channel(channel_id).total_prefetch > 0;
        let queue = self.queues.get_mut(&id).expect("it is accessible");
        // Quorum queues make nothing of it.
        let exclusive = consume.exclusive && !queue.arguments.quorum;
        let is_shared = queue.arguments.single_active_consumer || !queue.subscribers.is_empty();
        if queue.exclusively_consumed || (exclusive && is_shared) {
            let text = format!("queue '{}' in vhost '/' in exclusive use", queue.name);
            return Err(Refusal::new(Code::AccessRefused, text));
        }
        if queue.arguments.quorum && has_total_prefetch {
            let text = format!("queue '{}' in vhost '/' does not support global qos", queue.name);
            return Err(Refusal::not_implemented(text));
        }
        queue.exclusively_consumed = exclusive;
        let tag: Arc<str> = tag.into();
        queue.subscribers.push_back(Subscriber { channel_id, tag: Arc::clone(&tag) });
        let channel = self.channel(channel_id);
        let consumer = Consumer { queue: id, no_ack: consume.no_ack, prefetch: channel.prefetch, unacked: 0 };
        channel.consumers.insert(Arc::clone(&tag), consumer);
        if !consume.nowait {
            self.send(
                channel_id,
                &AMQPClass::Basic(Basic::ConsumeOk(ConsumeOk { consumer_tag: tag.as_ref().to_owned() })),
            );
        }
        self.deliver(id);
        self.watch(id);
        Ok(())
    }

    /// The tag that a consumer is to have.
    pub(super) fn new_tag(&mut self, channel_id: ChannelId, wanted: &str) -> Result<String, Refusal> {
        let channel = self.channel(channel_id);
        if wanted.is_empty() {
            return Ok(generated_name("amq.ctag"));
        }
        let for_replies = channel.replies.as_ref().is_some_and(|replies| replies.tag == wanted);
        if for_replies || channel.consumers.contains_key(wanted) {
            return Err(Refusal::new(Code::NotAllowed, format!("attempt to reuse consumer tag '{wanted}'")));
        }
        Ok(wanted.to_owned())
    }

    /// Cancels a consumer at the client's wish; what it holds, it keeps.
    pub(super) fn cancel(&mut self, channel_id: ChannelId, cancel: Cancel) {
        self.cancel_replies(channel_id, &cancel.consumer_tag);
        let consumer = self.channel(channel_id).consumers.remove_entry(cancel.consumer_tag.as_str());
        if !cancel.nowait {
            self.send(channel_id, &AMQPClass::Basic(Basic::CancelOk(CancelOk { consumer_tag: cancel.consumer_tag })));
        }
        if let Some((tag, consumer)) = consumer {
            self.unsubscribe(consumer.queue, &Subscriber { channel_id, tag });
            // Another one may be the active one now.
            self.deliver(consumer.queue);
        }
    }

    /// Takes a consumer off its queue, and the queue away if it was there only for its consumers.
    pub(super) fn unsubscribe(&mut self, id: QueueId, subscriber: &Subscriber) {
        let Some(queue) = self.queues.get_mut(&id) else { return };
        queue.unsubscribe(subscriber, Instant::now());
        if queue.auto_delete && queue.subscribers.is_empty() {
            self.remove_queue(id);
        } else {
            self.watch(id);
        }
    }

    /// Cancels a consumer whose queue is gone, or as good as, with a `basic.cancel` to its client.
    pub(super) fn end_consumer(&mut self, subscriber: &Subscriber) {
        let Subscriber { channel_id, tag } = subscriber;
        if let Some(channel) = self.channel_if_open(*channel_id) {
            channel.consumers.remove(tag);
        }
        let client = self.connections.get(&channel_id.connection).and_then(|connection| connection.client.as_ref());
        if client.is_some_and(|client| client.supports_cancel) {
            let cancel = Cancel { consumer_tag: tag.as_ref().to_owned(), nowait: true };
            self.send(*channel_id, &AMQPClass::Basic(Basic::Cancel(cancel)));
        }
    }

    pub(super) fn get(&mut self, channel_id: ChannelId, get: &Get) -> Result<(), Refusal> {
        let id = self.accessible_queue(channel_id, &get.queue)?;
        self.drop_expired(id);
        let queue = self.queues.get_mut(&id).expect("it is accessible");
        if queue.arguments.quorum && queue.arguments.single_active_consumer {
            return Err(no_get(&queue.name));
        }
        queue.last_used = Instant::now();
        let counts = queue.arguments.quorum;
        let Some(entry) = queue.pop() else {
            self.watch(id);
            let empty = Basic::GetEmpty(GetEmpty { cluster_id: String::new() });
            self.send(channel_id, &AMQPClass::Basic(empty));
            return Ok(());
        };
        queue.unacked += usize::from(!get.no_ack);
        self.drop_expired(id);
        let message_count = self.queues.get(&id).map_or(0, |queue| count(queue.ready()));
        let channel = self.channel(channel_id);
        let delivery_tag = channel.next_tag();
        let message = if counts { entry.message.with_delivery_count(entry.returns) } else { as_delivered(&entry) };
        let got = Carrier::GetOk { delivery_tag, redelivered: entry.redelivered, message_count };
        if !get.no_ack {
            channel.hold(delivery_tag, Unacked { queue: id, consumer: None, entry });
        }
        self.carry(channel_id, &got, &message);
        self.watch(id);
        Ok(())
    }

    /// Gives the messages of a queue to its consumers, as far as they can take them; what has expired is lost.
    pub(super) fn deliver(&mut self, id: QueueId) {
        self.drop_expired(id);
        while self.hand_out(id) {
            self.drop_expired(id);
        }
    }

    /// Gives the first message of a queue to the next consumer that can take it; false if there is none of either.
    pub(super) fn hand_out(&mut self, id: QueueId) -> bool {
        let BrokerState { queues, connections, .. } = self;
        let Some(queue) = queues.get_mut(&id).filter(|queue| queue.ready() > 0) else { return false };
        let Some(subscriber) = queue.next_subscriber(|subscriber| can_take(connections, subscriber)) else {
            return false;
        };
        let entry = queue.pop().expect("there is one");
        self.give(id, subscriber, entry);
        true
    }

    /// Whether there is nothing in a queue, and a consumer that could take something.
    pub(super) fn is_waited_for(&self, id: QueueId) -> bool {
        let Some(queue) = self.queues.get(&id).filter(|queue| queue.ready() == 0) else { return false };
        queue.served().any(|subscriber| can_take(&self.connections, subscriber))
    }

    fn give(&mut self, id: QueueId, subscriber: Subscriber, entry: Entry) {
        let Subscriber { channel_id, tag } = subscriber;
        let channel = self.channel(channel_id);
        let delivery_tag = channel.next_tag();
        let no_ack = channel.consumers.get(&tag).is_some_and(|consumer| consumer.no_ack);
        let message = as_delivered(&entry);
        let redelivered = entry.redelivered;
        if !no_ack {
            channel.hold(delivery_tag, Unacked { queue: id, consumer: Some(Arc::clone(&tag)), entry });
            if let Some(queue) = self.queues.get_mut(&id) {
                queue.unacked += 1;
            }
        }
        self.carry(channel_id, &Carrier::Deliver { consumer_tag: &tag, delivery_tag, redelivered }, &message);
    }

    /// Has a message carried to the client with this id.
    pub(super) fn carry(&self, channel_id: ChannelId, carrier: &Carrier<'_>, message: &Message) {
        let Some(connection) = self.connections.get(&channel_id.connection) else { return };
        let frame_max = connection.frame_max();
        connection.send_buffer.put(|out| write_message(out, channel_id.channel, frame_max, carrier, message));
    }

    /// Gives a channel's consumers what they can take now.
    pub(super) fn deliver_to_channel(&mut self, channel_id: ChannelId) {
        let Some(channel) = self.channel_if_open(channel_id) else { return };
        let mut queues: Vec<QueueId> = channel.consumers.values().map(|consumer| consumer.queue).collect();
        queues.dedup();
        for queue in queues {
            self.deliver(queue);
        }
    }

    /// Gives a client's consumers what they can take, now that it has read.
    pub(in crate::embedded) fn resume(&mut self, connection: u64) {
        let channels =
            self.connections.get(&connection).map(|connection| connection.channels.keys().copied().collect());
        let channels: Vec<u16> = channels.unwrap_or_default();
        for channel in channels {
            self.deliver_to_channel(ChannelId { connection, channel });
        }
        self.update_alarm();
    }
}

fn can_take(connections: &BTreeMap<u64, Connection>, subscriber: &Subscriber) -> bool {
    connections.get(&subscriber.channel_id.connection).is_some_and(|connection| {
        let channel = connection.channels.get(&subscriber.channel_id.channel);
        channel.is_some_and(|channel| channel.can_take(&subscriber.tag)) && connection.send_buffer.has_room()
    })
}

fn no_get(name: &str) -> Refusal {
    let text = format!(
        "cannot obtain access to locked queue '{name}' in vhost '/'. \
         basic.get operations are not supported by quorum queues with single active consumer"
    );
    Refusal::new(Code::ResourceLocked, text)
}

/// The message as its consumer sees it: one that came back to a quorum queue counts its returns.
fn as_delivered(entry: &Entry) -> Arc<Message> {
    if entry.returns == 0 {
        return Arc::clone(&entry.message);
    }
    entry.message.with_delivery_count(entry.returns)
}
