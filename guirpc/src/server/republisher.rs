//! The thread that publishes requests again: for another attempt, as dead letters, or back as they were.
//!
//! It alone declares queues that are missing and knows what the broker has confirmed. Any number of requests is on the
//! way at once, so a queue that answers late, is full, is missing or is forbidden holds up nothing but what is for it.

use std::iter;
use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::{Instant, SystemTime};

use crossbeam_channel::{Receiver, Sender, at, never, select, unbounded};

use super::delivery::{Delivery, Letter, Republish};
use super::plan::{LaneService, Plan};
use super::reports::{Decision, Report, Reporter};
use crate::broker::{self, ConfirmNote, Failure, QueueKind, RepublishChannel, RepublishOpener};
use crate::error::Error;
use crate::log::{error, in_same_lane, warn};
use crate::message::Request;

mod delayed;
mod log_budget;
mod unconfirmed;

use delayed::Delayed;
use log_budget::LogBudget;
use unconfirmed::{Outcome, Unconfirmed};

/// What is taken in one go, before something else is looked at.
const BATCH: usize = 256;

/// A request that is to be published again.
#[derive(Debug)]
pub(super) struct Job {
    /// By which the consumer thread knows it.
    pub(super) number: u64,
    pub(super) delivery: Delivery,
    pub(super) what: Republish,
}

/// A job that is on its way.
#[derive(Debug)]
struct OnTheWay {
    job: Job,
    /// Whether its queue was missing and has been declared.
    is_declared: bool,
}

struct Republisher {
    plan: Arc<Plan>,
    reporter: Reporter,
    channel: RepublishChannel,
    unconfirmed: Unconfirmed<OnTheWay>,
    delayed: Delayed<Job>,
    log_budget: LogBudget,
    /// Whether there is something that the consumer thread has not been woken for.
    has_decided: bool,
}

/// Starts the thread; it ends when no more jobs can come, and says so if its channel is lost.
pub(super) fn start(plan: &Arc<Plan>, opener: RepublishOpener, reporter: Reporter) -> Result<Sender<Job>, Error> {
    let (jobs, waiting) = unbounded();
    let plan = Arc::clone(plan);
    thread::Builder::new()
        .name("guirpc-republish".to_owned())
        .spawn(in_same_lane(move || {
            if let Err(error) = run(plan, &opener, reporter.clone(), &waiting) {
                reporter.lost(Failure::channel(error.to_string()));
            }
        }))
        .map_err(|error| Error::no_thread("to republish", error))?;
    Ok(jobs)
}

fn run(plan: Arc<Plan>, opener: &RepublishOpener, reporter: Reporter, jobs: &Receiver<Job>) -> Result<(), Error> {
    // Most sessions never have one, and need no channel for it.
    let Ok(first) = jobs.recv() else { return Ok(()) };
    // So that what waits leaves room for what can be served.
    let delayed = Delayed::new(usize::from(plan.prefetch).div_ceil(2));
    let channel = match opener.open() {
        Ok(channel) => channel,
        Err(error) => {
            [first].into_iter().chain(jobs.try_iter()).for_each(|job| hand_back(&reporter, job));
            return Err(error);
        }
    };
    let (unconfirmed, log_budget) = Default::default();
    let mut republisher = Republisher { plan, reporter, channel, unconfirmed, delayed, log_budget, has_decided: false };
    let ended = republisher.publish_all(first, jobs).and_then(|()| republisher.work(jobs));
    let Republisher { reporter, unconfirmed, delayed, .. } = republisher;
    let unconfirmed = unconfirmed.into_jobs().map(|OnTheWay { job, .. }| job);
    unconfirmed.chain(delayed.into_jobs()).chain(jobs.try_iter()).for_each(|job| hand_back(&reporter, job));
    ended
}

/// The broker delivers again what is not decided; what it does not is for the next session.
fn hand_back(reporter: &Reporter, Job { delivery, what, .. }: Job) {
    if delivery.is_acknowledged() {
        reporter.note(Report::Republish(delivery, what));
    }
}

impl Republisher {
    fn work(&mut self, jobs: &Receiver<Job>) -> Result<(), Error> {
        loop {
            if mem::take(&mut self.has_decided) {
                self.reporter.wake();
            }
            let due = self.delayed.next().into_iter().chain(self.log_budget.due()).min();
            select! {
                recv(jobs) -> job => match job {
                    Ok(job) => self.publish_all(job, jobs)?,
                    Err(_) => return Ok(()),
                },
                recv(self.channel.confirms()) -> note => match note {
                    Ok(note) => self.confirmed_all(note)?,
                    Err(_) => return Err(self.channel.end()),
                },
                recv(due.map_or_else(never, at)) -> _ => self.due(Instant::now())?,
            }
        }
    }

    /// Publishes this one and those that have come meanwhile.
    fn publish_all(&mut self, first: Job, others: &Receiver<Job>) -> Result<(), Error> {
        let jobs = iter::once(first).chain(others.try_iter().take(BATCH));
        jobs.into_iter().try_for_each(|job| self.publish(job, false))
    }

    /// Takes this confirmation and those that have come meanwhile.
    fn confirmed_all(&mut self, first: ConfirmNote) -> Result<(), Error> {
        self.confirmed(first)?;
        for _ in 0..BATCH {
            let Ok(note) = self.channel.confirms().try_recv() else { break };
            self.confirmed(note)?;
        }
        Ok(())
    }

    fn due(&mut self, now: Instant) -> Result<(), Error> {
        let due: Vec<Job> = self.delayed.due(now).collect();
        for job in due {
            if job.delivery.is_acknowledged() {
                self.publish(job, false)?;
            } else {
                self.give_up(job);
            }
        }
        if let Some(more) = self.log_budget.end(now) {
            warn!(more, "more requests became dead letters within a second, which are not told of one by one");
        }
        Ok(())
    }

    fn publish(&mut self, job: Job, is_declared: bool) -> Result<(), Error> {
        let Delivery { service, receipt, request, .. } = &job.delivery;
        let service = &self.plan.services[*service];
        let (queue, _) = target(service, &job);
        let published = match &job.what {
            Republish::Attempt { attempts, .. } => self.channel.attempt(queue, receipt, request, *attempts),
            Republish::Return => self.channel.attempt(queue, receipt, request, request.attempts()),
            Republish::DeadLetter(letter, _) => {
                let death = letter.death(request, &service.queue, SystemTime::now());
                self.channel.dead_letter(queue, receipt, request, &death).map(Ok)
            }
        };
        match published {
            Ok(Ok(())) => self.unconfirmed.published(OnTheWay { job, is_declared }),
            Ok(Err(why)) => self.refused(job, &why)?,
            Err(error) => {
                hand_back(&self.reporter, job);
                return Err(error);
            }
        }
        Ok(())
    }

    fn confirmed(&mut self, note: ConfirmNote) -> Result<(), Error> {
        while let Some(note) = self.channel.returned() {
            let services = &self.plan.services;
            self.unconfirmed.returned(|OnTheWay { job, .. }| {
                let Delivery { service, receipt, request, .. } = &job.delivery;
                broker::is_returned(&note, target(&services[*service], job).0, receipt, request)
            });
        }
        let (number, multiple, taken) = broker::confirmed(note);
        for (OnTheWay { job, is_declared }, outcome) in self.unconfirmed.confirmed(number, multiple, taken) {
            match outcome {
                Outcome::Taken => self.published(job),
                Outcome::Rejected => self.refused(job, "the queue does not take it: it is full, or has failed")?,
                Outcome::Unroutable => self.unroutable(job, is_declared)?,
            }
        }
        Ok(())
    }

    fn published(&mut self, job: Job) {
        let Request { function, correlation_id, .. } = &job.delivery.request;
        if let Republish::DeadLetter(Letter { reason, status, message, .. }, _) = &job.what {
            let service = &self.plan.services[job.delivery.service];
            service.statistics.of(function).dead_letter();
            if self.log_budget.tells(Instant::now()) {
                let queue = service.failure_queues.as_ref().map(|queues| &queues.dead_letters.name);
                warn!(function, correlation_id, status, queue, "{reason}, now a dead letter: {message}");
            }
        }
        self.decide(job.number, job.delivery, Decision::Published);
    }

    /// There is no queue for it: one that failed requests go to is declared, once.
    fn unroutable(&mut self, job: Job, is_declared: bool) -> Result<(), Error> {
        let (queue, kind) = target(&self.plan.services[job.delivery.service], &job);
        let Some(kind) = kind.filter(|_| !is_declared) else {
            let why = format!("there is no queue `{queue}`");
            return self.refused(job, &why);
        };
        match self.channel.declare(queue, kind) {
            Ok(()) => self.publish(job, true),
            Err(error) => self.refused(job, &error.to_string()),
        }
    }

    /// It cannot be published there.
    fn refused(&mut self, mut job: Job, why: &str) -> Result<(), Error> {
        let Request { function, correlation_id, .. } = &job.delivery.request;
        match job.what {
            Republish::Attempt { otherwise, .. } => {
                warn!(function, correlation_id, "cannot wait for another attempt: {why}");
                match otherwise {
                    Some((letter, reply)) => {
                        job.what = Republish::DeadLetter(letter, Some(reply));
                        self.publish(job, false)?;
                    }
                    None => self.decide(job.number, job.delivery, Decision::Uncounted(why.to_owned())),
                }
            }
            Republish::DeadLetter(ref letter, _) => {
                error!(function, correlation_id, status = letter.status, "cannot become a dead letter: {why}");
                if let Some(job) = self.delayed.push(job, Instant::now()) {
                    self.give_up(job);
                }
            }
            Republish::Return => self.decide(job.number, job.delivery, Decision::Requeue(None)),
        }
        Ok(())
    }

    /// The broker is to deliver it again.
    fn give_up(&mut self, job: Job) {
        if job.delivery.is_acknowledged() {
            let Request { function, correlation_id, .. } = &job.delivery.request;
            error!(
                function,
                correlation_id, "lost: it was acknowledged before it ran, and too many cannot become dead letters"
            );
        }
        let answer = match job.what {
            Republish::DeadLetter(_, answer) => answer,
            Republish::Attempt { .. } | Republish::Return => None,
        };
        self.decide(job.number, job.delivery, Decision::Requeue(answer));
    }

    fn decide(&mut self, number: u64, delivery: Delivery, decision: Decision) {
        self.has_decided = true;
        self.reporter.note(Report::Republished { number, delivery, decision });
    }
}

/// The queue that a job is for; and how it is declared, if that is what is done when it is missing.
fn target<'a>(service: &'a LaneService, job: &Job) -> (&'a str, Option<QueueKind>) {
    let queue = match &job.what {
        Republish::Attempt { queue, .. } => service.queue_of(*queue),
        Republish::DeadLetter(..) => service.failure_queues.as_ref().map(|queues| &queues.dead_letters),
        // It may have been taken off the queue of a server before, which is then no more.
        Republish::Return => service.queue_of(job.delivery.queue),
    };
    queue.map_or((&service.queue, None), |queue| (&queue.name, Some(queue.kind)))
}
