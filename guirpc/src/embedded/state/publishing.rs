//! Publishing: routing a message to its queues, returning what is unroutable, and confirming.

use std::sync::Arc;
use std::time::{Duration, Instant};

use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::basic::{AMQPMethod as Basic, Ack, Nack};
use amq_protocol::protocol::confirm::{AMQPMethod as Confirm, Select, SelectOk};

use super::BrokerState;
use super::replies::is_reply_address;
use crate::embedded::content::Publication;
use crate::embedded::ids::{ChannelId, QueueId};
use crate::embedded::message::{Message, expiration};
use crate::embedded::properties::{Properties, Property};
use crate::embedded::refusal::{Code, Refusal};
use crate::embedded::wire::Carrier;

impl BrokerState {
    pub(super) fn select_confirms(&mut self, channel_id: ChannelId, select: &Select) {
        self.channel(channel_id).confirms.get_or_insert(0);
        if !select.nowait {
            self.send(channel_id, &AMQPClass::Confirm(Confirm::SelectOk(SelectOk {})));
        }
    }

    /// Takes a message from a client.
    pub(in crate::embedded) fn publish(
        &mut self,
        channel_id: ChannelId,
        publication: Publication,
    ) -> Result<(), Refusal> {
        let Publication { exchange, routing_key, mandatory, immediate, mut properties, body } = publication;
        if immediate {
            return Err(Refusal::not_implemented("immediate=true"));
        }
        if !exchange.is_empty() && self.exchange(&exchange)?.internal {
            let text = format!("cannot publish to internal exchange '{exchange}' in vhost '/'");
            return Err(Refusal::new(Code::AccessRefused, text));
        }
        self.check_user(channel_id, &properties)?;
        let expiration = expiration(&properties)?;
        check_delivery_mode(&properties)?;
        self.name_replies(channel_id, &mut properties)?;
        let number = self.channel(channel_id).confirms.as_mut().map(|published| {
            *published += 1;
            *published
        });
        let mut keys = vec![routing_key.clone()];
        keys.extend(further_keys(&properties, "CC")?);
        let blind = further_keys(&properties, "BCC")?;
        if !blind.is_empty() {
            hide_blind_copies(&mut properties);
        }
        keys.extend(blind);
        let message = Message::new(exchange, routing_key, properties, body, &self.memory);
        let queues = self.route(&message, &keys)?;
        if queues.is_empty() && mandatory {
            self.carry(channel_id, &Carrier::Return, &message);
        }
        let taken = self.enqueue_all(queues, &message, expiration);
        if let Some(delivery_tag) = number {
            let verdict = if taken {
                Basic::Ack(Ack { delivery_tag, multiple: false })
            } else {
                // As RabbitMQ does it: all before it are settled, and the other flag means nothing here.
                Basic::Nack(Nack { delivery_tag, multiple: true, requeue: true })
            };
            self.send(channel_id, &AMQPClass::Basic(verdict));
        }
        self.update_alarm();
        Ok(())
    }

    fn check_user(&self, channel_id: ChannelId, properties: &Properties) -> Result<(), Refusal> {
        let client = self.connections.get(&channel_id.connection).and_then(|connection| connection.client.as_ref());
        match (properties.text(Property::UserId), client) {
            (Some(claimed), Some(client)) if claimed != client.user => Err(Refusal::precondition(format!(
                "user_id property set to '{claimed}' but authenticated user was '{}'",
                client.user
            ))),
            _ => Ok(()),
        }
    }

    /// The queues that these keys lead a message to, each once; replies are delivered at once, past all queues.
    pub(super) fn route(&mut self, message: &Arc<Message>, keys: &[Vec<u8>]) -> Result<Vec<QueueId>, Refusal> {
        let mut queues = Vec::new();
        if message.exchange.is_empty() {
            // No queue has a name that is not UTF-8.
            for key in keys.iter().filter_map(|key| str::from_utf8(key).ok()) {
                if is_reply_address(key) {
                    self.deliver_reply(key, message)?;
                } else {
                    queues.extend(self.queue_ids.get(key));
                }
            }
        } else {
            queues.extend(self.exchange(&message.exchange)?.route(keys));
        }
        queues.sort_unstable();
        queues.dedup();
        Ok(queues)
    }

    /// Puts a message into each of these queues; false if one does not take it.
    pub(super) fn enqueue_all(
        &mut self,
        queues: Vec<QueueId>,
        message: &Arc<Message>,
        expiration: Option<Duration>,
    ) -> bool {
        let mut taken = true;
        for id in queues {
            if self.holds_back(id, message, expiration) {
                continue;
            }
            taken &= self.enqueue(id, message, expiration);
        }
        taken
    }

    pub(super) fn enqueue(&mut self, id: QueueId, message: &Arc<Message>, expiration: Option<Duration>) -> bool {
        self.drop_expired(id);
        let waited_for = self.is_waited_for(id);
        let Some(queue) = self.queues.get_mut(&id) else { return true };
        if queue.refuses(message.body.len()) {
            return false;
        }
        queue.push(Arc::clone(message), expiration, Instant::now());
        // What expires at once is for those who wait already.
        if waited_for {
            self.hand_out(id);
        }
        self.deliver(id);
        self.drop_overflow(id);
        if let Some(queue) = self.queues.get_mut(&id) {
            queue.note_overflow();
        }
        self.watch(id);
        true
    }
}

fn check_delivery_mode(properties: &Properties) -> Result<(), Refusal> {
    match properties.get(Property::DeliveryMode) {
        None | Some([1 | 2]) => Ok(()),
        Some(mode) => Err(Refusal::precondition(format!("invalid message: {{delivery_mode_unknown,{}}}", mode[0]))),
    }
}

fn further_keys(properties: &Properties, header: &str) -> Result<Vec<Vec<u8>>, Refusal> {
    properties.further_keys(header).map_err(|unfit| {
        let text = format!("invalid message: {{unacceptable_type_in_header,\"{header}\",{unfit}}}");
        Refusal::precondition(text)
    })
}

/// Consumers do not see the header `BCC`, as in mail.
fn hide_blind_copies(properties: &mut Properties) {
    let mut headers = properties.headers();
    headers.remove("BCC");
    properties.set_headers(&headers);
}
