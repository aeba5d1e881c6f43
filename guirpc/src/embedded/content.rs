//! A message on its way in: the method has come, the header and the body follow.

use amq_protocol::protocol::basic::Publish;

use super::memory::{Counted, Memory};
use super::properties::Properties;
use super::refusal::{Code, Refusal};

/// RabbitMQ's own limit.
pub(super) const LARGEST_BODY: u64 = 128 << 20;
/// The class of everything that has content.
const BASIC: u16 = 60;

/// A message that has come as a whole, and what its publisher wants done with it.
#[derive(Debug)]
pub(super) struct Publication {
    pub(super) exchange: String,
    /// In AMQP it is a text; RabbitMQ takes any bytes.
    pub(super) routing_key: Vec<u8>,
    pub(super) mandatory: bool,
    pub(super) immediate: bool,
    pub(super) properties: Properties,
    pub(super) body: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Incoming {
    publish: Publish,
    routing_key: Vec<u8>,
    properties: Option<Properties>,
    /// The length of the body, by its header.
    size: u64,
    /// How much of it has come.
    received: u64,
    body: Vec<u8>,
    counted: Counted,
}

impl Incoming {
    pub(super) fn new(publish: Publish, routing_key: Vec<u8>, memory: &Memory) -> Self {
        let counted = memory.count(size_of::<Incoming>());
        Incoming { publish, routing_key, properties: None, size: 0, received: 0, body: Vec::new(), counted }
    }

    pub(super) fn header(&mut self, payload: &[u8]) -> Result<(), Refusal> {
        if self.properties.is_some() {
            return Err(self.unexpected());
        }
        let unreadable = || Refusal::new(Code::InternalError, "");
        let (class, rest) = payload.split_first_chunk().ok_or_else(unreadable)?;
        let (_weight, rest) = rest.split_first_chunk::<2>().ok_or_else(unreadable)?;
        let (size, properties) = rest.split_first_chunk().ok_or_else(unreadable)?;
        let class = u16::from_be_bytes(*class);
        if class != BASIC {
            let text = format!("expected content header for class {BASIC}, got one for class {class} instead");
            return Err(Refusal::new(Code::UnexpectedFrame, text));
        }
        self.size = u64::from_be_bytes(*size);
        self.properties = Some(Properties::parse(properties).ok_or_else(unreadable)?);
        self.counted.set(self.kept());
        Ok(())
    }

    /// Takes in a part of the body; of one that is too large, only the size is kept.
    pub(super) fn body(&mut self, payload: Vec<u8>) -> Result<(), Refusal> {
        if self.properties.is_none() {
            return Err(self.unexpected());
        }
        self.received += payload.len() as u64;
        if self.received > self.size.min(LARGEST_BODY) {
            self.body = Vec::new();
        } else if self.body.is_empty() {
            // Most bodies fit into one frame, which is then no copy.
            self.body = payload;
        } else {
            self.body.extend_from_slice(&payload);
        }
        self.counted.set(self.kept());
        Ok(())
    }

    /// Whether all has come; a body that is longer than announced never ends, as with RabbitMQ.
    pub(super) fn is_whole(&self) -> bool {
        self.properties.is_some() && self.received == self.size
    }

    /// What has come, when it is whole.
    ///
    /// # Errors
    /// It is larger than a message may be.
    pub(super) fn into_publication(self) -> Result<Publication, Refusal> {
        if self.size > LARGEST_BODY {
            let text = format!("message size {} is larger than configured max size {LARGEST_BODY}", self.size);
            return Err(Refusal::precondition(text));
        }
        let Publish { exchange, mandatory, immediate, .. } = self.publish;
        let properties = self.properties.expect("a message has a header before it is whole");
        Ok(Publication { exchange, routing_key: self.routing_key, mandatory, immediate, properties, body: self.body })
    }

    /// How many bytes it takes.
    pub(super) fn kept(&self) -> usize {
        let properties = self.properties.as_ref().map_or(0, |properties| properties.bytes().len());
        size_of::<Incoming>() + self.routing_key.len() + properties + self.body.len()
    }

    /// What is said of anything else than what comes next.
    pub(super) fn unexpected(&self) -> Refusal {
        let text = if self.properties.is_none() {
            "expected content header for class 60, got non content header frame instead"
        } else {
            "expected content body, got non content body frame instead"
        };
        Refusal::new(Code::UnexpectedFrame, text)
    }
}
