//! What frames of AMQP are made of, and the methods that are looked at on their way.

/// Type, channel and size.
pub(super) const HEAD: usize = 7;
/// What follows the payload.
pub(super) const END: usize = 1;
/// What ends every frame.
pub(super) const FRAME_END: u8 = 0xCE;
/// What is agreed with a broker at most, which is RabbitMQ's own limit.
pub(super) const LARGEST_FRAME: u32 = 128 << 10;

pub(super) const METHOD: u8 = 1;
pub(super) const CONTENT_HEADER: u8 = 2;
pub(super) const BODY: u8 = 3;
pub(super) const HEARTBEAT: u8 = 8;

/// Class and method.
pub(super) type MethodId = [u8; 4];

pub(super) const CLOSE: MethodId = id(10, 50);
pub(super) const CLOSE_OK: MethodId = id(10, 51);
pub(super) const CHANNEL_CLOSE: MethodId = id(20, 40);
pub(super) const CHANNEL_OPEN_OK: MethodId = id(20, 11);
pub(super) const CONSUME_OK: MethodId = id(60, 21);
pub(super) const CANCEL: MethodId = id(60, 30);
pub(super) const CANCEL_OK: MethodId = id(60, 31);
pub(super) const DELIVER: MethodId = id(60, 60);
pub(super) const GET_OK: MethodId = id(60, 71);

/// A class and a method of it.
pub(super) const fn id(class: u8, method: u8) -> MethodId {
    [0, class, 0, method]
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameKind {
    Method,
    ContentHeader,
    Body,
    Other,
}

/// What the frame that begins so is, its channel, and the size of what is in it.
pub(super) fn frame_head(start: &[u8]) -> Option<(FrameKind, u16, u32)> {
    let &[kind, high, low, a, b, c, d] = start.first_chunk::<HEAD>()?;
    let kind = match kind {
        METHOD => FrameKind::Method,
        CONTENT_HEADER => FrameKind::ContentHeader,
        BODY => FrameKind::Body,
        _ => FrameKind::Other,
    };
    Some((kind, u16::from_be_bytes([high, low]), u32::from_be_bytes([a, b, c, d])))
}

/// The delivery tag, if the frame is a delivery, asked for or not.
pub(super) fn delivery_tag(frame: &[u8]) -> Option<u64> {
    let arguments = method_arguments(frame)?;
    let from_tag = match method_id(frame)? {
        DELIVER => {
            let (consumer_tag, rest) = arguments.split_first()?;
            rest.get(usize::from(*consumer_tag)..)?
        }
        GET_OK => arguments,
        _ => return None,
    };
    from_tag.first_chunk().map(|tag| u64::from_be_bytes(*tag))
}

/// Class and method of the frame that begins so, if it has any.
pub(super) fn method_id(start: &[u8]) -> Option<MethodId> {
    let (head, payload) = start.split_first_chunk::<HEAD>()?;
    payload.first_chunk().copied().filter(|_| head[0] == METHOD)
}

/// The arguments of the method in a whole frame.
pub(super) fn method_arguments(frame: &[u8]) -> Option<&[u8]> {
    frame.get(HEAD + size_of::<MethodId>()..frame.len().checked_sub(END)?)
}
