//! A worker: takes requests while it leads, runs them, replies.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use tracing::{debug, warn};

use super::crew::Crew;
use super::delivery::{Delivery, give_back};
use super::reply_cache::{Key, Known};
use super::session::Session;
use super::{Plan, Served};
use crate::broker::Event;
use crate::codec;
use crate::message::{EncodedReply, ReplyKind, Request, dead, status};
use crate::registry::{Ack, Registration};

/// One of the threads that run functions; it outlives sessions.
pub(super) struct Worker {
    pub(super) number: usize,
    pub(super) plan: Arc<Plan>,
    pub(super) crew: Arc<Crew<Session>>,
}

impl Worker {
    /// Works until the crew is dismissed.
    pub(super) fn work(&self) {
        while let Some(session) = self.crew.take_lead() {
            self.lead(&session);
        }
    }

    /// Takes requests for as long as this worker keeps the lead.
    fn lead(&self, session: &Arc<Session>) {
        loop {
            let (service, event) = session.next();
            let served = &self.plan.services[service];
            match event {
                Event::Request(request, original, receipt) => {
                    let delivery = session.deliver(request, original, receipt);
                    if !session.begin() {
                        if session.is_lost() {
                            return self.crew.retire(session);
                        }
                        give_back(session, &self.plan.services, vec![(service, delivery)], false);
                    } else if !self.take(session, served, delivery) {
                        return;
                    }
                }
                Event::Cancelled => return self.crew.retire(session),
                Event::Lost(loss) => {
                    session.report_lost(loss);
                    return self.crew.retire(session);
                }
            }
        }
    }

    /// Runs a request; says whether this worker still leads afterwards.
    fn take(&self, session: &Session, served: &Served, delivery: Delivery) -> bool {
        let function = served.dispatcher.function(&delivery.request);
        let is_early = function.is_some_and(|function| function.ack == Ack::Early);
        // What comes again is put aside first, a strange address is tried: that takes as long as the broker likes.
        let asks_broker = delivery.request.redelivered || !delivery.is_familiar();
        if is_early || asks_broker || served.paces.is_slow(&delivery.request.function) {
            self.crew.release_lead();
            self.answer(served, function, delivery);
            return false;
        }
        let turn = self.crew.begin_turn();
        session.keep_ticking();
        self.answer(served, function, delivery);
        self.crew.end_turn(turn)
    }

    fn answer(&self, served: &Served, function: Option<&Registration>, mut delivery: Delivery) {
        if let Some(why) = delivery.unanswerable() {
            return delivery.bury(served, dead::UNANSWERABLE, None, why);
        }
        let Some(function) = function else { return self.run(served, None, None, delivery) };
        if function.ack == Ack::Early && !delivery.settle_now() {
            debug!(correlation_id = delivery.request.correlation_id, "not run: the connection is gone");
            return delivery.done();
        }
        let key = Key::of(&delivery.request);
        if let Some(key) = &key
            && (function.idempotent || delivery.request.attempts() > 0)
        {
            match served.replies().find(key, delivery) {
                Known::Running => return,
                // Its failure may not have been set aside before it came again.
                Known::Answered(reply, delivery) => return self.conclude(served, delivery, &reply, false),
                Known::New(new) => delivery = new,
            }
        }
        // The function may have begun on it before, and may be what ended that process.
        let may_have_begun = delivery.request.redelivered && function.ack != Ack::Early;
        if may_have_begun && !served.dispatcher.is_expired(&delivery.request, SystemTime::now()) {
            match self.count(served, delivery) {
                Some(uncounted) => delivery = uncounted,
                None => return,
            }
        }
        // Else this attempt could end the process before the broker has got the acknowledgement of the last delivery.
        if delivery.request.attempts() > 0 && !delivery.session.settle_all() {
            return;
        }
        self.run(served, Some(function), key.as_ref(), delivery);
    }

    /// Has a request that comes again counted, or buried, elsewhere; gives it back if it is to be run here after all.
    fn count(&self, served: &Served, delivery: Delivery) -> Option<Delivery> {
        let Some(aside) = &served.aside else { return Some(delivery) };
        let attempts = delivery.request.attempts();
        if attempts < aside.max_deliveries {
            if attempts > 1 {
                // Once is what a restart of the broker or of a server does to any request.
                let Request { function, correlation_id, .. } = &delivery.request;
                let most = aside.max_deliveries;
                warn!(function, correlation_id, "begun {attempts} times and not finished, of {most} at most");
            }
            return delivery.again(aside, attempts);
        }
        let (news, message) = delivery.crashed();
        delivery.tell(self.number, &news);
        delivery.bury(served, dead::CRASHED, None, message);
        None
    }

    fn run(&self, served: &Served, function: Option<&Registration>, key: Option<&Key>, delivery: Delivery) {
        if let Some(key) = key {
            served.replies().begin(key);
        }
        let request = &delivery.request;
        let begun = Instant::now();
        let reply = Arc::new(served.dispatcher.dispatch(request, SystemTime::now()));
        let took = begun.elapsed();
        served.paces.record(&request.function, took);
        debug!(
            function = request.function,
            correlation_id = request.correlation_id,
            status = reply.status,
            ?took,
            "answered"
        );
        let again = function.is_some_and(|function| is_worth_another_attempt(served, function, &delivery, &reply));
        let is_run = reply.kind != Some(ReplyKind::Refusal) && !again;
        let joined = key.map_or_else(Vec::new, |key| {
            let mut replies = served.replies();
            if is_run { replies.answered(key, &reply, Instant::now()) } else { replies.forget(key) }
        });
        for other in joined {
            self.conclude(served, other, &reply, again);
        }
        self.conclude(served, delivery, &reply, again);
    }

    /// Replies; where nobody waits, sees to it that a failure does not go unnoticed.
    fn conclude(&self, served: &Served, delivery: Delivery, reply: &EncodedReply, again: bool) {
        if delivery.is_awaited() || reply.status < 400 {
            return delivery.answer(self.number, reply);
        }
        let message = codec::failure_message(reply);
        if reply.status == status::EXPIRED {
            debug!(correlation_id = delivery.request.correlation_id, "dropped: {message}");
            return delivery.done();
        }
        let delivery = match &served.aside {
            Some(aside) if again => {
                let attempts = delivery.request.attempts().saturating_add(1);
                match delivery.again(aside, attempts) {
                    None => return,
                    Some(delivery) => delivery,
                }
            }
            _ => delivery,
        };
        delivery.bury(served, dead::FAILED, Some(reply), message);
    }
}

/// Whether a request that nobody waits for has failed in a way that may pass, and does no harm if it is run again.
fn is_worth_another_attempt(
    served: &Served,
    function: &Registration,
    delivery: &Delivery,
    reply: &EncodedReply,
) -> bool {
    let aside = served.aside.as_ref();
    function.idempotent
        && function.ack != Ack::Early
        && !delivery.is_awaited()
        && reply.status >= status::INTERNAL
        && aside.is_some_and(|aside| delivery.request.attempts().saturating_add(1) < aside.max_deliveries)
}
