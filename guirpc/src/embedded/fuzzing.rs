//! For the fuzz targets: frames of a client.

use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::basic::AMQPMethod as Basic;
use amq_protocol::protocol::queue::AMQPMethod as OfQueue;

use super::arguments::{Arguments, require_equivalent};
use super::content::{Incoming, Publication};
use super::handshake::FRAME_MAX;
use super::memory::Memory;
use super::message::{Message, expiration};
use super::methods::{parse_method, routing_key, write_method};
use super::wire::{BODY, Carrier, FrameReader, HEADER, METHOD, write_message};

/// Reads frames until one is refused: methods, arguments of queues, messages, which are delivered.
pub fn frames(bytes: &[u8]) {
    let memory = Memory::default();
    let mut reader = FrameReader::new(bytes, FRAME_MAX);
    let mut incoming: Option<Incoming> = None;
    while let Ok(frame) = reader.next() {
        let payload = &frame.payload[..];
        let taken = match (frame.kind, &mut incoming) {
            (METHOD, _) if payload.len() >= 4 => {
                let Ok(method) = parse_method(payload) else { continue };
                write_method(&mut Vec::new(), frame.channel, &method);
                match method {
                    AMQPClass::Basic(Basic::Publish(publish)) => {
                        incoming = Some(Incoming::new(publish, routing_key(payload).into(), &memory));
                    }
                    AMQPClass::Queue(OfQueue::Declare(declare)) => {
                        let _ = Arguments::parse(&declare.queue, &declare.arguments);
                        let same = require_equivalent("queue", &declare.arguments, &declare.arguments);
                        assert!(same.is_ok(), "what is declared alike is the same");
                    }
                    _ => {}
                }
                continue;
            }
            (HEADER, Some(incoming)) if payload.len() >= 12 => incoming.header(payload),
            (BODY, Some(incoming)) => incoming.body(frame.payload),
            _ => continue,
        };
        if taken.is_err() || incoming.as_ref().is_some_and(Incoming::is_whole) {
            if let Some(Ok(publication)) = incoming.take().filter(|_| taken.is_ok()).map(Incoming::into_publication) {
                deliver(publication, &memory);
            }
        }
    }
    drop(incoming);
    assert_eq!(memory.used(), 0, "what is gone takes no memory");
}

fn deliver(publication: Publication, memory: &Memory) {
    let Publication { exchange, routing_key, properties, body, .. } = publication;
    let _ = (expiration(&properties), properties.further_keys("CC"));
    let message = Message::new(exchange, routing_key, properties, body, memory).with_delivery_count(1);
    let carrier = Carrier::Deliver { consumer_tag: "tag", delivery_tag: 1, redelivered: true };
    write_message(&mut Vec::new(), 1, FRAME_MAX, &carrier, &message);
}
