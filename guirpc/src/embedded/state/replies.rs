//! Direct reply-to: replies that reach the requester's channel without a queue.

use std::sync::Arc;
use std::time::Duration;

use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::basic::{AMQPMethod as Basic, Consume, ConsumeOk};
use amq_protocol::protocol::queue::{AMQPMethod as OfQueue, DeclareOk};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::BrokerState;
use super::channel::ReplyConsumer;
use crate::broker::ReplyTo;
use crate::embedded::ids::{ChannelId, QueueId};
use crate::embedded::message::Message;
use crate::embedded::properties::{Properties, Property};
use crate::embedded::refusal::{Code, Refusal};
use crate::embedded::wire::Carrier;

/// What a client consumes from, and names as where to reply.
pub(super) const REPLIES: &str = "amq.rabbitmq.reply-to";
/// RabbitMQ has a number for each node of its cluster; this is the only one.
const NODE: u64 = 91_405_672;

/// A message that a test holds back.
#[derive(Debug)]
pub(super) enum Held {
    Reply { address: String, message: Arc<Message> },
    Queued { queue: QueueId, message: Arc<Message>, expiration: Option<Duration> },
}

/// Whether the name stands for a channel that takes replies, not for a queue.
pub(super) fn is_reply_address(name: &str) -> bool {
    name.strip_prefix(REPLIES).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl BrokerState {
    pub(super) fn consume_replies(&mut self, channel_id: ChannelId, consume: &Consume) -> Result<(), Refusal> {
        if self.channel(channel_id).replies.is_some() {
            return Err(Refusal::precondition("reply consumer already set"));
        }
        if !consume.no_ack {
            return Err(Refusal::precondition("reply consumer cannot acknowledge"));
        }
        let tag = self.new_tag(channel_id, &consume.consumer_tag)?;
        let address = self.new_address();
        self.reply_addresses.insert(address.clone(), channel_id);
        if !consume.nowait {
            self.send(channel_id, &AMQPClass::Basic(Basic::ConsumeOk(ConsumeOk { consumer_tag: tag.clone() })));
        }
        self.channel(channel_id).replies = Some(ReplyConsumer { tag, address });
        Ok(())
    }

    /// An address as RabbitMQ makes them: the process of a channel in Erlang's external format, and a key.
    fn new_address(&mut self) -> String {
        let node = format!("reply@{NODE}");
        let length = u16::try_from(node.len()).expect("a number has few digits").to_be_bytes();
        let serial = [&[0; 4][..], &self.new_id().to_be_bytes()].concat();
        let process = [&[131, 88, 118][..], &length, node.as_bytes(), &serial].concat();
        let key = STANDARD.encode(uuid::Uuid::new_v4().as_bytes());
        format!("{REPLIES}.{}.{key}", STANDARD.encode(process))
    }

    pub(super) fn cancel_replies(&mut self, channel_id: ChannelId, tag: &str) {
        let channel = self.channel(channel_id);
        if let Some(replies) = channel.replies.take_if(|replies| replies.tag == tag) {
            self.reply_addresses.remove(&replies.address);
        }
    }

    /// Declaring a reply address passively succeeds while its channel is open.
    pub(super) fn declare_replies(&mut self, channel_id: ChannelId, name: String, nowait: bool) -> Result<(), Refusal> {
        if name != REPLIES && !self.reply_addresses.contains_key(&name) {
            return Err(Refusal::no_queue(&name));
        }
        if !nowait {
            let answer = DeclareOk { queue: name, message_count: 0, consumer_count: 1 };
            self.send(channel_id, &AMQPClass::Queue(OfQueue::DeclareOk(answer)));
        }
        Ok(())
    }

    /// Puts the channel's own address in the place of the name that stands for it.
    pub(super) fn name_replies(&mut self, channel_id: ChannelId, properties: &mut Properties) -> Result<(), Refusal> {
        if properties.get(Property::ReplyTo) != Some(REPLIES.as_bytes()) {
            return Ok(());
        }
        let Some(replies) = &self.channel(channel_id).replies else {
            return Err(Refusal::precondition("fast reply consumer does not exist"));
        };
        properties.set(Property::ReplyTo, Some(replies.address.as_bytes()));
        Ok(())
    }

    /// Delivers a reply; one whose channel is gone is lost.
    ///
    /// # Errors
    /// The address is malformed, or on a node that is not there, on which RabbitMQ's channel crashes.
    pub(super) fn deliver_reply(&mut self, address: &str, message: &Arc<Message>) -> Result<(), Refusal> {
        // Without a key it is not an address; with one, RabbitMQ takes the rest for a process.
        let has_key = address[REPLIES.len()..].split('.').filter(|part| !part.is_empty()).count() > 1;
        if has_key && !ReplyTo::parse(address).is_ok_and(|address| address.node() == Some(NODE)) {
            return Err(Refusal::new(Code::InternalError, ""));
        }
        // A reply without a recipient is lost, and so never held back.
        if let Some(held) = &mut self.held
            && self.reply_addresses.contains_key(address)
        {
            held.push(Held::Reply { address: address.to_owned(), message: Arc::clone(message) });
        } else {
            self.hand_over(address, message);
        }
        Ok(())
    }

    fn hand_over(&mut self, address: &str, message: &Message) {
        let Some(&channel_id) = self.reply_addresses.get(address) else { return };
        let channel = self.channel(channel_id);
        let delivery_tag = channel.reply_tag();
        let consumer_tag = channel.replies.as_ref().map(|replies| replies.tag.clone()).unwrap_or_default();
        self.carry(
            channel_id,
            &Carrier::Deliver { consumer_tag: &consumer_tag, delivery_tag, redelivered: false },
            message,
        );
    }

    /// Whether a message for an exclusive queue, where replies go as well, is held back.
    pub(super) fn holds_back(&mut self, queue: QueueId, message: &Arc<Message>, expiration: Option<Duration>) -> bool {
        let takes_replies = self.queues.get(&queue).is_some_and(|queue| queue.owner.is_some());
        let Some(held) = self.held.as_mut().filter(|_| takes_replies) else { return false };
        held.push(Held::Queued { queue, message: Arc::clone(message), expiration });
        true
    }

    /// Delivers what is held back.
    pub(super) fn release(&mut self, held: Vec<Held>) {
        for held in held {
            match held {
                Held::Reply { address, message } => self.hand_over(&address, &message),
                Held::Queued { queue, message, expiration } => {
                    self.enqueue(queue, &message, expiration);
                }
            }
        }
    }
}
