//! A message with any bytes in it, and what may become of it.

use crate::raw::short;
use crate::service::SERVICE;

/// What has to become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It names an address at which it is answered.
    Answered,
    /// Nobody waits for an answer, or at no address that there is.
    Silent,
    /// It asks for an answer at an address to which nothing can be sent.
    Unanswerable,
    /// The broker may refuse it or drop it; if it does neither, it is answered.
    Perhaps,
}

/// A message for the service, in the bytes that travel.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) name: String,
    pub(super) fate: Fate,
    pub(super) routing_key: Vec<u8>,
    /// In the order of the flags that announce them.
    properties: [Option<Vec<u8>>; 14],
    pub(super) body: Vec<u8>,
    /// So large that it is sent once in a test, not in every round.
    pub(super) huge: bool,
}

const CONTENT_TYPE: usize = 0;
const CONTENT_ENCODING: usize = 1;
const HEADERS: usize = 2;
const DELIVERY_MODE: usize = 3;
const PRIORITY: usize = 4;
const CORRELATION_ID: usize = 5;
const REPLY_TO: usize = 6;
const EXPIRATION: usize = 7;
const MESSAGE_ID: usize = 8;
const TIMESTAMP: usize = 9;
const TYPE: usize = 10;
const USER_ID: usize = 11;
const APP_ID: usize = 12;
const CLUSTER_ID: usize = 13;

impl Message {
    /// A message that is in order: it asks for `add`, in JSON.
    pub(super) fn new(name: impl Into<String>) -> Self {
        let message = Message {
            name: name.into(),
            fate: Fate::Answered,
            routing_key: SERVICE.as_bytes().to_vec(),
            properties: Default::default(),
            body: b"[1, 2]".to_vec(),
            huge: false,
        };
        message.function(b"add").content_type(b"application/json")
    }

    /// One for a consumer in Python.
    pub(super) fn python(name: impl Into<String>, function: &[u8], content_type: Option<&[u8]>, body: Vec<u8>) -> Self {
        let mut message = Message::new(name).header("FaaS-Name", super::table::text(function)).body(body);
        message.properties[TYPE] = None;
        message.properties[CONTENT_TYPE] = content_type.map(short);
        message
    }

    /// Without any properties but those by which it is answered.
    pub(super) fn bare(name: impl Into<String>) -> Self {
        Message { properties: Default::default(), body: Vec::new(), ..Message::new(name) }
    }

    fn with(mut self, property: usize, bytes: Vec<u8>) -> Self {
        self.properties[property] = Some(bytes);
        self
    }

    pub(super) fn fate(self, fate: Fate) -> Self {
        Message { fate, ..self }
    }

    pub(super) fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Message { body: body.into(), ..self }
    }

    pub(super) fn huge(self) -> Self {
        Message { huge: true, ..self }
    }

    pub(super) fn routing_key(self, routing_key: &[u8]) -> Self {
        Message { routing_key: routing_key.to_vec(), ..self }
    }

    pub(super) fn content_type(self, text: &[u8]) -> Self {
        self.with(CONTENT_TYPE, short(text))
    }

    pub(super) fn content_encoding(self, text: &[u8]) -> Self {
        self.with(CONTENT_ENCODING, short(text))
    }

    /// The headers, as the content of a table.
    pub(super) fn headers(self, content: &[u8]) -> Self {
        self.with(HEADERS, crate::raw::long(content))
    }

    /// One more header.
    pub(super) fn header(self, name: &str, field: Vec<u8>) -> Self {
        let before = self.properties[HEADERS].as_deref().unwrap_or(&[0; 4])[4..].to_vec();
        self.headers(&[before, short(name.as_bytes()), field].concat())
    }

    pub(super) fn delivery_mode(self, mode: u8) -> Self {
        self.with(DELIVERY_MODE, vec![mode])
    }

    pub(super) fn priority(self, priority: u8) -> Self {
        self.with(PRIORITY, vec![priority])
    }

    pub(super) fn correlation_id(self, text: &[u8]) -> Self {
        self.with(CORRELATION_ID, short(text))
    }

    pub(super) fn has_correlation_id(&self) -> bool {
        self.properties[CORRELATION_ID].is_some()
    }

    pub(super) fn reply_to(self, text: &[u8]) -> Self {
        self.with(REPLY_TO, short(text))
    }

    pub(super) fn has_reply_to(&self) -> bool {
        self.properties[REPLY_TO].is_some()
    }

    pub(super) fn expiration(self, text: &[u8]) -> Self {
        self.with(EXPIRATION, short(text))
    }

    pub(super) fn message_id(self, text: &[u8]) -> Self {
        self.with(MESSAGE_ID, short(text))
    }

    pub(super) fn timestamp(self, seconds: u64) -> Self {
        self.with(TIMESTAMP, seconds.to_be_bytes().to_vec())
    }

    pub(super) fn function(self, text: &[u8]) -> Self {
        self.with(TYPE, short(text))
    }

    pub(super) fn user_id(self, text: &[u8]) -> Self {
        self.with(USER_ID, short(text))
    }

    pub(super) fn app_id(self, text: &[u8]) -> Self {
        self.with(APP_ID, short(text))
    }

    pub(super) fn cluster_id(self, text: &[u8]) -> Self {
        self.with(CLUSTER_ID, short(text))
    }

    /// The flags, and the properties that they announce.
    pub(super) fn written(&self) -> (u16, Vec<u8>) {
        let flags = self.properties.iter().enumerate().filter(|(_, property)| property.is_some());
        let flags = flags.map(|(place, _)| 1 << 15 >> place).sum();
        (flags, self.properties.iter().flatten().flatten().copied().collect())
    }
}
