//! Functions that are `async`: how they begin, and how what came of them is settled.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::SystemTime;

use crossbeam_channel::Receiver;

use super::super::delivery::Delivery;
use super::super::reply_cache::Key;
use super::super::session::Session;
use super::super::tasks::{Note, Run, Task, Tasks};
use super::{Ending, Worker};
use crate::broker::Failure;
use crate::log::{Lane, error};
use crate::message::EncodedReply;
use crate::registry::Registration;

impl Worker {
    /// Begins an `async fn`, or has it wait until fewer are under way.
    pub(super) fn run_async(
        &self,
        tasks: &Tasks,
        session: &Arc<Session>,
        function: &'static Registration,
        key: Option<Key>,
        delivery: Delivery,
    ) {
        if tasks.is_gone() && !delivery.is_acknowledged() {
            return session.give_back(delivery);
        }
        let Some((slot, (session, delivery))) = tasks.enter((Arc::clone(session), delivery)) else {
            // Whoever shuts down takes away what waits after that: one of the two sees the other.
            if !session.is_serving() {
                for unbegun in tasks.take_waiting(session, false) {
                    session.give_back(unbegun);
                }
            }
            return;
        };
        let service = &self.plan.services[delivery.service];
        let (run, mut task) = self.begin_task(slot, session, function, key, delivery);
        let polled = tasks.poll_once(&mut task);
        // The rest of its time takes no worker's.
        service.statistics.of(function.name).held_up(run.begun.elapsed());
        match polled {
            Poll::Ready((delivery, reply)) => self.end_task(tasks, &run, delivery, reply),
            Poll::Pending => tasks.spawn(run, task),
        }
    }

    fn begin_task(
        &self,
        slot: usize,
        session: Arc<Session>,
        function: &'static Registration,
        key: Option<Key>,
        delivery: Delivery,
    ) -> (Run, Task) {
        let now = SystemTime::now();
        let begun = self.begin(slot, Some(function), key.as_ref(), &delivery, now);
        let service = delivery.service;
        let plan = Arc::clone(&self.plan);
        let lane = Lane::current();
        let task = Box::pin(async move {
            let dispatcher = &plan.services[delivery.service].dispatcher;
            let source = plan.traced(&delivery);
            let reply = {
                let run = dispatcher.dispatch_async_from(Some(&source), &delivery.request, now);
                let mut run = pin!(run);
                poll_fn(|context| lane.within(|| run.as_mut().poll(context))).await
            };
            (delivery, reply)
        });
        (Run { slot, session, service, function, key, begun }, task)
    }

    fn end_task(&self, tasks: &Tasks, run: &Run, delivery: Delivery, reply: EncodedReply) {
        let Run { slot, ref session, function, ref key, begun, .. } = *run;
        let function = Some(function);
        self.end(&Ending { place: slot, session, function, key: key.as_ref(), begun }, delivery, reply);
        tasks.leave(slot);
    }

    /// Settles what comes of tasks, and starts those that have waited, until the lane ends.
    pub(in crate::server) fn settle(&self, tasks: &Tasks, notes: &Receiver<Note>) {
        for note in notes {
            match note {
                Note::Start(slot, (session, delivery)) => self.start(tasks, slot, session, delivery),
                Note::Ended(run, Some((delivery, reply))) => {
                    self.end_task(tasks, &run, delivery, reply);
                    // Replies to calls that came together have waited for each other long enough.
                    if notes.is_empty() {
                        run.session.send_waiting(self.number);
                    }
                }
                Note::Ended(run, None) => self.dropped(tasks, &run),
                Note::Dismissed => return,
            }
        }
    }

    /// Begins what has waited for this slot.
    fn start(&self, tasks: &Tasks, slot: usize, session: Arc<Session>, delivery: Delivery) {
        session.pause.wait();
        let function = self.plan.services[delivery.service].dispatcher.function(&delivery.request);
        let begins = delivery.is_acknowledged() || (session.is_serving() && !tasks.is_gone());
        match function.filter(|_| begins) {
            Some(function) => {
                if let Some((key, delivery)) = self.look_up(&session, function, delivery) {
                    let (run, task) = self.begin_task(slot, session, function, key, delivery);
                    return tasks.spawn(run, task);
                }
            }
            None => session.give_back(delivery),
        }
        tasks.leave(slot);
    }

    /// A task was dropped, since its runtime is shut down: the broker delivers its request again when the session is over.
    fn dropped(&self, tasks: &Tasks, run: &Run) {
        error!(function = run.function.name, "not finished: its runtime has dropped it");
        let joined = run.key.as_ref().map(|key| self.replies.of(run.service).forget(key)).unwrap_or_default();
        self.running.end(run.slot);
        self.plan.services[run.service].statistics.of(run.function.name).abandon();
        run.session.abandon();
        for (session, _) in joined {
            session.abandon();
        }
        if !tasks.is_gone() {
            run.session.report_lost(Failure::channel("a task ended without an answer"));
        }
        tasks.leave(run.slot);
    }
}
