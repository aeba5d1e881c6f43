//! Dead letters: where messages go that expire, are rejected or exceed a queue's limits, if it names an exchange.

use std::time::{SystemTime, UNIX_EPOCH};

use amq_protocol::types::{AMQPValue, FieldArray, FieldTable};

use super::BrokerState;
use crate::embedded::ids::QueueId;
use crate::embedded::message::Message;
use crate::embedded::properties::Property;
use crate::embedded::queue::Entry;

/// Why a queue loses a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Expired,
    Rejected,
    MaxLength,
    DeliveryLimit,
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Reason::Expired => "expired",
            Reason::Rejected => "rejected",
            Reason::MaxLength => "maxlen",
            Reason::DeliveryLimit => "delivery_limit",
        }
    }
}

impl BrokerState {
    /// Loses a message: to the queue's dead-letter exchange, if it has one.
    pub(super) fn dead_letter(&mut self, from: QueueId, entry: &Entry, reason: Reason) {
        let Some(queue) = self.queues.get(&from) else { return };
        let Some(exchange) = queue.arguments.dead_letter_exchange.clone() else { return };
        let name = queue.name.clone();
        let message = &entry.message;
        let further = message.properties.further_keys("CC").unwrap_or_default();
        let key = queue.arguments.dead_letter_routing_key.clone();

        let mut properties = message.properties.clone();
        let mut headers = properties.headers();
        let original = properties.text(Property::Expiration);
        properties.set(Property::Expiration, None);
        record(&mut headers, &name, message, &further, original, reason);
        if key.is_some() {
            headers.remove("CC");
        }
        properties.set_headers(&headers);

        let keys = match key {
            Some(key) => vec![key.into_bytes()],
            None => [message.routing_key.clone()].into_iter().chain(further).collect(),
        };
        let letter = Message::new(exchange, keys[0].clone(), properties, message.body.clone(), &self.memory);
        let deaths = headers.get("x-death");
        // An exchange that is gone leads nowhere.
        let queues = self.route(&letter, &keys).unwrap_or_default();
        let goes_on = |id: &QueueId| {
            let into = self.queues.get(id).map(|queue| queue.name.as_str());
            reason == Reason::Rejected || !into.is_some_and(|into| is_cycle(into, deaths))
        };
        let queues = queues.into_iter().filter(goes_on).collect();
        self.enqueue_all(queues, &letter, None);
    }

    /// Loses the messages at the head of a queue that have expired.
    pub(super) fn drop_expired(&mut self, id: QueueId) {
        // One moment for all, so that this ends.
        let now = std::time::Instant::now();
        while let Some(entry) = self.queues.get_mut(&id).and_then(|queue| queue.pop_expired(now)) {
            self.dead_letter(id, &entry, Reason::Expired);
        }
    }

    /// Loses the messages at the head of a queue that are more than it may have.
    pub(super) fn drop_overflow(&mut self, id: QueueId) {
        while let Some(entry) = self.queues.get_mut(&id).and_then(|queue| {
            // What would be one too many is not taken in the first channel_id.
            if queue.arguments.reject_publish { None } else { queue.pop_overflowing() }
        }) {
            self.dead_letter(id, &entry, Reason::MaxLength);
        }
    }
}

/// Writes a death into the headers, as RabbitMQ does: the latest first, one entry for each queue and reason.
fn record(
    headers: &mut FieldTable,
    queue: &str,
    message: &Message,
    further: &[Vec<u8>],
    expiration: Option<String>,
    reason: Reason,
) {
    let mut deaths = if let Some(AMQPValue::FieldArray(deaths)) = headers.remove("x-death") {
        deaths
    } else {
        for (name, value) in [("reason", reason.name()), ("queue", queue), ("exchange", &message.exchange)] {
            headers.insert(format!("x-first-death-{name}"), text(value));
        }
        FieldArray::new()
    };
    let is_this =
        |death: &AMQPValue| field(death, "queue") == Some(queue) && field(death, "reason") == Some(reason.name());
    let known = deaths.iter().position(is_this).map(|at| deaths.remove(at));
    let death = if let Some(AMQPValue::FieldTable(known)) = known {
        once_more(known)
    } else {
        first_death(queue, message, further, expiration, reason)
    };
    deaths.insert(0, AMQPValue::FieldTable(death));
    headers.insert("x-death".to_owned(), AMQPValue::FieldArray(deaths));
}

fn once_more(mut death: FieldTable) -> FieldTable {
    let count = match death.get("count") {
        Some(AMQPValue::LongLongInt(count)) => count.saturating_add(1),
        _ => 1,
    };
    death.insert("count".to_owned(), AMQPValue::LongLongInt(count));
    death
}

fn first_death(
    queue: &str,
    message: &Message,
    further: &[Vec<u8>],
    expiration: Option<String>,
    reason: Reason,
) -> FieldTable {
    let keys = [&message.routing_key].into_iter().chain(further).map(|key| text(&String::from_utf8_lossy(key)));
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let fields = [
        ("count", AMQPValue::LongLongInt(1)),
        ("reason", text(reason.name())),
        ("queue", text(queue)),
        ("time", AMQPValue::Timestamp(seconds)),
        ("exchange", text(&message.exchange)),
        ("routing-keys", AMQPValue::FieldArray(keys.collect())),
    ];
    let original = expiration.map(|expiration| ("original-expiration", AMQPValue::LongString(expiration)));
    fields.into_iter().chain(original).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.to_owned())
}

/// A text in the record of a death.
fn field<'a>(death: &'a AMQPValue, name: &str) -> Option<&'a str> {
    let AMQPValue::FieldTable(death) = death else { return None };
    match death.get(name) {
        Some(AMQPValue::LongString(text)) => Some(text),
        _ => None,
    }
}

/// Whether a message has been in this queue before, and has come round since without anybody rejecting it.
fn is_cycle(queue: &str, deaths: Option<&AMQPValue>) -> bool {
    let Some(AMQPValue::FieldArray(deaths)) = deaths else { return false };
    let Some(last) = deaths.iter().position(|death| field(death, "queue") == Some(queue)) else { return false };
    deaths[..=last].iter().all(|death| field(death, "reason") != Some(Reason::Rejected.name()))
}
