//! Who is told what becomes of a call.

#[cfg(feature = "metrics")]
use super::Prepared;
use super::outcome::Outcome;
#[cfg(feature = "metrics")]
use crate::metrics::{CallOutcome, Measured};

/// Tells a caller the outcome.
pub(super) struct Waiter {
    outcome: oneshot::Sender<Outcome>,
    #[cfg(feature = "metrics")]
    measured: Option<Measured>,
}

impl Waiter {
    /// And where the caller finds it.
    pub(super) fn new() -> (Self, oneshot::AsyncReceiver<Outcome>) {
        let (sender, receiver) = oneshot::async_channel();
        let waiter = Waiter {
            outcome: sender,
            #[cfg(feature = "metrics")]
            measured: None,
        };
        (waiter, receiver)
    }

    /// Its outcome is measured as that of other calls of the function, if they are.
    #[cfg(feature = "metrics")]
    pub(super) fn measured_by(self, prepared: &Prepared) -> Self {
        let measured = prepared.times.as_ref().map(|times| Measured::begin(times, !prepared.request.wants_reply));
        Waiter { measured, ..self }
    }

    /// The caller has given up.
    pub(super) fn abandon(self) {
        #[cfg(feature = "metrics")]
        if let Some(measured) = self.measured {
            measured.end(CallOutcome::Abandoned);
        }
        drop(self.outcome);
    }

    /// False if the caller has given up.
    pub(super) fn tell(self, outcome: Outcome) -> bool {
        #[cfg(feature = "metrics")]
        if let Some(measured) = self.measured {
            measured.end(outcome.measured());
        }
        self.outcome.send(outcome).is_ok()
    }
}
