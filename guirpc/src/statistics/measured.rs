//! Times as metrics have them.

use crate::message::ReplyKind;
use crate::metrics::Histogram;

/// Times as metrics have them: in the same buckets everywhere, so that they can be added up.
#[derive(Debug, Default)]
pub(crate) struct MeasuredTimes {
    /// From the beginning to the reply, by what came of it.
    calls: [Histogram; ReplyKind::ALL.len()],
    pub(super) queue: Histogram,
}

impl MeasuredTimes {
    /// How long requests waited before they ran.
    pub(crate) fn queue(&self) -> &Histogram {
        &self.queue
    }

    /// How long those took of which this came.
    pub(crate) fn calls(&self, outcome: ReplyKind) -> &Histogram {
        &self.calls[outcome as usize]
    }
}
