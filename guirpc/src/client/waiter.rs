//! Who is told what becomes of a call: its caller, and whoever follows its trace.

use super::outcome::Outcome;
use crate::trace::CallSpan;

/// Dropped untold, the call was given up.
#[derive(Debug)]
pub(super) struct Waiter {
    caller: Option<oneshot::Sender<Outcome>>,
    span: CallSpan,
}

impl Waiter {
    pub(super) fn new(caller: oneshot::Sender<Outcome>, span: CallSpan) -> Self {
        Waiter { caller: Some(caller), span }
    }

    /// The id under which the call goes out.
    pub(super) fn identify(&self, correlation_id: impl FnOnce() -> String) {
        self.span.identify(correlation_id);
    }

    /// Whether the call was in flight before, on another link.
    pub(super) fn note_repeated(&self, repeated: bool) {
        if repeated {
            self.span.note_repeated();
        }
    }

    /// Tells the outcome; whether the caller still waits for it.
    pub(super) fn tell(mut self, outcome: Outcome) -> bool {
        match &outcome {
            Outcome::Reply(reply) => self.span.reply(reply),
            outcome => {
                if let Some(kind) = outcome.error_type() {
                    self.span.fail(kind);
                }
            }
        }
        // It ends before the caller goes on.
        self.span = CallSpan::default();
        self.caller.take().is_some_and(|caller| caller.send(outcome).is_ok())
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.caller.is_some() {
            self.span.give_up();
        }
    }
}
