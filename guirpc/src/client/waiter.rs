//! Who is told what becomes of a call: its caller, and whoever follows its trace.

use super::calls::Replied;
use super::outcome::Outcome;
use crate::broker::Received;
use crate::trace::CallSpan;

/// Dropped untold, the call was given up.
///
/// It is small, so that those of many replies take no memory of their own.
#[derive(Debug)]
pub(super) struct Waiter {
    caller: oneshot::Sender<Outcome>,
    span: CallSpan,
}

impl Waiter {
    pub(super) fn new(caller: oneshot::Sender<Outcome>, span: CallSpan) -> Self {
        Waiter { caller, span }
    }

    /// The id under which the call goes out.
    pub(super) fn identify(&self, correlation_id: impl FnOnce() -> String) {
        self.span.identify(correlation_id);
    }

    /// Tells the outcome; whether the caller still waits for it.
    pub(super) fn tell(self, outcome: Outcome) -> bool {
        let Waiter { caller, span } = self;
        match &outcome {
            Outcome::Reply(reply) => span.reply(reply),
            outcome => match outcome.error_type() {
                Some(kind) => span.fail(kind),
                None => span.accept(),
            },
        }
        // It ends before the caller goes on.
        drop(span);
        caller.send(outcome).is_ok()
    }
}

impl Replied<Waiter> {
    /// Who is to be told, and what.
    pub(super) fn replied_with(self, reply: Received) -> (Option<Waiter>, Outcome) {
        let Replied { waiter, repeated } = self;
        if repeated {
            waiter.span.note_repeated();
        }
        (Some(waiter), Outcome::from(reply).of_call(repeated))
    }
}
