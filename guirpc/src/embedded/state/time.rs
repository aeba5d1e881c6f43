//! What happens by itself: messages and queues that expire.

use std::time::Instant;

use super::BrokerState;
use crate::embedded::ids::QueueId;
use crate::embedded::queue::Queue;

impl BrokerState {
    /// Expires what is due; gives when the next is.
    pub(in crate::embedded) fn expire(&mut self, now: Instant) -> Option<Instant> {
        let due: Vec<QueueId> = self
            .queues
            .iter()
            .filter(|(_, queue)| queue.next_due().is_some_and(|due| due <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.drop_expired(id);
            if self.queues.get(&id).is_some_and(|queue| queue.is_unused(now)) {
                self.remove_queue(id);
            }
        }
        self.update_alarm();
        self.next_due = self.queues.values().filter_map(Queue::next_due).min();
        self.next_due
    }

    /// Wakes the clock if something in this queue is due before what the clock waits for.
    pub(super) fn watch(&mut self, id: QueueId) {
        let Some(due) = self.queues.get(&id).and_then(Queue::next_due) else { return };
        if self.next_due.is_none_or(|known| due < known) {
            self.next_due = Some(due);
            self.changed.notify_all();
        }
    }
}
