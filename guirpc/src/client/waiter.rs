//! Who is told what becomes of a call: its caller, whoever follows its trace, and metrics.

#[cfg(feature = "metrics")]
use super::Prepared;
use super::calls::Replied;
use super::outcome::Outcome;
use crate::broker::Received;
#[cfg(feature = "metrics")]
use crate::metrics::{CallOutcome, Measured};
use crate::trace::CallSpan;

/// It is small, so that those of many replies take no memory of their own.
#[derive(Debug)]
pub(super) struct Waiter {
    caller: oneshot::Sender<Outcome>,
    span: CallSpan,
    #[cfg(feature = "metrics")]
    measured: Option<Measured>,
}

impl Waiter {
    /// And where the caller finds the outcome.
    pub(super) fn new(span: CallSpan) -> (Self, oneshot::AsyncReceiver<Outcome>) {
        let (caller, receiver) = oneshot::async_channel();
        let waiter = Waiter {
            caller,
            span,
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

    /// The id under which the call goes out.
    pub(super) fn identify(&self, correlation_id: impl FnOnce() -> String) {
        self.span.identify(correlation_id);
    }

    /// The caller has given up; so has the span, which was not decided.
    pub(super) fn abandon(self) {
        #[cfg(feature = "metrics")]
        if let Some(measured) = self.measured {
            measured.end(CallOutcome::Abandoned);
        }
        drop(self.caller);
    }

    /// Tells the outcome; whether the caller still waits for it.
    pub(super) fn tell(self, outcome: Outcome) -> bool {
        match &outcome {
            Outcome::Reply(reply) => self.span.reply(reply),
            outcome => match outcome.error_type() {
                Some(kind) => self.span.fail(kind),
                None => self.span.accept(),
            },
        }
        #[cfg(feature = "metrics")]
        if let Some(measured) = self.measured {
            measured.end(outcome.measured());
        }
        // It ends before the caller goes on.
        drop(self.span);
        self.caller.send(outcome).is_ok()
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
