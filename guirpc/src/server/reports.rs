//! What the threads of a session tell each other: workers, the consumer thread and the republisher.

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::acks::AckDecision;
use super::delivery::{Delivery, Letter, Republish};
use crate::broker::{Failure, Receipt};
use crate::message::{EncodedReply, Request};

/// What a worker finds to do beside what the broker delivers.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all are about a delivery")]
pub(super) enum Ready {
    /// It may be run now.
    Run(Delivery),
    /// It came with others in one message, and is looked at now.
    Call(Delivery),
    /// It is answered already.
    Answer(Delivery, EncodedReply, Then),
    /// The consumer thread is to be told when this is reached: whatever was taken before is counted then.
    Barrier,
    /// There is nothing more to do in this session.
    End,
}

impl Ready {
    /// The request, if it has not begun.
    pub(super) fn into_unbegun(self) -> Option<Delivery> {
        match self {
            Ready::Run(delivery) => Some(delivery),
            Ready::Call(_) | Ready::Answer(..) | Ready::Barrier | Ready::End => None,
        }
    }

    pub(super) fn delivery_mut(&mut self) -> Option<&mut Delivery> {
        match self {
            Ready::Run(delivery) | Ready::Call(delivery) | Ready::Answer(delivery, ..) => Some(delivery),
            Ready::Barrier | Ready::End => None,
        }
    }
}

/// What follows the reply.
#[derive(Debug)]
pub(super) enum Then {
    /// It is done if the caller has got the reply; where none waits for it, a failure becomes a dead letter.
    Conclude,
    /// It becomes a dead letter all the same.
    DeadLetter(Letter),
}

/// What the consumer thread is told.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all are about a delivery")]
pub(super) enum Report {
    /// A worker is through with a delivery; the answer is kept, in case that it is delivered again.
    Finished(Option<Receipt>, AckDecision, Option<(Request, EncodedReply)>),
    /// It may have been run before: it is to be looked up, counted, or run when the broker knows that it is counted.
    Check(Delivery),
    /// They came in one message, of which some may have been run before, or are acknowledged before they run.
    Calls(Vec<Delivery>),
    /// It certainly did not run: its caller is told when the broker knows that nobody else is to run it.
    Refused(Delivery, EncodedReply),
    /// It is to be published again.
    Republish(Delivery, Republish),
    /// That is done, or cannot be.
    Republished { number: u64, delivery: Delivery, decision: Decision },
    /// A worker has reached [`Ready::Barrier`].
    Barrier,
}

/// Tells the consumer thread, from any thread.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    reports: Sender<Report>,
    wake: Sender<()>,
    lost: Sender<Failure>,
}

/// What the consumer thread hears.
pub(super) struct Reports {
    pub(super) all: Receiver<Report>,
    pub(super) wake: Receiver<()>,
    pub(super) lost: Receiver<Failure>,
}

impl Reporter {
    pub(super) fn new() -> (Self, Reports) {
        let (reports, all_reports) = unbounded();
        let (wake, woken) = bounded(1);
        let (lost, losses) = unbounded();
        (Reporter { reports, wake, lost }, Reports { all: all_reports, wake: woken, lost: losses })
    }

    /// Reports; the consumer thread looks at it with its next tick.
    pub(super) fn note(&self, report: Report) {
        // The consumer thread of a session that is lost listens no more, and the broker will deliver the request again.
        let _ = self.reports.send(report);
    }

    /// Reports, and has the consumer thread look at it at once.
    pub(super) fn report(&self, report: Report) {
        self.note(report);
        self.wake();
    }

    pub(super) fn wake(&self) {
        let _ = self.wake.try_send(());
    }

    /// Says that a consumer, a channel or a connection is gone.
    pub(super) fn lost(&self, failure: Failure) {
        let _ = self.lost.send(failure);
    }
}

/// What is to become of the delivery of a job.
#[derive(Debug)]
pub(super) enum Decision {
    /// The broker has it elsewhere: acknowledge it.
    Published,
    /// It cannot be counted, for this reason: it is not run.
    Uncounted(String),
    /// It can be put nowhere: requeue it, and remember this answer.
    Requeue(Option<EncodedReply>),
}
