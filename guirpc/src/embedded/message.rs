//! Messages: the properties and the body as the publisher wrote them.

use std::sync::Arc;
use std::time::Duration;

use amq_protocol::types::AMQPValue;

use super::arguments::LONGEST_EXPIRY;
use super::memory::{Counted, Memory};
use super::properties::{Properties, Property};
use super::refusal::Refusal;

/// A message as it was published; queues and deliveries share it.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) exchange: String,
    pub(super) routing_key: Vec<u8>,
    pub(super) properties: Properties,
    pub(super) body: Vec<u8>,
    counted: Counted,
}

impl Message {
    pub(super) fn new(
        exchange: String,
        routing_key: Vec<u8>,
        properties: Properties,
        body: Vec<u8>,
        memory: &Memory,
    ) -> Arc<Self> {
        let bytes = routing_key.capacity() + exchange.capacity() + properties.bytes().len() + body.capacity();
        let counted = memory.count(MESSAGE + bytes);
        Arc::new(Message { exchange, routing_key, properties, body, counted })
    }

    /// A copy with RabbitMQ's header for the number of its returns.
    pub(super) fn with_delivery_count(&self, returns: usize) -> Arc<Self> {
        let mut properties = self.properties.clone();
        let mut headers = properties.headers();
        let count = i64::try_from(returns).unwrap_or(i64::MAX);
        headers.insert("x-delivery-count".to_owned(), AMQPValue::LongLongInt(count));
        properties.set_headers(&headers);
        let (exchange, routing_key) = (self.exchange.clone(), self.routing_key.clone());
        Message::new(exchange, routing_key, properties, self.body.clone(), self.counted.memory())
    }

    /// Counts the bytes of a place that it takes, in a queue or among what is not acknowledged.
    pub(super) fn count_place(&self, bytes: usize) -> Counted {
        self.counted.memory().count(bytes)
    }

    /// 0 unless its publisher gave it another.
    pub(super) fn priority(&self) -> u8 {
        self.properties.get(Property::Priority).and_then(<[u8]>::first).copied().unwrap_or_default()
    }

    /// Whether it is to survive a restart in a durable queue.
    pub(super) fn is_persistent(&self) -> bool {
        self.properties.get(Property::DeliveryMode) == Some(&[2])
    }
}

/// The time to live that a publisher gives a message.
///
/// # Errors
/// In the words of RabbitMQ, where it is no number of milliseconds.
pub(super) fn expiration(properties: &Properties) -> Result<Option<Duration>, Refusal> {
    let Some(text) = properties.text(Property::Expiration) else { return Ok(None) };
    let invalid = |why: String| Err(Refusal::precondition(format!("invalid expiration '{text}': {why}")));
    let digits = text.strip_prefix(['-', '+']).unwrap_or(&text);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    if digits.is_empty() {
        return invalid("no_integer".to_owned());
    }
    if !rest.is_empty() {
        return invalid(format!("{{leftover_string,{rest:?}}}"));
    }
    if text.starts_with('-') {
        return invalid(format!("{{value_negative,-{digits}}}"));
    }
    match digits.parse() {
        Ok(milliseconds) if milliseconds <= LONGEST_EXPIRY => Ok(Some(Duration::from_millis(milliseconds))),
        _ => invalid(format!("{{value_too_large,{digits}}}")),
    }
}

/// What a message costs beside what is in it: itself, and what the allocator needs for its five parts.
const MESSAGE: usize = size_of::<Message>() + 2 * size_of::<usize>() + 5 * ALLOCATION;
/// What the allocator needs for each allocation.
const ALLOCATION: usize = 16;

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use amq_protocol::types::FieldTable;

    use super::super::arguments::Arguments;
    use super::super::queue::Queue;
    use super::*;

    /// By what the allocator gives, and no more than twice as much.
    #[test]
    fn what_empty_messages_take_is_counted() {
        let (memory, now) = (Memory::default(), Instant::now());
        for queues in [1, 10] {
            let queue = |_| Queue::new("math".to_owned(), FieldTable::new(), Arguments::default(), now);
            let mut queues: Vec<Queue> = (0..queues).map(queue).collect();
            let taken = allocation_counter::measure(|| {
                for _ in 0..20_000 {
                    let (exchange, key) = ("guirpc".to_owned(), b"math".to_vec());
                    let properties = Properties::parse(&[0, 0]).expect("they are none");
                    let message = Message::new(exchange, key, properties, Vec::new(), &memory);
                    for queue in &mut queues {
                        queue.push(Arc::clone(&message), None, now);
                    }
                }
            });
            let taken = usize::try_from(taken.bytes_current).expect("more than before");
            assert!((taken..=2 * taken).contains(&memory.used()), "{} are counted for {taken}", memory.used());
            drop(queues);
            assert_eq!(memory.used(), 0);
        }
    }
}
