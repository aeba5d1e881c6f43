//! A request that was delivered and is not acknowledged yet, and what may become of it.

use std::time::SystemTime;

use super::plan::Source;
use super::queues::QueueRole;
use crate::broker::{Receipt, ReplyTo};
use crate::codec::{self, Format};
use crate::error::Refusal;
use crate::message::dead::Death;
use crate::message::{ATTEMPTS, EncodedReply, ReplyKind, Request, dead, status};

/// Whether a request is acknowledged before it runs, or before it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acknowledged {
    No,
    /// It is about to be.
    Soon,
    /// The broker may know, and then it will not deliver the request again.
    Sent,
}

/// A request that was delivered.
#[derive(Debug)]
pub(super) struct Delivery {
    /// For which service of the lane it is, and from which of its queues.
    pub(super) service: usize,
    pub(super) queue: QueueRole,
    pub(super) request: Request,
    pub(super) receipt: Receipt,
    pub(super) acknowledged: Acknowledged,
    /// `None` if the caller waits for no reply; else where, or what is wrong with that address.
    pub(super) reply_to: Result<Option<ReplyTo>, String>,
    /// Whether replies may be sent there; `None` while that is being found out.
    pub(super) is_accepted: Option<bool>,
}

impl Delivery {
    pub(super) fn new(source: Source, mut request: Request, receipt: Receipt) -> Self {
        let Source { service, role: queue, has_counted } = source;
        if !has_counted {
            request.headers.remove(ATTEMPTS);
        }
        let reply_to = ReplyTo::of(&request);
        let (acknowledged, is_accepted) = (Acknowledged::No, Some(true));
        Delivery { service, queue, request, receipt, acknowledged, reply_to, is_accepted }
    }

    /// Whether it runs after it is acknowledged.
    pub(super) fn is_acknowledged(&self) -> bool {
        self.acknowledged != Acknowledged::No
    }

    /// The acknowledgement is on its way, if it is acknowledged before it runs.
    pub(super) fn note_sent(&mut self) {
        if self.is_acknowledged() {
            self.acknowledged = Acknowledged::Sent;
        }
    }

    /// What acknowledges it, if it is not acknowledged yet.
    pub(super) fn into_unacknowledged(self) -> Option<Receipt> {
        (!self.is_acknowledged()).then_some(self.receipt)
    }

    /// Whether the caller waits for a reply that can be sent.
    pub(super) fn is_awaited(&self) -> bool {
        matches!(self.reply_to, Ok(Some(_)))
    }

    /// The reply, and the dead letter, where the function has ended its process each time.
    pub(super) fn crashed(&self) -> (EncodedReply, Letter) {
        let Request { function, dialect, .. } = &self.request;
        let attempts = self.request.attempts();
        let message = format!("`{function}` has begun {attempts} times on this request, and never came to an end");
        let reply = codec::unexpected(Format::readable(*dialect), "CrashError", &message);
        (reply, Letter { reason: dead::CRASHED, status: None, message, attempts })
    }

    /// The reply, and the dead letter, where it cannot be counted that the function begins once more.
    pub(super) fn uncounted(&self, why: &str) -> (EncodedReply, Letter) {
        let Request { function, dialect, .. } = &self.request;
        let attempts = self.request.attempts();
        let message = format!(
            "`{function}` may have begun on this request before, and is not run again since that cannot be counted: {why}"
        );
        let reply = codec::unexpected(Format::readable(*dialect), "CrashError", &message);
        (reply, Letter { reason: dead::UNCOUNTED, status: None, message, attempts })
    }

    /// The reply where the function runs at most once, and the request was delivered before.
    pub(super) fn delivered_before(&self) -> EncodedReply {
        let Request { function, dialect, .. } = &self.request;
        let message =
            format!("`{function}` runs at most once (`ack = \"early\"`), and this request was delivered before");
        codec::refusal(Format::readable(*dialect), &Refusal::new(status::DELIVERED_BEFORE, message))
    }

    /// The dead letter of a request that is not answered.
    pub(super) fn letter(&self, reason: &'static str, reply: Option<&EncodedReply>, message: String) -> Letter {
        // A failure of the function's own is one run more.
        let ran = reply.is_some_and(|reply| reply.kind != Some(ReplyKind::Refusal));
        let attempts = self.request.attempts().saturating_add(ran.into());
        Letter { reason, status: reply.map(|reply| reply.status), message, attempts }
    }
}

/// What a dead letter says beside its request.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) reason: &'static str,
    pub(super) status: Option<u16>,
    pub(super) message: String,
    pub(super) attempts: u32,
}

impl Letter {
    /// The death of this request, which was taken off this queue.
    pub(super) fn death<'a>(&self, request: &Request, queue: &'a str, time: SystemTime) -> Death<'a> {
        let Letter { reason, status, ref message, attempts } = *self;
        Death { reason, queue, time, status, message: message.clone(), attempts, dropped: request.dropped }
    }
}

/// A request that is to be published again: what it is published as.
#[derive(Debug)]
pub(super) enum Republish {
    /// For another attempt, after so many.
    ///
    /// If it cannot be published it becomes a dead letter: this one after this reply, if it has been run.
    Attempt { queue: QueueRole, attempts: u32, otherwise: Option<(Letter, EncodedReply)> },
    /// As a dead letter, after this reply if there was one.
    DeadLetter(Letter, Option<EncodedReply>),
    /// Back as it was, since it has not begun.
    Return,
}
