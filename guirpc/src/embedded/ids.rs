//! The ids by which parts of the broker state refer to each other.

/// A queue: one that is declared again under the name of a deleted one has another id.
pub(super) type QueueId = u64;

/// A channel of a connection; channel 0 is the connection itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ChannelId {
    pub(super) connection: u64,
    pub(super) channel: u16,
}
