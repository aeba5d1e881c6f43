//! Bodies that are larger than anybody here takes: dropped as they come in, so that they never take memory.
//!
//! amiquip collects a body whole before anybody sees its size. So where a content header announces too large a one, it
//! is made to announce none, the frames of the body are dropped, and who takes the delivery learns here how large it was.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use amiquip::Delivery;

use super::frames::{CHANNEL_OPEN_OK, FrameKind, delivery_tag, frame_head, method_id};

/// How many bytes the body of a delivery may have; all who hold it have the same.
#[derive(Clone, Debug)]
pub(crate) struct BodyLimit(Arc<AtomicUsize>);

impl BodyLimit {
    pub(crate) fn new(bytes: usize) -> Self {
        BodyLimit(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Takes so much from now on.
    #[cfg(feature = "config")]
    pub(crate) fn set(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    /// Takes as much from now on, if that is more.
    pub(crate) fn raise(&self, bytes: usize) {
        self.0.fetch_max(bytes, Ordering::Relaxed);
    }

    fn allows(&self, bytes: u64) -> bool {
        usize::try_from(bytes).is_ok_and(|bytes| bytes <= self.0.load(Ordering::Relaxed))
    }
}

/// The bodies of a connection that were dropped; without a limit there are none.
#[derive(Clone, Debug, Default)]
pub(super) struct DroppedBodies(Arc<Dropped>);

/// Those of one channel.
#[derive(Clone, Debug)]
pub(crate) struct ChannelBodies {
    dropped: DroppedBodies,
    channel: u16,
}

impl ChannelBodies {
    /// How many bytes the body of a delivery had, if it was dropped; it is told once.
    pub(in crate::broker) fn take_dropped(&self, delivery: &Delivery) -> Option<u64> {
        if delivery.body.is_empty() { self.take(delivery.delivery_tag()) } else { None }
    }

    pub(super) fn take(&self, delivery_tag: u64) -> Option<u64> {
        let mut sizes = self.dropped.0.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        sizes.remove(&(self.channel, delivery_tag))
    }
}

#[derive(Debug, Default)]
struct Dropped {
    limit: OnceLock<BodyLimit>,
    /// By channel and delivery tag, how many bytes each had.
    sizes: Mutex<BTreeMap<(u16, u64), u64>>,
}

impl DroppedBodies {
    /// Has bodies beyond the limit dropped from now on.
    pub(super) fn limit(&self, limit: &BodyLimit) {
        let _ = self.0.limit.set(limit.clone());
    }

    pub(super) fn of(&self, channel: u16) -> ChannelBodies {
        ChannelBodies { dropped: self.clone(), channel }
    }

    fn is_too_large(&self, bytes: u64) -> bool {
        self.0.limit.get().is_some_and(|limit| !limit.allows(bytes))
    }

    fn note(&self, delivery: (u16, u64), bytes: u64) {
        self.0.sizes.lock().unwrap_or_else(PoisonError::into_inner).insert(delivery, bytes);
    }

    /// A channel counts its deliveries anew.
    fn forget(&self, channel: u16) {
        self.0.sizes.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| *of != channel);
    }
}

/// Follows the frames that come in.
#[derive(Debug)]
pub(super) struct IncomingBodies {
    dropped: DroppedBodies,
    /// What is known of each channel that has had a delivery.
    channels: BTreeMap<u16, Expected>,
}

/// What comes next on a channel.
#[derive(Debug)]
enum Expected {
    /// Nothing of a delivery.
    Method,
    /// The content header of this delivery.
    Header { delivery_tag: u64 },
    /// So much of a body that is dropped.
    Dropped { bytes: u64 },
}

/// Where a content header says how large the body is, behind the head of the frame, class and weight.
const BODY_SIZE: std::ops::Range<usize> = 11..19;

impl IncomingBodies {
    pub(super) fn new(dropped: DroppedBodies) -> Self {
        IncomingBodies { dropped, channels: BTreeMap::new() }
    }

    /// Looks at the start of a frame, and changes what it announces; whether the frame is to be dropped.
    pub(super) fn drops(&mut self, start: &mut [u8]) -> bool {
        let Some((kind, channel, size)) = frame_head(start) else { return false };
        match kind {
            FrameKind::Method => self.method(channel, start),
            FrameKind::ContentHeader => self.content_header(channel, start),
            FrameKind::Body => return self.is_dropped(channel, size),
            FrameKind::Other => {}
        }
        false
    }

    fn method(&mut self, channel: u16, frame: &[u8]) {
        if let Some(delivery_tag) = delivery_tag(frame) {
            self.channels.insert(channel, Expected::Header { delivery_tag });
        } else if let Some(expected) = self.channels.get_mut(&channel) {
            *expected = Expected::Method;
            if method_id(frame) == Some(CHANNEL_OPEN_OK) {
                self.dropped.forget(channel);
            }
        }
    }

    fn content_header(&mut self, channel: u16, start: &mut [u8]) {
        let Some(expected) = self.channels.get_mut(&channel) else { return };
        let Some(announced) = start.get_mut(BODY_SIZE).and_then(|size| size.first_chunk_mut()) else { return };
        let bytes = u64::from_be_bytes(*announced);
        let Expected::Header { delivery_tag } = *expected else { return };
        *expected = Expected::Method;
        if self.dropped.is_too_large(bytes) {
            *announced = [0; 8];
            *expected = Expected::Dropped { bytes };
            self.dropped.note((channel, delivery_tag), bytes);
        }
    }

    fn is_dropped(&mut self, channel: u16, size: u32) -> bool {
        let Some(Expected::Dropped { bytes }) = self.channels.get_mut(&channel) else { return false };
        *bytes = bytes.saturating_sub(size.into());
        if *bytes == 0 {
            self.channels.insert(channel, Expected::Method);
        }
        true
    }
}
