//! A graceful shutdown as a sequence of steps: what the broker has to know to keep the promises goes first.
//!
//! 1. Nothing more is taken: the consumers are cancelled.
//! 2. What has not begun is returned, for another server, without counting as an attempt.
//! 3. What has begun is finished, for as long as the drain time: first the replies get to the broker, then the
//!    acknowledgements, since no caller's request is run again for a reply that is lost.
//! 4. What is left is left to the broker.
//!
//! While an alarm is on, the broker reads nothing from the connection that publishes. Then nothing is asked of that
//! connection that waits for an answer: replies and returned requests wait for the end of the alarm or of the drain
//! time. What could not be returned by then is requeued by the broker, with its mark.

use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, after, at, bounded, never, select};

use super::consumer::{ConsumerLoop, Lost, TICK, note_sent};
use super::reports::Ready;
use super::shutdown_report::ShutdownReport;
use crate::broker::Failure;
use crate::error::Error;
use crate::health::ConnectionStatus;
use crate::log::{in_same_lane, warn};

#[cfg(all(test, feature = "embedded"))]
pub(super) mod tests;

/// A flush of the replies that is on its way.
type Flush = Receiver<Result<(), Error>>;

impl ConsumerLoop<'_> {
    pub(super) fn shut_down(&mut self) -> Result<ShutdownReport, Lost> {
        // A drain time that no clock can count to has no end.
        let deadline = Instant::now().checked_add(self.context.plan.drain);
        self.context.status.set(ConnectionStatus::Stopped);
        self.take_nothing_more()?;
        self.take_up();
        self.send_waiting_replies()?;
        self.return_what_has_not_begun();
        self.finish_what_has_begun(deadline)?;
        self.leave_the_rest()
    }

    fn take_nothing_more(&self) -> Result<(), Lost> {
        self.session.stop_serving();
        // From here on everything that is finished wakes us, as no tick would.
        self.session.tick.stop(|| false);
        for consumer in self.consumers {
            consumer.cancel()?;
        }
        Ok(())
    }

    fn return_what_has_not_begun(&mut self) {
        if self.is_blocked {
            warn!("shutting down while the broker takes no messages: replies wait for the end of that");
        }
        self.collect();
        let session = Arc::clone(&self.session);
        for delivery in session.delivered() {
            session.take();
            self.return_unbegun(delivery);
        }
        for delivery in session.calls.close() {
            self.return_unbegun(delivery);
        }
        let due = self.due.as_mut().map(|due| mem::take(&mut due.waiting)).unwrap_or_default();
        let mut unbegun = mem::take(&mut self.parked);
        unbegun.extend(self.context.take_waiting(&session, false));
        for (ready, job) in due.into_iter().chain(mem::take(&mut self.waiting)) {
            match ready {
                Ready::Run(delivery) if !delivery.is_acknowledged() => unbegun.push(delivery),
                ready => self.waiting.push((ready, job)),
            }
        }
        for delivery in unbegun {
            self.return_unbegun(delivery);
        }
        // The leader may have taken a request this very moment, which it counts, and reports, before it reaches this.
        self.session.make_ready(Ready::Barrier);
    }

    /// Whether the session counts all that was ever taken. Whoever does not lead has counted what it has taken, and whoever
    /// takes the lead from now on takes no request.
    fn is_all_counted(&self) -> bool {
        self.is_barrier_reached || !self.context.leadership.is_led()
    }

    fn finish_what_has_begun(&mut self, deadline: Option<Instant>) -> Result<(), Lost> {
        let deadline = deadline.map_or_else(never, at);
        let mut flush = None;
        loop {
            // There may be something to answer while the leader runs what takes long.
            if let Some(turn) = self.context.leadership.turn() {
                self.context.leadership.pass_lead_on(turn);
            }
            self.collect();
            if !self.is_blocked && flush.is_none() && self.acks.is_empty() && self.due.is_none() {
                let waiting = mem::take(&mut self.waiting);
                self.make_ready_what_is_known(waiting)?;
                if self.is_all_counted() && self.session.running() == 0 {
                    return Ok(());
                }
            } else if !self.is_blocked && flush.is_none() {
                flush = Some(self.begin_flush()?);
                let due = self.due.get_or_insert_default();
                due.requests += self.acks.unacknowledged();
                due.frames.extend(self.acks.take_frames());
            }
            let flushed = flush.clone().unwrap_or_else(never);
            let tick = if self.is_all_counted() && !self.coalesced.is_waiting() { never() } else { after(TICK) };
            select! {
                recv(flushed) -> done => {
                    done??;
                    flush = None;
                    if let Some(due) = self.due.take() {
                        note_sent(&mut self.waiting);
                        self.send_frames(due.frames)?;
                    }
                }
                recv(self.reports.wake) -> _ => {}
                recv(tick) -> _ => self.admit_overdue(),
                recv(deadline) -> _ => return Ok(()),
                recv(self.reports.lost) -> loss => return Err(Lost(loss?)),
                recv(self.consuming.blocked()) -> note => self.blocked(note?),
                recv(self.replying.blocked()) -> note => self.blocked(note?),
                recv(self.alarms) -> note => self.blocked(note?),
            }
        }
    }

    /// Has the replies reach the broker, on a thread that may be given up: it waits for an answer, and there may be none.
    fn begin_flush(&self) -> Result<Flush, Lost> {
        let (done, flushed) = bounded(1);
        let session = Arc::clone(&self.session);
        thread::Builder::new()
            .name("guirpc-flush".to_owned())
            .spawn(in_same_lane(move || done.send(session.flush_replies())))
            .map_err(|error| Lost(Failure::channel(format!("no thread for the last replies: {error}"))))?;
        Ok(flushed)
    }

    /// Requeues what has still not begun; what is not acknowledged is delivered again when the connection is closed.
    fn leave_the_rest(&mut self) -> Result<ShutdownReport, Lost> {
        let ready: Vec<Ready> = self.session.all_ready().collect();
        let unbegun = ready.into_iter().filter_map(Ready::into_unbegun);
        let waiting = self.context.take_waiting(&self.session, false);
        for delivery in mem::take(&mut self.held).into_iter().chain(unbegun).chain(waiting) {
            let Some(receipt) = delivery.into_unacknowledged() else { continue };
            self.requeue(receipt)?;
            self.requeued += 1;
            self.session.leave();
        }
        // The consuming connection is never blocked.
        self.channel.flush()?;
        // The broker has not said what became of these copies, so it requeues what they were made of.
        let returning = self.open_jobs.values().filter(|is_return| **is_return).count();
        let unsent = self.acks.unacknowledged() + self.due.as_ref().map_or(0, |due| due.requests);
        let abandoned = self.session.running().saturating_sub(returning) + self.session.abandoned() + unsent;
        Ok(ShutdownReport { requeued: self.requeued + returning, abandoned })
    }
}
