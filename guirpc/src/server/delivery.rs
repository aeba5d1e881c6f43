//! A delivery, and what can become of it: answered, given back, put aside for another attempt, or buried.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use tracing::{debug, error, warn};

use super::Served;
use super::session::Session;
use super::settling::Verdict;
use crate::broker::{Original, QueueKind, Receipt, ReplyTo};
use crate::codec::{self, Format};
use crate::message::dead::Death;
use crate::message::{EncodedReply, ReplyKind, Request};

/// Before a delivery is given back that could not be buried: the broker would deliver it again at once.
const PAUSE: Duration = Duration::from_secs(1);

/// Where deliveries of one queue go that are not to be run here and now.
#[derive(Debug)]
pub(super) struct Aside {
    /// For another attempt.
    pub(super) retry: String,
    /// How that queue is declared; `None` if it is the one that they come from.
    pub(super) retry_kind: Option<QueueKind>,
    /// For good.
    pub(super) dead: String,
    pub(super) dead_kind: QueueKind,
    /// How often a function begins on one message.
    pub(super) max_deliveries: u32,
}

/// A request that was delivered and is not settled yet.
pub(super) struct Delivery {
    pub(super) session: Arc<Session>,
    pub(super) request: Request,
    pub(super) original: Original,
    /// `None` once it is settled.
    pub(super) receipt: Option<Receipt>,
    /// `None` if nobody waits; else where, or what is wrong with that address.
    pub(super) reply_to: Result<Option<ReplyTo>, String>,
}

impl Delivery {
    /// Whether somebody waits for the reply.
    pub(super) fn is_awaited(&self) -> bool {
        matches!(self.reply_to, Ok(Some(_)))
    }

    /// Why no reply can be sent although one is wanted.
    pub(super) fn unanswerable(&self) -> Option<String> {
        self.reply_to.as_ref().err().cloned()
    }

    /// Whether it is known at once where its reply leads.
    pub(super) fn is_familiar(&self) -> bool {
        self.reply_to.as_ref().ok().and_then(Option::as_ref).is_none_or(|address| self.session.knows(address))
    }

    /// Acknowledges it before its function runs; says whether the broker knows.
    pub(super) fn settle_now(&mut self) -> bool {
        self.receipt.take().is_none_or(|receipt| self.session.settle_now(receipt))
    }

    /// It is done, and so is whatever had to be said about it.
    pub(super) fn done(self) {
        match self.receipt {
            Some(receipt) => self.session.finish(receipt, Verdict::Ack),
            None => self.session.leave(),
        }
    }

    /// Replies on the channel of this worker, if anybody waits.
    pub(super) fn answer(self, worker: usize, reply: &EncodedReply) {
        if self.tell(worker, reply) {
            self.done();
        }
    }

    /// Publishes a reply if anybody waits, or at least that it cannot be sent.
    ///
    /// False if not even that: the session is lost, and the request will be delivered again, if it is not settled.
    pub(super) fn tell(&self, worker: usize, reply: &EncodedReply) -> bool {
        let Ok(Some(address)) = &self.reply_to else { return true };
        let Request { function, correlation_id, dialect, .. } = &self.request;
        let Err(why) = self.session.reply(worker, address, correlation_id.clone(), reply) else { return true };
        warn!(function, correlation_id, "the reply cannot be sent: {why}");
        let message = format!("the reply of `{function}` cannot be sent: {why}");
        let news = codec::unexpected(Format::readable(*dialect), "PublishError", &message);
        self.session.reply(worker, address, correlation_id.clone(), &news).is_ok()
    }

    /// Puts it aside for another attempt, after so many; gives it back to the caller if that cannot be done.
    pub(super) fn again(self, aside: &Aside, attempts: u32) -> Option<Self> {
        // Held until the verdict is passed: whoever begins the attempt waits for it.
        let session = Arc::clone(&self.session);
        let mut way = session.aside();
        if let Err(why) = way.again(&aside.retry, &self.original, &self.request.body, attempts) {
            let Request { function, correlation_id, .. } = &self.request;
            warn!(function, correlation_id, "cannot be put aside for another attempt: {why}");
            session.report_if_lost(&why);
            return Some(self);
        }
        self.done();
        None
    }

    /// Makes it a dead letter.
    pub(super) fn bury(self, served: &Served, reason: &'static str, reply: Option<&EncodedReply>, message: String) {
        let status = reply.map(|reply| reply.status);
        let Request { function, correlation_id, .. } = &self.request;
        let Some(aside) = &served.aside else {
            warn!(function, correlation_id, status, "failed, and nobody waits for the reply: {message}");
            return self.done();
        };
        // A failure of the function's own is one run more.
        let ran = reply.is_some_and(|reply| reply.kind != Some(ReplyKind::Refusal));
        let attempts = self.request.attempts().saturating_add(ran.into());
        let death = Death { reason, queue: &served.queue, time: SystemTime::now(), status, message, attempts };
        let buried =
            self.session.aside().bury(&aside.dead, aside.dead_kind, &self.original, &self.request.body, &death);
        match buried {
            Ok(()) => {
                let Death { message, .. } = death;
                warn!(function, correlation_id, status, queue = aside.dead, "{reason}, now a dead letter: {message}");
                self.done();
            }
            Err(why) => {
                error!(function, correlation_id, status, queue = aside.dead, "cannot become a dead letter: {why}");
                self.session.report_if_lost(&why);
                thread::sleep(PAUSE);
                match self.receipt {
                    Some(receipt) => self.session.finish(receipt, Verdict::GiveBack),
                    None => self.session.leave(),
                }
            }
        }
    }

    /// The news for whoever waits that the function ends its process.
    pub(super) fn crashed(&self) -> (EncodedReply, String) {
        let Request { function, dialect, .. } = &self.request;
        let attempts = self.request.attempts();
        let message = format!("`{function}` has begun {attempts} times on this request, and never came to an end");
        (codec::unexpected(Format::readable(*dialect), "CrashError", &message), message)
    }
}

/// What was not begun is given back: another server shall have it.
///
/// The broker would deliver again what is simply returned to it, as if it might have been begun.
/// So it is put back as what it was, with its count; only what was delivered again already is returned as it is.
pub(super) fn give_back(session: &Session, services: &[Served], fetched: Vec<(usize, Delivery)>, is_blocked: bool) {
    // While the broker takes no messages, nothing can be put back.
    let may_be_put_back = |(service, it): &(usize, Delivery)| {
        !is_blocked && services[*service].aside.is_some() && !it.request.redelivered
    };
    let (fresh, others): (Vec<_>, Vec<_>) = fetched.into_iter().partition(may_be_put_back);
    let copies = fresh.iter().map(|(service, it)| {
        let served = &services[*service];
        let attempts = it.request.attempts();
        let aside = served.aside.as_ref().filter(|_| attempts > 0);
        let queue = aside.map_or(&served.queue, |aside| &aside.retry);
        (queue.as_str(), &it.original, it.request.body.as_slice(), attempts)
    });
    let put_back = session.aside().all_again(copies);
    let verdict = if put_back.is_ok() { Verdict::Ack } else { Verdict::GiveBack };
    if let Err(why) = put_back {
        debug!("what was not begun is returned, since it cannot be put back: {why}");
    }
    let verdicts =
        fresh.into_iter().map(|it| (it, verdict)).chain(others.into_iter().map(|it| (it, Verdict::GiveBack)));
    for ((_, delivery), verdict) in verdicts {
        session.count_given_back();
        if let Some(receipt) = delivery.receipt {
            session.finish(receipt, verdict);
        }
    }
}
