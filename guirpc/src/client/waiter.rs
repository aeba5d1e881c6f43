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
    followers: Option<Box<Followers>>,
}

/// Who is told beside the caller.
#[derive(Debug)]
struct Followers {
    span: CallSpan,
    #[cfg(feature = "metrics")]
    measured: Option<Measured>,
}

impl Waiter {
    /// And where the caller finds the outcome.
    pub(super) fn new(span: CallSpan) -> (Self, oneshot::AsyncReceiver<Outcome>) {
        let (caller, receiver) = oneshot::async_channel();
        let followers = (!span.is_none()).then(|| Box::new(Followers::of(span)));
        (Waiter { caller, followers }, receiver)
    }

    /// Its outcome is measured as that of other calls of the function, if they are.
    #[cfg(feature = "metrics")]
    pub(super) fn measured_by(mut self, prepared: &Prepared) -> Self {
        if let Some(times) = &prepared.times {
            let followers = self.followers.get_or_insert_with(|| Box::new(Followers::of(CallSpan::default())));
            followers.measured = Some(Measured::begin(times, !prepared.request.wants_reply));
        }
        self
    }

    /// The id under which the call goes out.
    pub(super) fn identify(&self, correlation_id: impl FnOnce() -> String) {
        if let Some(followers) = &self.followers {
            followers.span.identify(correlation_id);
        }
    }

    /// The caller has given up; so has the span, which was not decided.
    pub(super) fn abandon(self) {
        #[cfg(feature = "metrics")]
        if let Some(measured) = self.followers.and_then(|followers| followers.measured) {
            measured.end(CallOutcome::Abandoned);
        }
        drop(self.caller);
    }

    /// Tells the outcome; whether the caller still waits for it.
    pub(super) fn tell(self, outcome: Outcome) -> bool {
        // What follows it ends before the caller goes on.
        if let Some(followers) = self.followers {
            followers.tell(&outcome);
        }
        self.caller.send(outcome).is_ok()
    }
}

impl Followers {
    fn of(span: CallSpan) -> Self {
        Followers {
            span,
            #[cfg(feature = "metrics")]
            measured: None,
        }
    }

    fn tell(self, outcome: &Outcome) {
        match outcome {
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
    }
}

impl Replied<Waiter> {
    /// Who is to be told, and what.
    pub(super) fn replied_with(self, reply: Received) -> (Option<Waiter>, Outcome) {
        let Replied { waiter, repeated } = self;
        if repeated && let Some(followers) = &waiter.followers {
            followers.span.note_repeated();
        }
        (Some(waiter), Outcome::from(reply).of_call(repeated))
    }
}
