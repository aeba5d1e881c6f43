//! A request that was delivered and is not acknowledged yet, and what may become of it.

use std::time::SystemTime;

use super::queues::QueueRole;
use crate::broker::{Receipt, ReplyTo};
use crate::codec::{self, Format};
use crate::message::dead::Death;
use crate::message::{EncodedReply, ReplyKind, Request, dead};

/// A request that was delivered.
#[derive(Debug)]
pub(super) struct Delivery {
    /// For which service of the lane it is, and from which of its queues.
    pub(super) service: usize,
    pub(super) queue: QueueRole,
    pub(super) request: Request,
    pub(super) receipt: Receipt,
    pub(super) is_acknowledged: bool,
    /// `None` if the caller waits for no reply; else where, or what is wrong with that address.
    pub(super) reply_to: Result<Option<ReplyTo>, String>,
    /// Whether replies may be sent there; `None` while that is being found out.
    pub(super) is_accepted: Option<bool>,
}

impl Delivery {
    pub(super) fn new((service, queue): (usize, QueueRole), request: Request, receipt: Receipt) -> Self {
        let reply_to = ReplyTo::of(&request);
        Delivery { service, queue, request, receipt, is_acknowledged: false, reply_to, is_accepted: Some(true) }
    }

    /// What acknowledges it, if it is not acknowledged yet.
    pub(super) fn into_unacknowledged(self) -> Option<Receipt> {
        (!self.is_acknowledged).then_some(self.receipt)
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
    /// If it cannot be published it becomes a dead letter, or without one is run here and now.
    Attempt { queue: QueueRole, attempts: u32, otherwise: Option<(Letter, EncodedReply)> },
    /// As a dead letter, after this reply if there was one.
    DeadLetter(Letter, Option<EncodedReply>),
    /// Back as it was, since it has not begun.
    Return,
}
