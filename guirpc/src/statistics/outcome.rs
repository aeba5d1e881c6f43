//! What comes of a request, as it is counted.

use crate::message::{EncodedReply, ReplyKind};

/// What comes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerOutcome {
    Output,
    Error,
    Fault,
    Refusal,
}

impl ServerOutcome {
    #[cfg(feature = "metrics")]
    pub(crate) const ALL: [ServerOutcome; 4] =
        [ServerOutcome::Output, ServerOutcome::Error, ServerOutcome::Fault, ServerOutcome::Refusal];

    /// As metrics name it.
    #[cfg(feature = "metrics")]
    pub(crate) fn label(self) -> &'static str {
        match self {
            ServerOutcome::Output => "output",
            ServerOutcome::Error => "error",
            ServerOutcome::Fault => "fault",
            ServerOutcome::Refusal => "refusal",
        }
    }

    pub(super) fn of(reply: &EncodedReply) -> Self {
        match reply.kind {
            Some(ReplyKind::Refusal) => ServerOutcome::Refusal,
            Some(ReplyKind::Error) => ServerOutcome::Error,
            Some(ReplyKind::Fault) => ServerOutcome::Fault,
            // In Python's dialect errors and faults look alike.
            None if reply.status >= 400 => ServerOutcome::Fault,
            Some(ReplyKind::Output) | None => ServerOutcome::Output,
        }
    }
}
