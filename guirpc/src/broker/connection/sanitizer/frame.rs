//! The frames of AMQP: where they end, and what is done with them.

use super::super::frames::{
    BODY, CHANNEL_CLOSE, CONTENT_HEADER, END, FRAME_END, HEAD, HEARTBEAT, LARGEST_FRAME, METHOD, MethodId, method_id,
};
use super::methods::{CONNECTION, rename_consumer, sanitize_method};
use super::parts::sanitize_properties;

const LARGEST: usize = LARGEST_FRAME as usize;
/// Class, weight and body size: what stands before the properties in a content header.
const BEFORE_PROPERTIES: usize = 12;
/// One bit for each property.
const FLAGS: usize = 2;
/// What no message exceeds: RabbitMQ's `max_message_size` cannot be set higher.
const LARGEST_BODY: u64 = 512 << 20;

/// The measures of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// How much of it has to be there to be looked at.
    pub(super) checked_at_once: usize,
    /// What follows of it.
    pub(super) rest: Rest,
}

/// What follows of a frame after what was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// So many bytes that pass unseen.
    Passes(usize),
    /// So many bytes that are dropped.
    Skipped(usize),
}

impl Rest {
    /// As much, but dropped.
    pub(super) fn skipped(self) -> Self {
        let (Rest::Passes(rest) | Rest::Skipped(rest)) = self;
        Rest::Skipped(rest)
    }
}

impl Frame {
    /// The frame that begins so; as long as there is no telling, one that is as long as its head.
    pub(super) fn starting_with(start: &[u8]) -> Self {
        let Some(&[kind, _, _, size @ ..]) = start.first_chunk::<HEAD>() else {
            return Self { checked_at_once: HEAD, rest: Rest::Passes(0) };
        };
        let length = (u32::from_be_bytes(size) as usize).saturating_add(HEAD + END);
        match kind {
            METHOD | CONTENT_HEADER if length <= LARGEST => Self { checked_at_once: length, rest: Rest::Passes(0) },
            // Too much to be kept: without properties, it is as short as can be.
            CONTENT_HEADER => Self { checked_at_once: BARE_HEADER, rest: Rest::Skipped(length - BARE_HEADER) },
            _ => Self { checked_at_once: HEAD, rest: Rest::Passes(length - HEAD) },
        }
    }
}

/// A content header without properties.
const BARE_HEADER: usize = HEAD + BEFORE_PROPERTIES + FLAGS + END;

/// The channel that the frame that begins so closes, if it does.
pub(super) fn closed_channel(start: &[u8]) -> Option<u16> {
    let &[_, high, low, ..] = start.first_chunk::<HEAD>()?;
    (method_id(start) == Some(CHANNEL_CLOSE)).then_some(u16::from_be_bytes([high, low]))
}

/// Changes what amiquip's parser would break on at the start of a frame: as much of it as is checked at once.
///
/// # Errors
/// It is none that a broker sends, and amiquip is not to see it.
pub(super) fn sanitize(start: &mut [u8], keeps_consumers: bool) -> Result<(), String> {
    let Frame { rest, .. } = Frame::starting_with(start);
    let Some((head, payload)) = start.split_first_chunk_mut::<HEAD>() else { return Ok(()) };
    let &mut [kind, high, low, a, b, c, d] = head;
    let size = u32::from_be_bytes([a, b, c, d]) as usize;
    let is_channel_0 = [high, low] == [0, 0];
    match (kind, rest) {
        (METHOD | BODY | HEARTBEAT, _) if size > LARGEST - HEAD - END => Err(format!("a frame of {size} bytes")),
        (METHOD, _) => {
            let Some((method, arguments)) = without_end(payload).and_then(|method| method.split_first_chunk_mut())
            else {
                return Err("a method without a number".to_owned());
            };
            let method: MethodId = *method;
            let [class, number] = [[method[0], method[1]], [method[2], method[3]]].map(u16::from_be_bytes);
            if is_channel_0 != (class == u16::from(CONNECTION)) || sanitize_method(method, arguments).is_none() {
                return Err(format!("method {class}.{number}, which no broker sends so"));
            }
            if keeps_consumers {
                rename_consumer(method, arguments);
            }
            Ok(())
        }
        (CONTENT_HEADER | BODY, _) if is_channel_0 => Err("content without a channel".to_owned()),
        (CONTENT_HEADER, _) => {
            let header = without_end(payload).and_then(|header| header.get(..BEFORE_PROPERTIES + FLAGS));
            let body = header.and_then(|header| header[BEFORE_PROPERTIES - size_of::<u64>()..].first_chunk());
            let Some(body) = body.map(|size| u64::from_be_bytes(*size)) else {
                return Err("a content header that is cut short".to_owned());
            };
            if body > LARGEST_BODY {
                return Err(format!("a message of {body} bytes"));
            }
            if rest != Rest::Passes(0) {
                let short = u32::try_from(BEFORE_PROPERTIES + FLAGS).expect("it is 14");
                head[3..].copy_from_slice(&short.to_be_bytes());
                payload[BEFORE_PROPERTIES..].copy_from_slice(&[0, 0, FRAME_END]);
            }
            if let Some(properties) = without_end(payload).and_then(|header| header.get_mut(BEFORE_PROPERTIES..)) {
                sanitize_properties(properties);
            }
            Ok(())
        }
        (BODY | HEARTBEAT, _) => Ok(()),
        _ => Err("what is no frame".to_owned()),
    }
}

/// The payload of a frame without what ends it.
fn without_end(payload: &mut [u8]) -> Option<&mut [u8]> {
    let end = payload.len().checked_sub(END)?;
    payload.get_mut(..end)
}
