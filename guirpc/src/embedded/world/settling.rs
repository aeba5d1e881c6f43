//! Settling: deliveries that are acknowledged, rejected, or come back.

use std::collections::BTreeSet;
use std::time::Instant;

use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::basic::{AMQPMethod as Basic, Ack, Nack, RecoverOk, Reject};

use super::World;
use super::channel::Unacked;
use crate::embedded::ids::{Place, QueueId};
use crate::embedded::refusal::Refusal;
use crate::embedded::world::dead_letters::Reason;

impl World {
    pub(super) fn ack(&mut self, place: Place, ack: &Ack) -> Result<(), Refusal> {
        let settled = self.settle(place, ack.delivery_tag, ack.multiple)?;
        self.forget(&settled);
        self.deliver_to_channel(place);
        Ok(())
    }

    pub(super) fn nack(&mut self, place: Place, nack: &Nack) -> Result<(), Refusal> {
        self.refuse(place, nack.delivery_tag, nack.multiple, nack.requeue)
    }

    pub(super) fn reject(&mut self, place: Place, reject: &Reject) -> Result<(), Refusal> {
        self.refuse(place, reject.delivery_tag, false, reject.requeue)
    }

    fn refuse(&mut self, place: Place, tag: u64, multiple: bool, requeue: bool) -> Result<(), Refusal> {
        let settled = self.settle(place, tag, multiple)?;
        if requeue {
            self.requeue(settled);
        } else {
            self.forget(&settled);
            for unacked in settled {
                self.dead_letter(unacked.queue, &unacked.entry, Reason::Rejected);
            }
        }
        self.deliver_to_channel(place);
        Ok(())
    }

    pub(super) fn recover(&mut self, place: Place, requeue: bool, answer: bool) -> Result<(), Refusal> {
        if !requeue {
            return Err(Refusal::not_implemented("requeue=false"));
        }
        let unacked = self.channel(place).settle_all();
        if answer {
            self.tell(place, &AMQPClass::Basic(Basic::RecoverOk(RecoverOk {})));
        }
        self.requeue(unacked);
        self.deliver_to_channel(place);
        Ok(())
    }

    fn settle(&mut self, place: Place, tag: u64, multiple: bool) -> Result<Vec<Unacked>, Refusal> {
        let settled = self.channel(place).settle(tag, multiple);
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
