//! Frames as bytes: read within bounds, written whole.

use std::io::{self, Read};

use super::message::Message;
use super::refusal::{Code, Refusal, octets};

pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;
pub(super) const BODY: u8 = 3;
pub(super) const HEARTBEAT: u8 = 8;
const END: u8 = 0xCE;
/// Type, channel and size before the payload, one byte after it.
const HEAD: usize = 7;
pub(super) const OVERHEAD: usize = HEAD + 1;

/// A frame whose payload is still bytes.
#[derive(Debug)]
pub(super) struct RawFrame {
    pub(super) kind: u8,
    pub(super) channel: u16,
    pub(super) payload: Vec<u8>,
}

/// Why no frame could be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The client is gone, or silent for too long.
    Gone,
    /// What it sent is no frame.
    Refused(Refusal),
}

impl From<io::Error> for ReadError {
    fn from(_: io::Error) -> Self {
        ReadError::Gone
    }
}

/// Reads frames one after the other, none larger than was agreed on.
#[derive(Debug)]
pub(super) struct FrameReader<R> {
    stream: R,
    /// The largest frame that was negotiated, with what surrounds the payload.
    pub(super) frame_max: usize,
}

impl<R: Read> FrameReader<R> {
    pub(super) fn new(stream: R, frame_max: usize) -> Self {
        FrameReader { stream, frame_max }
    }

    /// The eight bytes that a client begins with.
    pub(super) fn protocol_header(&mut self) -> Result<[u8; 8], ReadError> {
        let mut header = [0; 8];
        self.stream.read_exact(&mut header)?;
        Ok(header)
    }

    pub(super) fn stream_mut(&mut self) -> &mut R {
        &mut self.stream
    }

    /// Waits for the next frame.
    pub(super) fn next(&mut self) -> Result<RawFrame, ReadError> {
        let mut head = [0; HEAD];
        self.stream.read_exact(&mut head)?;
        let [kind, high, low, size @ ..] = head;
        let size = u32::from_be_bytes(size) as usize;
        // RabbitMQ takes a little more than it negotiates.
        if size > self.frame_max {
            let limit = self.frame_max - OVERHEAD;
            return Err(frame_error(kind, &[], &format!("{{frame_too_large,{size},{limit}}}")));
        }
        let mut payload = vec![0; size];
        self.stream.read_exact(&mut payload)?;
        let mut end = [0];
        self.stream.read_exact(&mut end)?;
        if end != [END] {
            return Err(frame_error(kind, &payload, &format!("{{invalid_frame_end_marker,{}}}", end[0])));
        }
        Ok(RawFrame { kind, channel: u16::from_be_bytes([high, low]), payload })
    }
}

/// In the words of RabbitMQ.
pub(super) fn frame_error(kind: u8, payload: &[u8], why: &str) -> ReadError {
    let text = format!("type {kind}, all octets = {}: {why}", octets(payload));
    ReadError::Refused(Refusal::new(Code::FrameError, text))
}

/// The methods that carry a message to a client.
///
/// Written by hand, since the codec cannot write a routing key that is not UTF-8.
#[derive(Debug)]
pub(super) enum Carrier<'a> {
    Deliver { consumer_tag: &'a str, delivery_tag: u64, redelivered: bool },
    GetOk { delivery_tag: u64, redelivered: bool, message_count: u32 },
    Return,
}

impl Carrier<'_> {
    fn payload(&self, exchange: &str, routing_key: &[u8]) -> Vec<u8> {
        let mut payload = Vec::with_capacity(64);
        match self {
            Carrier::Deliver { consumer_tag, delivery_tag, redelivered } => {
                payload.extend_from_slice(&[0, 60, 0, 60]);
                put_short_text(&mut payload, consumer_tag.as_bytes());
                payload.extend_from_slice(&delivery_tag.to_be_bytes());
                payload.push((*redelivered).into());
            }
            Carrier::GetOk { delivery_tag, redelivered, .. } => {
                payload.extend_from_slice(&[0, 60, 0, 71]);
                payload.extend_from_slice(&delivery_tag.to_be_bytes());
                payload.push((*redelivered).into());
            }
            Carrier::Return => {
                payload.extend_from_slice(&[0, 60, 0, 50]);
                payload.extend_from_slice(&NO_ROUTE.to_be_bytes());
                put_short_text(&mut payload, b"NO_ROUTE");
            }
        }
        put_short_text(&mut payload, exchange.as_bytes());
        put_short_text(&mut payload, routing_key);
        if let Carrier::GetOk { message_count, .. } = self {
            payload.extend_from_slice(&message_count.to_be_bytes());
        }
        payload
    }
}

const NO_ROUTE: u16 = 312;

fn put_short_text(to: &mut Vec<u8>, text: &[u8]) {
    to.push(u8::try_from(text.len()).expect("what came as a short text is one"));
    to.extend_from_slice(text);
}

/// Writes a message with the method that carries it, in frames of at most `frame_max`.
pub(super) fn write_message(
    to: &mut Vec<u8>,
    channel: u16,
    frame_max: usize,
    carrier: &Carrier<'_>,
    message: &Message,
) {
    write_frame(to, METHOD, channel, &carrier.payload(&message.exchange, &message.routing_key));
    write_content(to, channel, frame_max, message.properties.bytes(), &message.body);
}

/// Writes a content: its header with the properties as they are, its body in frames of at most `frame_max`.
fn write_content(to: &mut Vec<u8>, channel: u16, frame_max: usize, properties: &[u8], body: &[u8]) {
    let header = [&[0, 60, 0, 0][..], &(body.len() as u64).to_be_bytes(), properties].concat();
    write_frame(to, HEADER, channel, &header);
    for part in body.chunks(frame_max - OVERHEAD) {
        write_frame(to, BODY, channel, part);
    }
}

pub(super) fn write_frame(to: &mut Vec<u8>, kind: u8, channel: u16, payload: &[u8]) {
    let size = u32::try_from(payload.len()).expect("a frame is no larger than was negotiated");
    to.push(kind);
    to.extend_from_slice(&channel.to_be_bytes());
    to.extend_from_slice(&size.to_be_bytes());
    to.extend_from_slice(payload);
    to.push(END);
}
