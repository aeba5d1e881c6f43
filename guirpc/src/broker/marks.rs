//! Whether the broker marks what it delivers again, which it may have ceased to do for a queue.
//!
//! A classic queue of RabbitMQ's (3.10 to 4.0) knows what it has delivered by one number, up to which it has delivered
//! all; that stays where it is for good, once transient messages behind it were lost in an orderly restart. From then on
//! nothing of that queue is marked as redelivered.

use super::connection::explain;
use super::{Channel, Inbox};
use crate::error::Error;

/// What was found at the head of a queue, before it is consumed.
pub(crate) struct Head {
    /// Where that message arrives, if there is one.
    pub(crate) first: Option<Inbox>,
    /// The delivery tags that are used up, beside that message's.
    pub(crate) settled: Vec<u64>,
    /// How many messages wait behind it that may have been delivered before without a mark.
    pub(crate) unmarked: u64,
}

impl Channel {
    /// Takes the first message off a queue, puts it back, and takes it once more: it has to be marked then.
    ///
    /// It comes without a mark if it had none before, since nobody else had it meanwhile; and with one, if the queue marks
    /// nothing, since it may have been delivered before.
    pub(crate) fn check_marks(&self, queue: &str) -> Result<Head, Error> {
        let get = || self.0.basic_get(queue, false).map_err(|error| explain(&error));
        let mut head = Head { first: None, settled: Vec::new(), unmarked: 0 };
        let Some(got) = get()? else { return Ok(head) };
        if got.delivery.redelivered {
            head.first = Some(Inbox::of(got.delivery, self.bodies()));
            return Ok(head);
        }
        let (properties, body) = (got.delivery.properties.clone(), got.delivery.body.clone());
        head.settled.push(got.delivery.delivery_tag());
        got.delivery.nack(&self.0, true).map_err(|error| explain(&error))?;
        // Another consumer may have been quicker.
        let Some(mut again) = get()? else { return Ok(head) };
        let is_same = again.delivery.properties == properties && again.delivery.body == body;
        if is_same {
            let is_marked = again.delivery.redelivered;
            again.delivery.redelivered = !is_marked;
            head.unmarked = if is_marked { 0 } else { again.message_count.into() };
        }
        head.first = Some(Inbox::of(again.delivery, self.bodies()));
        Ok(head)
    }
}
