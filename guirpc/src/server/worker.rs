//! A worker: takes requests while it leads, runs them, replies.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use tracing::{debug, warn};

use super::crew::Crew;
use super::session::Session;
use super::settling::Verdict;
use super::{Plan, Served};
use crate::broker::{Event, Receipt, ReplyTo};
use crate::codec::{self, Format};
use crate::message::{EncodedReply, Request};
use crate::registry::Ack;

/// One of the threads that run functions; it outlives sessions.
pub(super) struct Worker {
    pub(super) number: usize,
    pub(super) plan: Arc<Plan>,
    pub(super) crew: Arc<Crew<Session>>,
}

impl Worker {
    /// Works until the crew is dismissed.
    pub(super) fn run(&self) {
        while let Some(session) = self.crew.take_lead() {
            self.lead(&session);
        }
    }

    /// Takes requests for as long as this worker keeps the lead.
    fn lead(&self, session: &Arc<Session>) {
        loop {
            match session.next() {
                (service, Event::Request(request, receipt)) => {
                    if !session.begin() {
                        session.finish(receipt, Verdict::GiveBack);
                    } else if !self.take(session, &self.plan.services[service], request, receipt) {
                        return;
                    }
                }
                (_, Event::Cancelled) => return self.crew.retire(session),
                (_, Event::Lost(reason)) => {
                    session.report_lost(&reason);
                    return self.crew.retire(session);
                }
            }
        }
    }

    /// Runs a request; says whether this worker still leads afterwards.
    fn take(&self, session: &Session, served: &Served, request: Request, receipt: Receipt) -> bool {
        let early = served.dispatcher.function(&request).is_some_and(|function| function.ack == Ack::Early);
        if early || served.paces.is_slow(&request.function) {
            self.crew.release_lead();
            self.answer(session, served, request, receipt, early);
            return false;
        }
        let turn = self.crew.begin_turn();
        session.keep_ticking();
        self.answer(session, served, request, receipt, early);
        self.crew.end_turn(turn)
    }

    fn answer(&self, session: &Session, served: &Served, request: Request, receipt: Receipt, early: bool) {
        let reply_to = match request.reply_to.as_deref().map(ReplyTo::parse).transpose() {
            Ok(reply_to) => reply_to,
            Err(why) => {
                warn!(correlation_id = request.correlation_id, function = request.function, "not run: {why}");
                return session.finish(receipt, Verdict::Ack);
            }
        };
        let receipt = if early {
            if !session.settle_now(receipt) {
                debug!(correlation_id = request.correlation_id, "not run: the connection is gone");
                return session.leave();
            }
            None
        } else {
            Some(receipt)
        };
        let begun = Instant::now();
        let reply = served.dispatcher.dispatch(&request, SystemTime::now());
        let took = begun.elapsed();
        served.paces.record(&request.function, took);
        debug!(
            function = request.function,
            correlation_id = request.correlation_id,
            status = reply.status,
            ?took,
            "answered"
        );
        match reply_to {
            Some(address) => self.reply(session, &address, request, &reply),
            None => log_failure(&request, &reply),
        }
        match receipt {
            Some(receipt) => session.finish(receipt, Verdict::Ack),
            None => session.leave(),
        }
    }
}

impl Worker {
    /// Publishes a reply, or at least that it cannot be sent.
    fn reply(&self, session: &Session, address: &ReplyTo, request: Request, reply: &EncodedReply) {
        let Request { function, correlation_id, dialect, .. } = request;
        if let Err(why) = session.reply(self.number, address, correlation_id.clone(), reply) {
            warn!(function, correlation_id, "the reply cannot be sent: {why}");
            let message = format!("the reply of `{function}` cannot be sent: {why}");
            let news = codec::unexpected(Format::readable(dialect), "PublishError", &message);
            // If this fails too, the session is lost, and the request will be delivered again.
            let _ = session.reply(self.number, address, correlation_id, &news);
        }
    }
}

/// Nobody waits, so the log is the only one to tell.
fn log_failure(request: &Request, reply: &EncodedReply) {
    if reply.status >= 400 {
        warn!(
            function = request.function,
            correlation_id = request.correlation_id,
            status = reply.status,
            "failed, and nobody waits for the reply: {}",
            codec::failure_message(reply)
        );
    }
}
