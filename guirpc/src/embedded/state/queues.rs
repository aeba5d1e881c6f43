//! Queues: declared, bound, purged and deleted.

use std::time::Instant;

use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::queue::{
    AMQPMethod as Method, Bind, BindOk, Declare, DeclareOk, Delete, DeleteOk, Purge, PurgeOk, Unbind, UnbindOk,
};

use super::exchanges::{refuse_default, refuse_reserved};
use super::replies::is_reply_address;
use super::{BrokerState, generated_name};
use crate::embedded::arguments::{Arguments, require_equal, require_equivalent};
use crate::embedded::exchange::Binding;
use crate::embedded::ids::{ChannelId, QueueId};
use crate::embedded::queue::Queue;
use crate::embedded::refusal::{Code, Refusal};

impl BrokerState {
    pub(super) fn declare_queue(&mut self, channel_id: ChannelId, declare: Declare) -> Result<(), Refusal> {
        let nowait = declare.nowait;
        if is_reply_address(&declare.queue) {
            return self.declare_replies(channel_id, declare.queue, nowait);
        }
        let id = if declare.passive && declare.queue.is_empty() {
            return Err(Refusal::no_queue(""));
        } else if declare.passive {
            self.accessible_queue(channel_id, &declare.queue)?
        } else {
            self.find_or_create(channel_id, declare)?
        };
        let queue = self.queues.get_mut(&id).expect("it was found or created");
        queue.last_used = Instant::now();
        let answer = DeclareOk {
            queue: queue.name.clone(),
            message_count: count(queue.ready()),
            consumer_count: count(queue.consumers()),
        };
        let name = queue.name.clone();
        self.watch(id);
        self.channel(channel_id).last_queue = Some(name);
        if !nowait {
            self.send(channel_id, &AMQPClass::Queue(Method::DeclareOk(answer)));
        }
        Ok(())
    }

    fn find_or_create(&mut self, channel_id: ChannelId, declare: Declare) -> Result<QueueId, Refusal> {
        let name = if declare.queue.is_empty() {
            generated_name("amq.gen")
        } else {
            refuse_reserved("queue", &declare.queue)?;
            declare.queue
        };
        let owner = declare.exclusive.then_some(channel_id.connection);
        if let Some((id, queue)) = self.queue_ids.get(&name).and_then(|id| Some((*id, self.queues.get(id)?))) {
            if queue.owner != owner {
                return Err(locked(&name));
            }
            let what = format!("queue '{name}'");
            require_equal(&what, "durable", &queue.durable, &declare.durable)?;
            require_equal(&what, "auto_delete", &queue.auto_delete, &declare.auto_delete)?;
            require_equivalent(&what, &queue.declared, &declare.arguments)?;
            return Ok(id);
        }
        let arguments = Arguments::parse(&name, &declare.arguments)?;
        if arguments.quorum {
            require_fit_for_quorum(
                &name,
                &[
                    ("non-durable", !declare.durable),
                    ("exclusive-owner", declare.exclusive),
                    ("auto-delete", declare.auto_delete),
                ],
            )?;
        }
        let id = self.new_id();
        let mut queue = Queue::new(name.clone(), declare.arguments, arguments, Instant::now());
        (queue.durable, queue.auto_delete, queue.owner) = (declare.durable, declare.auto_delete, owner);
        self.queues.insert(id, queue);
        self.queue_ids.insert(name, id);
        Ok(id)
    }

    /// The queue of this name, where an empty one stands for the last that the channel declared.
    ///
    /// # Errors
    /// There is none, or it is exclusive to another connection.
    pub(super) fn accessible_queue(&mut self, channel_id: ChannelId, name: &str) -> Result<QueueId, Refusal> {
        let name = self.named_queue(channel_id, name)?;
        let id = *self.queue_ids.get(&name).ok_or_else(|| Refusal::no_queue(&name))?;
        self.require_access(channel_id, id)?;
        Ok(id)
    }

    fn named_queue(&mut self, channel_id: ChannelId, name: &str) -> Result<String, Refusal> {
        if !name.is_empty() {
            return Ok(name.to_owned());
        }
        let last = self.channel(channel_id).last_queue.clone();
        last.ok_or_else(|| Refusal::new(Code::NotFound, "no previously declared queue"))
    }

    fn require_access(&self, channel_id: ChannelId, id: QueueId) -> Result<(), Refusal> {
        match self.queues.get(&id) {
            Some(queue) if queue.owner.is_some_and(|owner| owner != channel_id.connection) => Err(locked(&queue.name)),
            _ => Ok(()),
        }
    }

    pub(super) fn bind(&mut self, channel_id: ChannelId, bind: Bind) -> Result<(), Refusal> {
        refuse_default(&bind.exchange)?;
        let queue = self.accessible_queue(channel_id, &bind.queue)?;
        let key = self.binding_key(channel_id, &bind.queue, bind.routing_key).into_bytes();
        let exchange = self.exchange(&bind.exchange)?;
        let binding = Binding { key, queue, arguments: bind.arguments };
        if !exchange.bindings.contains(&binding) {
            exchange.bindings.push(binding);
        }
        if !bind.nowait {
            self.send(channel_id, &AMQPClass::Queue(Method::BindOk(BindOk {})));
        }
        Ok(())
    }

    /// Where neither the queue nor the key is named, the queue's name is the key.
    fn binding_key(&mut self, channel_id: ChannelId, queue: &str, key: String) -> String {
        match &self.channel(channel_id).last_queue {
            Some(last) if queue.is_empty() && key.is_empty() => last.clone(),
            _ => key,
        }
    }

    pub(super) fn unbind(&mut self, channel_id: ChannelId, unbind: &Unbind) -> Result<(), Refusal> {
        refuse_default(&unbind.exchange)?;
        let key = self.binding_key(channel_id, &unbind.queue, unbind.routing_key.clone()).into_bytes();
        let name = self.named_queue(channel_id, &unbind.queue)?;
        // What is not there needs no unbinding.
        if let (Some(&queue), Some(exchange)) = (self.queue_ids.get(&name), self.exchanges.get_mut(&unbind.exchange)) {
            let binding = Binding { key, queue, arguments: unbind.arguments.clone() };
            if exchange.bindings.contains(&binding) {
                self.require_access(channel_id, queue)?;
                self.exchange(&unbind.exchange)?.bindings.retain(|other| *other != binding);
            }
        }
        self.remove_unbound(std::slice::from_ref(&unbind.exchange));
        self.send(channel_id, &AMQPClass::Queue(Method::UnbindOk(UnbindOk {})));
        Ok(())
    }

    pub(super) fn purge(&mut self, channel_id: ChannelId, purge: &Purge) -> Result<(), Refusal> {
        let id = self.accessible_queue(channel_id, &purge.queue)?;
        let message_count = count(self.queues.get_mut(&id).map_or(0, Queue::purge));
        if !purge.nowait {
            self.send(channel_id, &AMQPClass::Queue(Method::PurgeOk(PurgeOk { message_count })));
        }
        Ok(())
    }

    /// Deleting what is not there is no mistake.
    pub(super) fn delete_queue(&mut self, channel_id: ChannelId, delete: &Delete) -> Result<(), Refusal> {
        let found = match self.accessible_queue(channel_id, &delete.queue) {
            Err(refusal) if refusal.code == Code::NotFound && !delete.queue.is_empty() => None,
            found => Some(found?),
        };
        let mut message_count = 0;
        if let Some((id, queue)) = found.and_then(|id| Some((id, self.queues.get(&id)?))) {
            let refused = |why| Err(Refusal::precondition(format!("queue '{}' in vhost '/' {why}", queue.name)));
            if delete.if_unused && !queue.subscribers.is_empty() {
                return refused("in use");
            }
            if delete.if_empty && queue.ready() > 0 {
                return refused("not empty");
            }
            message_count = count(queue.ready());
            self.remove_queue(id);
        }
        if !delete.nowait {
            self.send(channel_id, &AMQPClass::Queue(Method::DeleteOk(DeleteOk { message_count })));
        }
        Ok(())
    }

    /// Removes a queue with its messages and bindings, and cancels its consumers.
    pub(super) fn remove_queue(&mut self, id: QueueId) {
        let Some(queue) = self.queues.remove(&id) else { return };
        self.queue_ids.remove(&queue.name);
        for subscriber in &queue.subscribers {
            self.end_consumer(subscriber);
        }
        let mut unbound = Vec::new();
        for (name, exchange) in &mut self.exchanges {
            let before = exchange.bindings.len();
            exchange.bindings.retain(|binding| binding.queue != id);
            if exchange.bindings.len() < before {
                unbound.push(name.clone());
            }
        }
        self.remove_unbound(&unbound);
    }
}

fn require_fit_for_quorum(name: &str, flags: &[(&str, bool)]) -> Result<(), Refusal> {
    match flags.iter().find(|(_, unfit)| *unfit) {
        Some((flag, _)) => {
            Err(Refusal::precondition(format!("invalid property '{flag}' for queue '{name}' in vhost '/'")))
        }
        None => Ok(()),
    }
}

pub(super) fn locked(name: &str) -> Refusal {
    Refusal::new(
        Code::ResourceLocked,
        format!(
            "cannot obtain exclusive access to locked queue '{name}' in vhost '/'. It could be originally declared on \
             another connection or the exclusive property value does not match that of the original declaration."
        ),
    )
}

/// The count in a field of 32 bits, or the most that it holds.
pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
