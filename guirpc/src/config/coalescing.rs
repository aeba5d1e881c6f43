//! How calls travel together.

use std::time::Duration;

use crate::codec::coalesced::MOST;

/// When calls wait for each other and travel in one message, for
/// [`Client::with_coalescing`](crate::Client::with_coalescing).
///
/// As long as fewer than [`window`](Coalescing::window) messages to a queue are unanswered, a call is sent at once, by
/// itself. Any other joins the next message, which is sent as soon as the window has room again, when it has
/// [`max_calls`](Coalescing::max_calls) calls or [`max_bytes`](Coalescing::max_bytes) bytes, or after
/// [`linger`](Coalescing::linger) at the latest.
/// So a caller that makes one call at a time waits for nothing.
///
/// ```
/// use std::time::Duration;
///
/// use guirpc::Coalescing;
///
/// let coalescing = Coalescing::default();
/// assert_eq!(coalescing, Coalescing::default().window(2).max_calls(128).max_bytes(65_536).linger(Duration::from_millis(1)));
/// ```
///
/// What it is good for, and when to leave it off, is described with [`coalescing`](crate::coalescing).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Coalescing {
    pub(crate) window: usize,
    pub(crate) max_calls: usize,
    pub(crate) max_bytes: usize,
    pub(crate) linger: Duration,
}

impl Coalescing {
    pub(crate) const DEFAULT: Self =
        Coalescing { window: 2, max_calls: 128, max_bytes: 64 << 10, linger: Duration::from_millis(1) };

    /// So many unanswered messages to a queue let further calls wait for each other (the default is 2, the least is 1).
    pub fn window(self, messages: usize) -> Self {
        Coalescing { window: messages.max(1), ..self }
    }

    /// A message with so many calls is sent (the default is 128, the most are 1,024).
    ///
    /// With 1 every call travels by itself.
    pub fn max_calls(self, calls: usize) -> Self {
        Coalescing { max_calls: calls.clamp(1, MOST), ..self }
    }

    /// A message does not get larger than so many bytes (the default is 64 KiB); a call that is larger by itself is sent
    /// by itself, at once.
    pub fn max_bytes(self, bytes: usize) -> Self {
        Coalescing { max_bytes: bytes, ..self }
    }

    /// No call waits longer than this for others (the default is 1 ms).
    pub fn linger(self, time: Duration) -> Self {
        Coalescing { linger: time, ..self }
    }
}

impl Default for Coalescing {
    fn default() -> Self {
        Coalescing::DEFAULT
    }
}
