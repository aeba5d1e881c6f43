//! Who is who: by these, everything in the world refers to everything else.

/// A queue, whatever its name: one that was deleted is not the one that has its name afterwards.
pub(super) type QueueId = u64;

/// Where a client is met: a channel of a connection; 0 is the connection itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) connection: u64,
    pub(super) channel: u16,
}
