//! What the consumer thread does with what it is told: remembers, looks up, counts, has published again.

use std::time::SystemTime;

use super::super::acks::AckDecision;
use super::super::delivery::{Acknowledged, Delivery, Letter, Republish};
use super::super::queues::QueueRole;
use super::super::reports::{Decision, Ready, Report, Then};
use super::super::republisher::Job;
use super::super::triage::{Facts, Step};
use super::ConsumerLoop;
use super::memory::Unfinished;
use crate::broker::Receipt;
use crate::log::warn;
use crate::message::{EncodedReply, Request};

impl ConsumerLoop<'_> {
    pub(super) fn take_report(&mut self, report: Report) {
        match report {
            Report::Finished(receipt, decision, answer) => {
                if let Some((request, reply)) = answer {
                    self.make_room_in_journal(receipt.as_ref());
                    self.memory.journal.remember(request, reply);
                }
                self.finish(receipt, decision);
            }
            Report::Check(delivery) => self.check(delivery),
            Report::Calls(calls) => self.take_apart(calls),
            Report::Refused(delivery, reply) if delivery.is_coalesced() => self.refuse_coalesced(delivery, reply),
            Report::Refused(mut delivery, reply) => {
                self.acknowledge_before(&mut delivery);
                self.waiting.push((Ready::Answer(delivery, reply, Then::Conclude), self.next_job));
            }
            Report::Republish(delivery, Republish::Return) => self.return_unbegun(delivery),
            Report::Republish(delivery, what) => self.republish(delivery, what),
            Report::Republished { number, delivery, decision } => self.republished(number, delivery, decision),
            Report::Barrier => self.is_barrier_reached = true,
        }
    }

    fn finish(&mut self, receipt: Option<Receipt>, decision: AckDecision) {
        if let Some(receipt) = receipt {
            self.decide(receipt, decision);
        }
        self.session.leave();
    }

    /// Decides what is to be done with a request that may have been run before.
    pub(super) fn check(&mut self, mut delivery: Delivery) {
        if !self.session.is_serving() {
            return self.return_unbegun(delivery);
        }
        let is_early = self.context.plan.services[delivery.service].is_early(&delivery.request);
        if !is_early {
            // In this order: what is not running any more has been reported.
            let is_running = self.context.running.has(&delivery.request);
            if let Some(reply) = self.answer(&delivery) {
                self.context.plan.trace_from_cache(&delivery, &reply);
                return self.session.make_ready(Ready::Answer(delivery, reply, Then::Conclude));
            }
            if is_running {
                // Whatever the broker says of it.
                delivery.request.redelivered = true;
                return self.parked.push(delivery);
            }
        }
        match self.facts(&delivery, is_early).step() {
            // Those that came with it and are published again first are not run by this one's delivery.
            Step::Run if delivery.is_coalesced() => self.waiting.push((Ready::Run(delivery), self.next_job)),
            Step::Run => self.session.make_ready(Ready::Run(delivery)),
            Step::RunOnceAcknowledged { own } => {
                if own {
                    self.acknowledge_before(&mut delivery);
                }
                self.waiting.push((Ready::Run(delivery), self.next_job));
            }
            Step::Part => self.submit(delivery, Republish::Return),
            Step::Count(queue) => {
                let attempts = delivery.request.attempts();
                if attempts > 1 {
                    // Once is what a restart of the broker or of a server does to any request.
                    let Request { function, correlation_id, .. } = &delivery.request;
                    warn!(function, correlation_id, attempts, "it has begun before, and not been finished");
                }
                self.republish(delivery, Republish::Attempt { queue, attempts, otherwise: None });
            }
            Step::Refuse => {
                let reply = delivery.delivered_before();
                self.session.make_ready(Ready::Answer(delivery, reply, Then::Conclude));
            }
            Step::DeadLetter => {
                let (reply, letter) = delivery.crashed();
                self.session.make_ready(Ready::Answer(delivery, reply, Then::DeadLetter(letter)));
            }
        }
    }

    /// Acknowledges a request that is still to be run, or to be answered.
    fn acknowledge_before(&mut self, delivery: &mut Delivery) {
        delivery.acknowledged = Acknowledged::Soon;
        self.decide(delivery.receipt.clone(), AckDecision::Ack);
    }

    fn facts(&self, delivery: &Delivery, is_early: bool) -> Facts {
        let service = &self.context.plan.services[delivery.service];
        Facts {
            is_redelivered: delivery.request.redelivered,
            attempts: delivery.request.attempts(),
            max_deliveries: service.max_deliveries(),
            is_early,
            is_expired: service.dispatcher.is_expired(&delivery.request, SystemTime::now()),
            is_coalesced: delivery.is_coalesced(),
        }
    }

    /// What was answered to this request before, if it was.
    fn answer(&mut self, delivery: &Delivery) -> Option<EncodedReply> {
        self.memory.collect();
        let reply = self.memory.journal.find(&delivery.request)?;
        // A failure that was reported to no caller is a dead letter by now, and may have been requeued by hand.
        let is_requeued = !delivery.is_awaited() && reply.status >= 400 && delivery.request.attempts() == 0;
        (!is_requeued).then(|| reply.clone())
    }

    /// Goes on with what was acknowledged on sessions that are lost, so that nobody else has it.
    pub(in crate::server) fn take_up(&mut self) {
        self.memory.collect();
        for unfinished in self.memory.take_unfinished() {
            self.session.take();
            match unfinished {
                Unfinished::Unbegun(delivery) => self.session.make_ready(Ready::Run(delivery)),
                Unfinished::Failed(delivery, what) => self.republish(delivery, what),
            }
        }
    }

    /// Looks once more for the answers of what was running.
    pub(super) fn check_parked(&mut self) {
        for delivery in std::mem::take(&mut self.parked) {
            self.check(delivery);
        }
    }

    /// Puts a request back that has not begun: another server shall have it.
    ///
    /// The broker would mark what is simply requeued, as if it might have been begun. So it is published as what it was,
    /// with its count; only what is marked already is requeued as it is.
    pub(in super::super) fn return_unbegun(&mut self, delivery: Delivery) {
        let service = &self.context.plan.services[delivery.service];
        // Of what was dropped there is nothing to publish.
        let is_dropped = delivery.request.dropped.is_some();
        let is_alone = !delivery.is_coalesced();
        if (delivery.request.redelivered && is_alone) || is_dropped || service.failure_queues.is_none() {
            self.requeued += 1;
            self.finish(delivery.into_unacknowledged(), AckDecision::Requeue);
        } else if self.is_blocked {
            self.held.push(delivery);
        } else if delivery.is_of_calls() {
            self.return_calls(delivery);
        } else if !delivery.request.redelivered {
            self.submit(delivery, Republish::Return);
        } else if service.is_early(&delivery.request) {
            let reply = delivery.delivered_before();
            self.session.make_ready(Ready::Answer(delivery, reply, Then::Conclude));
        } else {
            // What came with it may have been answered, and is not to be run again for its sake.
            let attempts = delivery.request.attempts();
            self.submit(delivery, Republish::Attempt { queue: QueueRole::Retry, attempts, otherwise: None });
        }
    }

    /// Gives the calls of a message back singly; what is no such message another server refuses.
    fn return_calls(&mut self, delivery: Delivery) {
        match delivery.into_calls() {
            Ok(calls) => {
                // The message itself counts as one.
                (1..calls.len()).for_each(|_| self.session.take());
                for call in calls {
                    self.submit(call, Republish::Return);
                }
            }
            Err(refused) => self.submit(refused.0, Republish::Return),
        }
    }

    fn republish(&mut self, delivery: Delivery, what: Republish) {
        let service = &self.context.plan.services[delivery.service];
        match what {
            Republish::DeadLetter(Letter { status, message, .. }, _) if service.failure_queues.is_none() => {
                let Request { function, correlation_id, .. } = &delivery.request;
                warn!(function, correlation_id, status, "failed, and the caller waits for no reply: {message}");
                self.finish(delivery.into_unacknowledged(), AckDecision::Ack);
            }
            what => {
                if let Republish::DeadLetter(_, Some(reply)) = &what {
                    self.memory.journal.remember(delivery.request.clone(), reply.clone());
                }
                self.submit(delivery, what);
            }
        }
    }

    pub(super) fn submit(&mut self, delivery: Delivery, what: Republish) {
        let number = self.next_job;
        self.next_job += 1;
        self.open_jobs.insert(number, !self.session.is_serving() && matches!(what, Republish::Return));
        // If its thread is gone the session is lost, and the broker will deliver the request again.
        let _ = self.jobs.send(Job { number, delivery, what });
    }

    fn republished(&mut self, number: u64, delivery: Delivery, decision: Decision) {
        let is_return = self.open_jobs.remove(&number).unwrap_or(false);
        self.requeued += usize::from(is_return);
        match decision {
            Decision::Published => self.finish(delivery.into_unacknowledged(), AckDecision::Ack),
            Decision::Uncounted(why) => {
                let (reply, letter) = delivery.uncounted(&why);
                self.session.make_ready(Ready::Answer(delivery, reply, Then::DeadLetter(letter)));
            }
            Decision::Requeue(answer) => {
                if let Some(reply) = answer {
                    self.memory.journal.remember_requeued(delivery.request.clone(), reply);
                }
                self.finish(delivery.into_unacknowledged(), AckDecision::Requeue);
            }
        }
    }
}
