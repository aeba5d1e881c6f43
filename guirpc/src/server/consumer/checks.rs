//! What the consumer thread does with what it is told: remembers, looks up, counts, has published again.

use std::time::SystemTime;

use super::super::acks::AckDecision;
use super::super::delivery::{Acknowledged, Delivery, Letter, Republish};
use super::super::reports::{Decision, Ready, Report, Then};
use super::super::republisher::Job;
use super::super::triage::{Facts, Step};
use super::ConsumerLoop;
use super::memory::Unfinished;
use crate::broker::Receipt;
use crate::log::warn;
use crate::message::{EncodedReply, Request};
use crate::registry::Ack;

impl ConsumerLoop<'_> {
    pub(super) fn take_report(&mut self, report: Report) {
        match report {
            Report::Finished(receipt, decision, answer) => {
                if let Some((request, reply)) = answer {
                    self.memory.journal.remember(request, reply);
                }
                self.finish(receipt, decision);
            }
            Report::Check(delivery) => self.check(delivery),
            Report::Refused(mut delivery, reply) => {
                self.acknowledge_before(&mut delivery);
                self.waiting.push((Ready::Answer(delivery, reply, Then::Conclude), self.next_job));
            }
            Report::Republish(delivery, Republish::Return) => self.return_unbegun(delivery),
            Report::Republish(delivery, what) => self.republish(delivery, what),
            Report::Republished { number, delivery, decision } => self.republished(number, delivery, decision),
        }
    }

    fn finish(&mut self, receipt: Option<Receipt>, decision: AckDecision) {
        if let Some(receipt) = receipt {
            self.acks.finish(receipt.tag(), decision, receipt);
        }
        self.session.leave();
    }

    /// Decides what is to be done with a request that may have been run before.
    fn check(&mut self, mut delivery: Delivery) {
        if !self.session.is_serving() {
            return self.return_unbegun(delivery);
        }
        let function = self.context.plan.services[delivery.service].dispatcher.function(&delivery.request);
        let is_early = function.is_some_and(|function| function.ack == Ack::Early);
        if !is_early {
            // In this order: what is not running any more has been reported.
            let is_running = self.context.running.has(&delivery.request);
            if let Some(reply) = self.answer(&delivery) {
                return self.session.make_ready(Ready::Answer(delivery, reply, Then::Conclude));
            }
            if is_running {
                // Whatever the broker says of it.
                delivery.request.redelivered = true;
                return self.parked.push(delivery);
            }
        }
        match self.facts(&delivery, is_early).step() {
            Step::Run => self.session.make_ready(Ready::Run(delivery)),
            Step::RunOnceAcknowledged { own } => {
                if own {
                    self.acknowledge_before(&mut delivery);
                }
                self.waiting.push((Ready::Run(delivery), self.next_job));
            }
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
        let receipt = delivery.receipt.bare();
        self.acks.finish(receipt.tag(), AckDecision::Ack, receipt);
    }

    fn facts(&self, delivery: &Delivery, is_early: bool) -> Facts {
        let service = &self.context.plan.services[delivery.service];
        Facts {
            is_redelivered: delivery.request.redelivered,
            attempts: delivery.request.attempts(),
            max_deliveries: service.max_deliveries(),
            is_early,
            is_expired: service.dispatcher.is_expired(&delivery.request, SystemTime::now()),
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
    pub(super) fn take_up(&mut self) {
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
        if delivery.request.redelivered || is_dropped || service.failure_queues.is_none() {
            self.requeued += 1;
            self.finish(delivery.into_unacknowledged(), AckDecision::Requeue);
        } else if self.is_blocked {
            self.held.push(delivery);
        } else {
            self.submit(delivery, Republish::Return);
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

    fn submit(&mut self, delivery: Delivery, what: Republish) {
        let number = self.next_job;
        self.next_job += 1;
        self.open_jobs.insert(number, matches!(what, Republish::Return));
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
