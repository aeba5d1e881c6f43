//! Acknowledgements: `basic.ack`, `basic.nack`, `basic.reject` and `basic.recover`.

use std::collections::BTreeSet;
use std::time::Instant;

use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::basic::{AMQPMethod as Basic, Ack, Nack, RecoverOk, Reject};

use super::BrokerState;
use super::channel::Unacked;
use crate::embedded::ids::{ChannelId, QueueId};
use crate::embedded::refusal::Refusal;
use crate::embedded::state::dead_letters::Reason;

impl BrokerState {
    pub(super) fn ack(&mut self, channel_id: ChannelId, ack: &Ack) -> Result<(), Refusal> {
        let settled = self.settle(channel_id, ack.delivery_tag, ack.multiple)?;
        self.forget(&settled);
        self.deliver_to_channel(channel_id);
        Ok(())
    }

    pub(super) fn nack(&mut self, channel_id: ChannelId, nack: &Nack) -> Result<(), Refusal> {
        self.refuse(channel_id, nack.delivery_tag, nack.multiple, nack.requeue)
    }

    pub(super) fn reject(&mut self, channel_id: ChannelId, reject: &Reject) -> Result<(), Refusal> {
        self.refuse(channel_id, reject.delivery_tag, false, reject.requeue)
    }

    fn refuse(&mut self, channel_id: ChannelId, tag: u64, multiple: bool, requeue: bool) -> Result<(), Refusal> {
        let settled = self.settle(channel_id, tag, multiple)?;
        if requeue {
            self.requeue(settled);
        } else {
            self.forget(&settled);
            for unacked in settled {
                self.dead_letter(unacked.queue, &unacked.entry, Reason::Rejected);
            }
        }
        self.deliver_to_channel(channel_id);
        Ok(())
    }

    pub(super) fn recover(&mut self, channel_id: ChannelId, requeue: bool, answer: bool) -> Result<(), Refusal> {
        if !requeue {
            return Err(Refusal::not_implemented("requeue=false"));
        }
        let unacked = self.channel(channel_id).settle_all();
        if answer {
            self.send(channel_id, &AMQPClass::Basic(Basic::RecoverOk(RecoverOk {})));
        }
        self.requeue(unacked);
        self.deliver_to_channel(channel_id);
        Ok(())
    }

    fn settle(&mut self, channel_id: ChannelId, tag: u64, multiple: bool) -> Result<Vec<Unacked>, Refusal> {
        let settled = self.channel(channel_id).settle(tag, multiple);
        settled.ok_or_else(|| Refusal::precondition(format!("unknown delivery tag {tag}")))
    }

    /// Their queues do not wait for them any more.
    fn forget(&mut self, settled: &[Unacked]) {
        for unacked in settled {
            if let Some(queue) = self.queues.get_mut(&unacked.queue) {
                queue.unacked -= 1;
            }
        }
    }

    /// Puts deliveries back where they were in their queues, if those are still there.
    pub(super) fn requeue(&mut self, settled: Vec<Unacked>) {
        self.forget(&settled);
        let mut touched = BTreeSet::new();
        for Unacked { queue: id, mut entry, .. } in settled {
            let Some(queue) = self.queues.get_mut(&id) else { continue };
            entry.redelivered = true;
            entry.returns += usize::from(queue.arguments.quorum);
            if queue.arguments.delivery_limit.is_some_and(|limit| entry.returns > limit) {
                self.dead_letter(id, &entry, Reason::DeliveryLimit);
                continue;
            }
            queue.put_back(entry);
            touched.insert(id);
        }
        for id in touched {
            self.offer(id);
        }
    }

    /// Gives out what has come back into a queue.
    fn offer(&mut self, id: QueueId) {
        if let Some(queue) = self.queues.get_mut(&id) {
            queue.last_used = Instant::now();
        }
        self.deliver(id);
        self.drop_overflow(id);
        self.watch(id);
    }
}
