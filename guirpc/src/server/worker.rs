//! A worker: takes requests while it leads, runs them, replies. It never waits for the broker.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::delivery::{Delivery, Republish};
use super::leader::Leadership;
use super::plan::{LaneService, Plan};
use super::queues::QueueRole;
use super::replies::Replies;
use super::reply_cache::{Key, Known};
use super::replying::{done, fail, finish};
use super::reports::{Ready, Report, Then};
use super::running::Running;
use super::session::Session;
use super::tasks::Tasks;
use crate::broker::{Event, Next};
use crate::codec;
use crate::log::{debug, is_debugged};
use crate::message::{EncodedReply, ReplyKind, Request, dead, status};
use crate::registry::{Ack, Registration};
use crate::scope::Scope;
use crate::statistics::FunctionStatistics;
use crate::trace::TraceContext;

#[cfg(feature = "tokio")]
mod asynchronous;

/// One of the threads that run functions; it outlives sessions.
pub(super) struct Worker {
    pub(super) number: usize,
    pub(super) plan: Arc<Plan>,
    pub(super) leadership: Arc<Leadership<Session>>,
    pub(super) running: Arc<Running>,
    pub(super) replies: Arc<Replies>,
    /// Where `async` functions run.
    pub(super) tasks: Option<Arc<Tasks>>,
}

/// A function that is about to have run.
struct Ending<'a> {
    /// Its place among what runs.
    place: usize,
    session: &'a Arc<Session>,
    function: Option<&'a Registration>,
    key: Option<&'a Key>,
    begun: Instant,
}

impl Worker {
    fn statistics(&self, delivery: &Delivery) -> &FunctionStatistics {
        self.plan.services[delivery.service].statistics.of(&delivery.request.function)
    }

    /// Works until it is dismissed.
    pub(super) fn work(&self) {
        while let Some(session) = self.leadership.take_lead() {
            self.lead(&session);
            session.send_waiting(self.number);
        }
    }

    /// Takes requests for as long as this worker keeps the lead.
    fn lead(&self, session: &Arc<Session>) {
        while session.is_serving() {
            match session.next(self.number) {
                Next::Own(Ready::End) => return self.leadership.retire(session),
                Next::Own(ready) => {
                    session.pause.wait();
                    if !self.take_ready(session, ready) {
                        return;
                    }
                }
                Next::Delivered(inbox, Event::Request(request, receipt)) => {
                    let delivery = session.delivery(inbox, request, receipt);
                    #[cfg(all(test, feature = "embedded"))]
                    super::shutdown::tests::taken(&self.plan.services[delivery.service].dispatcher.service().name);
                    if !session.begin() {
                        session.give_back(delivery);
                    } else if delivery.is_of_calls() {
                        self.take_calls(session, delivery);
                    } else if !self.take(session, delivery) {
                        return;
                    }
                }
                Next::Delivered(_, Event::Cancelled) => break,
                Next::Delivered(_, Event::Lost(loss)) => {
                    // An inbox whose consumer is cancelled ends as one that is lost does.
                    if session.is_serving() {
                        session.report_lost(loss);
                    }
                    break;
                }
            }
        }
        // In a shutdown there may still be something to answer, until the consumer thread ends the session.
        loop {
            match session.next_ready() {
                Ready::End => return self.leadership.retire(session),
                ready => {
                    if !self.take_ready(session, ready) {
                        return;
                    }
                }
            }
        }
    }

    /// Runs a request, or has it checked first; says whether this worker still leads afterwards.
    fn take(&self, session: &Arc<Session>, mut delivery: Delivery) -> bool {
        let served = &self.plan.services[delivery.service];
        if let Some(contracts) = &served.caller_contracts {
            contracts.look(&delivery.request);
        }
        // What is too large is refused, whatever it asks for.
        let is_dropped = delivery.request.dropped.is_some();
        let function = served.dispatcher.function(&delivery.request).filter(|_| !is_dropped);
        if let Err(why) = &delivery.reply_to {
            let letter = delivery.letter(dead::UNANSWERABLE, None, why.clone());
            fail(session, delivery, letter, None);
            return true;
        }
        if let Ok(Some(address)) = &delivery.reply_to {
            delivery.is_accepted = session.reply_nodes.accepts(address);
            if delivery.is_accepted.is_none() {
                // It is known by the time that there is a reply, if all goes well.
                session.reply_nodes.find_out(address, &session.trials, Box::new(|_| ()));
            }
        }
        let Some(function) = function else { return self.run_leading(session, None, None, delivery) };
        let Some((key, delivery)) = self.look_up(session, function, delivery) else { return true };
        if function.ack == Ack::Early || delivery.request.attempts() > 0 || session.is_after_loss() {
            session.report(Report::Check(delivery));
            return true;
        }
        self.run_leading(session, Some(function), key, delivery)
    }

    /// Does what was made ready; says whether this worker still leads afterwards.
    fn take_ready(&self, session: &Arc<Session>, ready: Ready) -> bool {
        match ready {
            Ready::Run(delivery) | Ready::Call(delivery) if !session.is_serving() && !delivery.is_acknowledged() => {
                session.give_back(delivery);
                true
            }
            Ready::Run(delivery) => {
                let function = self.plan.services[delivery.service].dispatcher.function(&delivery.request);
                let Some(function) = function else { return self.run_leading(session, None, None, delivery) };
                match self.look_up(session, function, delivery) {
                    Some((key, delivery)) => self.run_leading(session, Some(function), key, delivery),
                    None => true,
                }
            }
            Ready::Call(delivery) => self.take(session, delivery),
            Ready::Answer(delivery, reply, then) => {
                self.answer(session, delivery, reply, then);
                true
            }
            Ready::Barrier => {
                session.report(Report::Barrier);
                true
            }
            Ready::End => false,
        }
    }

    /// Looks for the answer of an idempotent function, whose callers may ask again; gives back what is to be run.
    fn look_up(
        &self,
        session: &Arc<Session>,
        function: &Registration,
        delivery: Delivery,
    ) -> Option<(Option<Key>, Delivery)> {
        if !function.idempotent {
            return Some((None, delivery));
        }
        let Some(key) = Key::of(&delivery.request) else { return Some((None, delivery)) };
        let known = self.replies.of(delivery.service).find(&key, (Arc::clone(session), delivery), Instant::now());
        match known {
            Known::New((_, delivery)) => return Some((Some(key), delivery)),
            // The worker that runs it answers this one as well.
            Known::Running => {}
            Known::Answered(reply, (_, delivery)) => {
                self.statistics(&delivery).answer_again();
                self.plan.trace_from_cache(&delivery, &reply);
                self.answer(session, delivery, EncodedReply::clone(&reply), Then::Conclude);
            }
        }
        None
    }

    /// Runs a request, and hands the lead on before that if it usually takes long.
    fn run_leading(
        &self,
        session: &Arc<Session>,
        function: Option<&'static Registration>,
        key: Option<Key>,
        delivery: Delivery,
    ) -> bool {
        let is_slow = self.statistics(&delivery).is_usually_slow();
        // In a shutdown there is no tick that would take the lead from one that turns out to be slow.
        if is_slow || !session.is_serving() {
            self.leadership.release_lead();
            session.send_waiting(self.number);
            self.run(session, function, key, delivery);
            return false;
        }
        let turn = self.leadership.begin_turn();
        session.keep_ticking();
        self.run(session, function, key, delivery);
        self.leadership.end_turn(turn)
    }

    fn run(
        &self,
        session: &Arc<Session>,
        function: Option<&'static Registration>,
        key: Option<Key>,
        delivery: Delivery,
    ) {
        if let Some(tasks) = &self.tasks
            && let Some(function) = function.filter(|function| function.is_async())
        {
            return self.run_async(tasks, session, function, key, delivery);
        }
        let served = &self.plan.services[delivery.service];
        let (key, place, now) = (key.as_ref(), self.number, SystemTime::now());
        let source = self.plan.traced(&delivery);
        let begun = self.begin(place, function, key, &delivery, now);
        let reply = served.dispatcher.dispatch_from(Some(&source), &delivery.request, now);
        self.statistics(&delivery).held_up(begun.elapsed());
        self.end(&Ending { place, session, function, key, begun }, delivery, reply);
    }

    /// A request is about to run, at this place among what runs; gives the time.
    fn begin(
        &self,
        place: usize,
        function: Option<&'static Registration>,
        key: Option<&Key>,
        delivery: &Delivery,
        now: SystemTime,
    ) -> Instant {
        let request = &delivery.request;
        self.statistics(delivery).begin(request.age(now), request.attempts() > 0);
        if let Some(key) = key {
            self.replies.of(delivery.service).begin(key);
        }
        let begun = Instant::now();
        self.running.begin(place, request, function.map(|function| (function.name, begun)));
        begun
    }

    /// A request has run: answers it, and those that have joined it.
    fn end(&self, ending: &Ending<'_>, delivery: Delivery, reply: EncodedReply) {
        let Ending { place, session, function, key, begun } = *ending;
        let (Request { function: name, correlation_id, .. }, took) = (&delivery.request, begun.elapsed());
        if is_debugged() {
            Scope::new(None, TraceContext::of(&delivery.request.headers)).run(|| {
                debug!(function = name, correlation_id, status = reply.status, took = took, "answered");
            });
        }
        self.statistics(&delivery).end(&reply, took);
        let served = &self.plan.services[delivery.service];
        let again = function.is_some_and(|function| is_worth_another_attempt(served, function, &delivery, &reply));
        if let Some(key) = key {
            // A failure that no caller is told of becomes a dead letter, and is run again when that is requeued.
            let is_heard = delivery.is_awaited() || reply.status < 400;
            let is_run = reply.kind != Some(ReplyKind::Refusal) && is_heard && !again;
            let joined = {
                let mut replies = self.replies.of(delivery.service);
                if is_run { replies.answered(key, &reply, Instant::now()) } else { replies.forget(key) }
            };
            for (session, mut other) in joined {
                self.statistics(&other).answer_again();
                // What may have been run before, as the one that is answered, may be told so.
                other.request.redelivered |= delivery.request.attempts() > 0;
                self.plan.trace_from_cache(&other, &reply);
                self.conclude(&session, other, reply.clone(), again);
            }
        }
        self.conclude(session, delivery, reply, again);
        self.running.end(place);
    }

    /// Replies, or has a request that failed tried again.
    fn conclude(&self, session: &Arc<Session>, delivery: Delivery, reply: EncodedReply, again: bool) {
        if !again {
            return self.answer(session, delivery, reply, Then::Conclude);
        }
        self.statistics(&delivery).retry();
        let letter = delivery.letter(dead::FAILED, Some(&reply), codec::failure_message(&reply));
        let attempts = delivery.request.attempts().saturating_add(1);
        let what = Republish::Attempt { queue: QueueRole::Retry, attempts, otherwise: Some((letter, reply)) };
        session.report(Report::Republish(delivery, what));
    }

    /// Sends a reply if the caller waits for one; sees to it that a failure does not go unnoticed where none does.
    ///
    /// All replies go through here, so none that refuses leaves out that the function may have run before, or is sent while
    /// the broker may still have the request run.
    fn answer(&self, session: &Arc<Session>, delivery: Delivery, mut reply: EncodedReply, then: Then) {
        reply.note_attempts(delivery.request.attempts());
        let Ok(Some(address)) = &delivery.reply_to else { return finish(session, delivery, reply, then) };
        if !reply.may_have_run() && !delivery.is_acknowledged() {
            return session.report(Report::Refused(delivery, reply));
        }
        if !session.reply_sizes.is_known(reply.body.len()) {
            return find_out_size(session, delivery, reply, then);
        }
        match delivery.is_accepted.or_else(|| session.reply_nodes.accepts(address)) {
            Some(true) => session.answer(self.number, delivery, reply, then),
            Some(false) => {
                // As good as a caller who has left, and as much as can be known of one.
                let correlation_id = &delivery.request.correlation_id;
                debug!(correlation_id, "not replied: the broker does not know the node of the caller");
                finish(session, delivery, reply, then);
            }
            None => find_out(session, delivery, reply, then),
        }
    }

    /// Has the calls of a message run, one after another and by whoever leads.
    fn take_calls(&self, session: &Arc<Session>, delivery: Delivery) {
        let calls = match delivery.into_calls() {
            Ok(calls) => calls,
            Err(refused) => {
                let (delivery, refusal) = *refused;
                return self.answer(session, delivery, refusal, Then::Conclude);
            }
        };
        self.plan.coalesced_calls.note(calls.len());
        // The message itself counts as one.
        (1..calls.len()).for_each(|_| session.take());
        let is_early = |call: &Delivery| self.plan.services[call.service].is_early(&call.request);
        let was_delivered = calls.first().is_some_and(|call| call.request.attempts() > 0);
        if was_delivered || session.is_after_loss() || calls.iter().any(is_early) {
            return session.report(Report::Calls(calls));
        }
        if let Err(unbegun) = session.calls.push(calls) {
            for delivery in unbegun {
                session.give_back(delivery);
            }
        }
    }
}

/// Has the node of a caller tried, on which the reply depends; nothing waits for that.
fn find_out(session: &Arc<Session>, delivery: Delivery, reply: EncodedReply, then: Then) {
    let Ok(Some(address)) = delivery.reply_to.clone() else { return finish(session, delivery, reply, then) };
    let waiting = Arc::clone(session);
    let answer = move |accepts: bool| {
        if accepts && !waiting.is_lost() {
            waiting.make_ready(Ready::Answer(delivery, reply, then));
        } else {
            finish(&waiting, delivery, reply, then);
        }
    };
    session.reply_nodes.find_out(&address, &session.trials, Box::new(answer));
}

/// Has it tried whether the broker takes a reply of this size; nothing waits for that.
fn find_out_size(session: &Arc<Session>, delivery: Delivery, reply: EncodedReply, then: Then) {
    let (waiting, bytes) = (Arc::clone(session), reply.body.len());
    let answer = move || {
        if waiting.is_lost() {
            // Not acknowledged: when it is delivered again it is answered without another run.
            done(&waiting, delivery, reply, false);
        } else {
            waiting.make_ready(Ready::Answer(delivery, reply, then));
        }
    };
    session.reply_sizes.find_out(bytes, Box::new(answer));
}

/// Whether a request whose caller waits for no reply has failed in a way that may pass, and does no harm if it is run
/// again.
fn is_worth_another_attempt(
    served: &LaneService,
    function: &Registration,
    delivery: &Delivery,
    reply: &EncodedReply,
) -> bool {
    let attempts = delivery.request.attempts().saturating_add(1);
    function.idempotent
        && function.ack != Ack::Early
        && !delivery.is_awaited()
        && reply.status >= status::INTERNAL
        && served.max_deliveries().is_some_and(|max| attempts < max)
}
