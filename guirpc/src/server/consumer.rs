//! The consumer thread of a session: it alone consumes, acknowledges and cancels, and it never runs a function.
//!
//! Whatever has to wait until the broker knows something goes through it: requests that may have been run before,
//! those that are acknowledged before they run, and those that are published again.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvError, Sender, after, never, select};

use super::acks::{AckBatcher, AckFrame};
use super::control::Control;
use super::delivery::Delivery;
use super::lane_status::LaneStatus;
use super::leader::Leadership;
use super::overdue::{AckTimeout, Overdue};
use super::plan::Plan;
use super::reports::{Ready, Reports};
use super::republisher::Job;
use super::running::Running;
use super::session::Session;
use super::shutdown_handle::Stopped;
use super::tasks::Tasks;
use crate::broker::{self, Attempt, BlockedNote, Channel, Connection, Failure, Receipt};
use crate::error::Error;
use crate::health::ConnectionStatus;
use crate::log::{info, warn};

mod checks;
mod coalesced;
mod memory;
mod thread;

use coalesced::Coalesced;
pub(super) use memory::Memory;
pub(super) use thread::{Connections, End, OpenSession, open};

/// How often the leader is looked after: one that is in the same function at two ticks hands the lead on.
pub(super) const TICK: Duration = Duration::from_millis(1);
/// What is finished is acknowledged every so many ticks at the latest.
const ACK_TICKS: u32 = 4;
/// For the broker to answer on a connection that it always reads from.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// After so many ticks with nothing to do the thread sleeps.
const IDLE_TICKS: u32 = 50;

/// What a session is opened with: what outlives it.
pub(super) struct SessionContext {
    pub(super) plan: Arc<Plan>,
    pub(super) leadership: Arc<Leadership<Session>>,
    pub(super) running: Arc<Running>,
    /// Where `async` functions run.
    pub(super) tasks: Option<Arc<Tasks>>,
    pub(super) status: Arc<LaneStatus>,
    pub(super) stopped: Stopped,
    pub(super) ack_timeout: AckTimeout,
    /// Answers what is asked about all lanes, if this is the lane that does.
    pub(super) control: Option<Arc<Control>>,
    /// Held by one consumer thread after the other.
    pub(super) memory: Mutex<Memory>,
}

impl SessionContext {
    /// Sends the workers home, each when it has finished.
    pub(super) fn dismiss(&self) {
        self.leadership.dismiss();
        if let Some(tasks) = &self.tasks {
            tasks.dismiss();
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests of sessions that are lost are begun, or acknowledged, and not finished: the broker has all others.
    pub(super) fn unfinished(&self) -> usize {
        let mut memory = self.memory();
        memory.collect();
        self.running.busy(self.running.places()) + memory.unfinished()
    }

    /// Takes away the requests of a session that wait until fewer functions are under way: those that are not
    /// acknowledged, or those that are.
    pub(super) fn take_waiting(&self, session: &Arc<Session>, is_acknowledged: bool) -> Vec<Delivery> {
        self.tasks.as_ref().map_or_else(Vec::new, |tasks| tasks.take_waiting(session, is_acknowledged))
    }
}

/// What the consumer thread works with.
pub(super) struct ConsumerLoop<'a> {
    pub(super) session: Arc<Session>,
    pub(super) context: &'a SessionContext,
    /// Cuts the connections of the session.
    attempt: &'a Attempt,
    pub(super) channel: &'a Channel,
    pub(super) consumers: &'a [broker::Consumer<'a>],
    pub(super) consuming: &'a Connection,
    pub(super) replying: &'a Connection,
    pub(super) reports: Reports,
    /// Where the trial of a reply address hears of an alarm.
    pub(super) alarms: Receiver<BlockedNote>,
    pub(super) acks: AckBatcher<Receipt>,
    pub(super) coalesced: Coalesced,
    memory: Memory,
    /// May be running already: waits for that, and for its answer.
    pub(super) parked: Vec<Delivery>,
    /// Is run or answered when the broker knows all acknowledgements, and when all jobs before this one are decided.
    pub(super) waiting: Vec<(Ready, u64)>,
    /// Acknowledgements of requests whose replies have not all left this process: it may be killed at any moment, and a
    /// request is not to be forgotten before its caller is sure to be answered.
    pub(super) due: Option<DueAcks>,
    jobs: Sender<Job>,
    next_job: u64,
    /// Jobs that are not decided, and whether each returns what has not begun.
    pub(super) open_jobs: BTreeMap<u64, bool>,
    /// Not begun, and returned when the broker takes messages again.
    pub(super) held: Vec<Delivery>,
    pub(super) is_blocked: bool,
    /// Whether a worker has reached [`Ready::Barrier`].
    pub(super) is_barrier_reached: bool,
    /// How many requests are back in their queue.
    pub(super) requeued: usize,
    ticks: u32,
    idle_ticks: u32,
    last_turn: Option<u64>,
    overdue: Overdue,
}

/// Acknowledgements that are sent when all replies of before have left this process.
#[derive(Default)]
pub(super) struct DueAcks {
    /// How many requests they are about.
    pub(super) requests: usize,
    /// How many replies each worker had handed over.
    replies: Vec<u64>,
    pub(super) frames: Vec<AckFrame<Receipt>>,
    /// What is run or answered when the broker knows these.
    pub(super) waiting: Vec<(Ready, u64)>,
}

/// The acknowledgements that these wait for are on their way.
pub(super) fn note_sent(waiting: &mut [(Ready, u64)]) {
    waiting.iter_mut().filter_map(|(ready, _)| ready.delivery_mut()).for_each(Delivery::note_sent);
}

/// The session is over.
pub(super) struct Lost(pub(super) Failure);

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        Lost(Failure::from(&error))
    }
}

impl From<RecvError> for Lost {
    fn from(_: RecvError) -> Self {
        Lost(Failure::silent())
    }
}

impl ConsumerLoop<'_> {
    /// Acknowledges, and looks after the lead, until the server is to stop.
    fn serve(&mut self) -> Result<(), Lost> {
        let stopped = &self.context.stopped;
        let look = crossbeam_channel::tick(self.overdue.pause());
        loop {
            let tick = if self.session.tick.is_ticking() { after(TICK) } else { never() };
            select! {
                recv(self.reports.wake) -> _ => {
                    self.idle_ticks = 0;
                    self.session.tick.start();
                    self.acknowledge()?;
                }
                recv(tick) -> _ => self.tick()?,
                recv(look) -> now => {
                    self.overdue.look(&self.context.running, now?);
                    self.take_up();
                }
                recv(self.reports.lost) -> loss => return Err(Lost(loss?)),
                recv(self.consuming.blocked()) -> note => self.blocked(note?),
                recv(self.replying.blocked()) -> note => self.blocked(note?),
                recv(self.alarms) -> note => self.blocked(note?),
                recv(stopped) -> _ => return Ok(()),
            }
        }
    }

    fn tick(&mut self) -> Result<(), Lost> {
        let turn = self.context.leadership.turn();
        match turn {
            Some(turn) if self.last_turn == Some(turn) => self.context.leadership.pass_lead_on(turn),
            _ => self.last_turn = turn,
        }
        self.look_after_replies()?;
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(ACK_TICKS) {
            self.take_up();
            self.check_parked();
            self.admit_overdue();
            self.forget_loss();
            self.acknowledge()?;
        } else if self.due.is_some() {
            self.send_acks()?;
        }
        let is_busy = turn.is_some()
            || self.due.is_some()
            || !self.reports.all.is_empty()
            || !self.parked.is_empty()
            || self.coalesced.is_waiting()
            || self.session.has_replies_waiting();
        self.idle_ticks = if is_busy { 0 } else { self.idle_ticks + 1 };
        if self.idle_ticks >= IDLE_TICKS {
            let (leadership, session) = (&self.context.leadership, &self.session);
            session
                .tick
                .stop(|| leadership.turn().is_some() || !self.reports.all.is_empty() || session.has_replies_waiting());
        }
        Ok(())
    }

    /// Sends the acknowledgements of what is finished.
    pub(super) fn acknowledge(&mut self) -> Result<(), Lost> {
        self.collect();
        self.send_acks()
    }

    pub(super) fn collect(&mut self) {
        self.session.begin_batch();
        while let Ok(report) = self.reports.all.try_recv() {
            self.take_report(report);
        }
    }

    /// Sends what may be sent by now; the next tick looks after what may not.
    fn send_acks(&mut self) -> Result<(), Lost> {
        loop {
            let due = self.due.take().unwrap_or_else(|| DueAcks {
                requests: self.acks.unacknowledged(),
                replies: self.session.handed_over(),
                frames: self.acks.take_frames(),
                waiting: mem::take(&mut self.waiting),
            });
            if !self.session.have_left(&due.replies) {
                self.due = Some(due);
                return Ok(());
            }
            let DueAcks { frames, mut waiting, .. } = due;
            note_sent(&mut waiting);
            if let Err(lost) = self.send_frames(frames) {
                self.waiting.extend(waiting);
                return Err(lost);
            }
            self.make_ready_what_is_known(waiting)?;
            if self.acks.is_empty() {
                return Ok(());
            }
        }
    }

    pub(super) fn send_frames(&self, frames: Vec<AckFrame<Receipt>>) -> Result<(), Lost> {
        for frame in frames {
            match frame {
                AckFrame::AckThrough(receipt) => self.channel.ack_through(receipt)?,
                AckFrame::Ack(receipt) => self.channel.ack(receipt)?,
                AckFrame::Requeue(receipt) => self.channel.requeue(receipt)?,
            }
        }
        Ok(())
    }

    /// Makes ready those of these that have waited until the broker knows the acknowledgements that were sent.
    pub(super) fn make_ready_what_is_known(&mut self, waiting: Vec<(Ready, u64)>) -> Result<(), Lost> {
        let first_open = self.open_jobs.keys().next().copied().unwrap_or(u64::MAX);
        let is_known = |(_, job): &(Ready, u64)| *job <= first_open;
        let (known, waiting): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_known);
        self.waiting.extend(waiting);
        if known.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.attempt.within(ANSWER_TIMEOUT, || self.channel.flush()) {
            self.waiting.extend(known);
            return Err(error.into());
        }
        for (ready, _) in known {
            self.session.make_ready(ready);
        }
        Ok(())
    }

    /// The broker takes no messages, or takes them again: what is begun meanwhile could not be answered.
    pub(super) fn blocked(&mut self, note: BlockedNote) {
        match note {
            BlockedNote::Blocked(reason) => {
                self.is_blocked = true;
                if self.context.status.set(ConnectionStatus::Blocked { reason: reason.clone() }) {
                    warn!("the broker takes no messages at the moment: {reason}");
                }
                self.session.pause.begin();
                // Whoever has ended the session meanwhile found no pause.
                if !self.session.is_serving() {
                    self.session.pause.end();
                }
            }
            BlockedNote::Unblocked => {
                self.is_blocked = false;
                if self.context.status.set(ConnectionStatus::Connected) {
                    info!("the broker takes messages again");
                }
                self.session.pause.end();
                for delivery in mem::take(&mut self.held) {
                    self.return_unbegun(delivery);
                }
            }
        }
    }

    /// When the broker has delivered again whatever was answered on a session before, nothing is looked up any more.
    fn forget_loss(&mut self) {
        let now = Instant::now();
        if self.session.is_after_loss() && !self.memory.journal.has_past(now) {
            self.session.forget_loss();
            self.memory.collect();
            self.memory.journal.expire(now);
        }
    }
}
