//! Who is told what becomes of a call.

#[cfg(feature = "metrics")]
use super::Prepared;
use super::outcome::Outcome;
#[cfg(feature = "metrics")]
use crate::metrics::{CallOutcome, Measured};

/// Tells a caller the outcome; no larger than a word and a tag, since there are many.
pub(super) enum Waiter {
    Plain(oneshot::Sender<Outcome>),
    /// Its outcome is measured.
    #[cfg(feature = "metrics")]
    Measured(Box<(oneshot::Sender<Outcome>, Measured)>),
}

impl Waiter {
    /// And where the caller finds it.
    pub(super) fn new() -> (Self, oneshot::AsyncReceiver<Outcome>) {
        let (sender, receiver) = oneshot::async_channel();
        (Waiter::Plain(sender), receiver)
    }

    /// Its outcome is measured as that of other calls of the function, if they are.
    #[cfg(feature = "metrics")]
    pub(super) fn measured_by(self, prepared: &Prepared) -> Self {
        match (self, &prepared.times) {
            (Waiter::Plain(sender), Some(times)) => {
                Waiter::Measured(Box::new((sender, Measured::begin(times, !prepared.request.wants_reply))))
            }
            (waiter, _) => waiter,
        }
    }

    /// The caller has given up.
    pub(super) fn abandon(self) {
        match self {
            Waiter::Plain(sender) => drop(sender),
            #[cfg(feature = "metrics")]
            Waiter::Measured(measured) => measured.1.end(CallOutcome::Abandoned),
        }
    }

    /// False if the caller has given up.
    #[cfg_attr(
        not(feature = "metrics"),
        allow(clippy::infallible_destructuring_match, reason = "with metrics there is another form")
    )]
    pub(super) fn tell(self, outcome: Outcome) -> bool {
        let sender = match self {
            Waiter::Plain(sender) => sender,
            #[cfg(feature = "metrics")]
            Waiter::Measured(measured) => {
                let (sender, measured) = *measured;
                measured.end(outcome.measured());
                sender
            }
        };
        sender.send(outcome).is_ok()
    }
}
