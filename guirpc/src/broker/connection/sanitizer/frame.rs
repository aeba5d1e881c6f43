//! The frames of AMQP: where they end, and which of them carry what publishers have written.

use super::properties::{sanitize_deliver, sanitize_get_ok, sanitize_properties};

/// Type, channel and size.
const HEAD: usize = 7;
/// What follows the payload.
const END: usize = 1;
/// RabbitMQ's own limit, unless its administrator has raised that.
const LARGEST: usize = 128 << 10;

const METHOD: u8 = 1;
const CONTENT_HEADER: u8 = 2;
const BODY: u8 = 3;
/// Class and method of `basic.deliver`.
const DELIVER: [u8; 4] = [0, 60, 0, 60];
/// Class and method of `connection.close`.
const CLOSE: [u8; 4] = [0, 10, 0, 50];
/// Class and method of `channel.close`.
const CHANNEL_CLOSE: [u8; 4] = [0, 20, 0, 40];
/// Class and method of `channel.open-ok`.
const CHANNEL_OPEN_OK: [u8; 4] = [0, 20, 0, 11];
/// Class and method of `basic.get-ok`.
const GET_OK: [u8; 4] = [0, 60, 0, 71];
/// Class, weight and body size: what stands before the properties in a content header.
const BEFORE_PROPERTIES: usize = 12;
/// One bit for each property.
const FLAGS: usize = 2;

/// The measures of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// From its type to the byte that ends it.
    pub(super) length: usize,
    /// How much of it has to be there to be sanitized; what follows passes unseen.
    pub(super) checked_at_once: usize,
}

impl Frame {
    /// The frame that begins so; as long as there is no telling, one that is as long as its head.
    pub(super) fn starting_with(start: &[u8]) -> Self {
        let Some(&[kind, _, _, size @ ..]) = start.first_chunk::<HEAD>() else {
            return Self { length: HEAD, checked_at_once: HEAD };
        };
        let length = (u32::from_be_bytes(size) as usize).saturating_add(HEAD + END);
        let checked_at_once = match kind {
            METHOD | CONTENT_HEADER if length <= LARGEST => length,
            // Too much to be kept: without what they announce, its flags are sanitized to announce nothing.
            CONTENT_HEADER => HEAD + BEFORE_PROPERTIES + FLAGS,
            _ => HEAD,
        };
        Self { length, checked_at_once }
    }
}

/// Whether the frame that begins so closes the connection.
pub(super) fn is_close(start: &[u8]) -> bool {
    method_id(start) == Some(CLOSE)
}

/// The channel that the frame that begins so closes, if it does.
pub(super) fn closed_channel(start: &[u8]) -> Option<u16> {
    let &[_, high, low, ..] = start.first_chunk::<HEAD>()?;
    (method_id(start) == Some(CHANNEL_CLOSE)).then_some(u16::from_be_bytes([high, low]))
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum FrameKind {
    Method,
    ContentHeader,
    Body,
    Other,
}

/// What the frame that begins so is, its channel, and the size of what is in it.
pub(in super::super) fn frame_head(start: &[u8]) -> Option<(FrameKind, u16, u32)> {
    let &[kind, high, low, a, b, c, d] = start.first_chunk::<HEAD>()?;
    let kind = match kind {
        METHOD => FrameKind::Method,
        CONTENT_HEADER => FrameKind::ContentHeader,
        BODY => FrameKind::Body,
        _ => FrameKind::Other,
    };
    Some((kind, u16::from_be_bytes([high, low]), u32::from_be_bytes([a, b, c, d])))
}

/// The delivery tag, if the frame is a delivery.
pub(in super::super) fn delivery_tag(frame: &[u8]) -> Option<u64> {
    let arguments = method_arguments(frame).filter(|_| method_id(frame) == Some(DELIVER))?;
    let (consumer_tag, rest) = arguments.split_first()?;
    rest.get(usize::from(*consumer_tag)..)?.first_chunk().map(|tag| u64::from_be_bytes(*tag))
}

/// Whether the frame says that a channel is open.
pub(in super::super) fn is_channel_open_ok(frame: &[u8]) -> bool {
    method_id(frame) == Some(CHANNEL_OPEN_OK)
}

/// Class and method of the frame that begins so, if it has any.
pub(in super::super) fn method_id(start: &[u8]) -> Option<[u8; 4]> {
    let (head, payload) = start.split_first_chunk::<HEAD>()?;
    payload.first_chunk().copied().filter(|_| head[0] == METHOD)
}

/// The arguments of the method in a whole frame.
pub(in super::super) fn method_arguments(frame: &[u8]) -> Option<&[u8]> {
    frame.get(HEAD + DELIVER.len()..frame.len().checked_sub(END)?)
}

/// Changes what amiquip's parser would break on at the start of a frame: as much of it as is sanitized at once.
pub(super) fn sanitize(start: &mut [u8]) {
    let payload_end = start.len().min(Frame::starting_with(start).length - END);
    let payload = start.get_mut(..payload_end).and_then(|start| start.split_first_chunk_mut::<HEAD>());
    let Some(([kind, ..], payload)) = payload else { return };
    if *kind == METHOD {
        match payload.split_first_chunk_mut() {
            Some((&mut DELIVER, arguments)) => sanitize_deliver(arguments),
            Some((&mut GET_OK, arguments)) => sanitize_get_ok(arguments),
            _ => None,
        };
    } else if *kind == CONTENT_HEADER
        && let Some(properties) = payload.get_mut(BEFORE_PROPERTIES..)
    {
        sanitize_properties(properties);
    }
}
