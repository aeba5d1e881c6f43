//! One lane of a server: keeps it serving, one session after another, until it is shut down.

use std::io;
use std::sync::{Arc, Mutex, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, select};

use super::consumer::{self, Connections, End, Memory, OpenSession, SessionContext};
use super::control::Control;
use super::journal::Journal;
use super::lane_status::LaneStatus;
use super::leader::Leadership;
#[cfg(feature = "metrics")]
use super::metrics::MeasuredLane;
use super::overdue::AckTimeout;
use super::plan::Plan;
use super::replies::Replies;
use super::running::Running;
use super::shutdown_handle::Stopped;
use super::shutdown_report::ShutdownReport;
use super::tasks::{Note, Runtime, Tasks};
use super::worker::Worker;
use crate::broker::Backoff;
use crate::error::{Error, ErrorKind};
use crate::health::ConnectionStatus;
use crate::log::{self, Reminder, in_same_lane, info, warn};

/// What a shutdown may take beyond the drain time, where the broker does not answer.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);

/// A lane that is connected.
pub(super) struct Lane {
    context: Arc<SessionContext>,
    first: OpenSession,
    workers: Vec<JoinHandle<()>>,
    replies: Arc<Replies>,
}

impl Lane {
    /// Opens the first session, so that a mistake is told at once.
    pub(super) fn start(
        plan: Plan,
        runtime: Option<&Arc<Runtime>>,
        control: Option<&Arc<Control>>,
        stopped: Stopped,
    ) -> Result<Self, Error> {
        let plan = Arc::new(plan);
        let (tasks, notes) = Tasks::new(&plan, runtime).unzip();
        let journal = Journal::new(plan.most_unacknowledged(), plan.reply_cache);
        let replies = Arc::new(Replies::new(plan.services.len(), plan.reply_cache));
        let context = Arc::new(SessionContext {
            leadership: Arc::new(Leadership::new()),
            running: Arc::new(Running::new(plan.workers + plan.concurrency)),
            tasks,
            status: Arc::new(LaneStatus::new()),
            stopped,
            ack_timeout: AckTimeout::new(),
            memory: Mutex::new(Memory::new(journal)),
            // One of the lanes answers for all.
            control: control.filter(|_| plan.lane.is_none()).cloned(),
            plan,
        });
        let first = open_first(&context)?;
        let mut lane = Lane { context, first, workers: Vec::new(), replies };
        match lane.spawn_workers(notes) {
            Ok(()) => Ok(lane),
            Err(error) => {
                lane.give_up();
                Err(Error::no_thread("for a worker", error))
            }
        }
    }

    fn spawn_workers(&mut self, notes: Option<Receiver<Note>>) -> io::Result<()> {
        let workers = self.context.plan.workers;
        for number in 0..workers {
            self.workers.push(self.spawn_worker(number, format!("guirpc-worker-{number}"), Worker::work)?);
        }
        if let Some((notes, tasks)) = notes.zip(self.context.tasks.clone()) {
            let settle = move |worker: &Worker| worker.settle(&tasks, &notes);
            self.workers.push(self.spawn_worker(workers, "guirpc-tasks".to_owned(), settle)?);
        }
        Ok(())
    }

    fn spawn_worker(
        &self,
        number: usize,
        name: String,
        work: impl FnOnce(&Worker) + Send + 'static,
    ) -> io::Result<JoinHandle<()>> {
        let SessionContext { plan, leadership, running, tasks, .. } = &*self.context;
        let (plan, leadership, running) = (Arc::clone(plan), Arc::clone(leadership), Arc::clone(running));
        let (replies, tasks) = (Arc::clone(&self.replies), tasks.clone());
        let worker = Worker { number, plan, leadership, running, replies, tasks };
        thread::Builder::new().name(name).spawn(in_same_lane(move || work(&worker)))
    }

    /// Leaves a lane that is not to serve after all, without a thread that stays behind.
    pub(super) fn give_up(self) {
        let Lane { context, first: OpenSession { session, end, attempt }, workers, .. } = self;
        context.dismiss();
        session.report_lost(crate::broker::Failure::connection("not all could be started"));
        if end.recv_timeout(SHUTDOWN_GRACE).is_err() {
            attempt.give_up();
        }
        for worker in workers {
            let _ = worker.join();
        }
    }

    /// Says what is being served.
    pub(super) fn announce(&self) {
        let plan = &self.context.plan;
        for served in &plan.services {
            let service = served.dispatcher.service();
            let functions = service.functions().filter(|function| function.lane == plan.lane.as_deref());
            let functions: Vec<&str> = functions.map(|function| function.name).collect();
            info!(
                service = service.name,
                queue = served.queue,
                broker = format_args!("{}", plan.address),
                workers = plan.workers,
                functions = functions.join(", "),
                "serving"
            );
        }
    }

    /// What it works with, for as long as it does.
    pub(super) fn context(&self) -> Weak<SessionContext> {
        Arc::downgrade(&self.context)
    }

    /// Its name, as its lines of the log have it.
    pub(super) fn name(&self) -> log::Lane {
        log::Lane::new(self.context.plan.lane.as_deref())
    }

    /// What is measured of it; not the whole, which would outlive it.
    #[cfg(feature = "metrics")]
    pub(super) fn measured(&self) -> MeasuredLane {
        let SessionContext { plan, running, status, .. } = &*self.context;
        MeasuredLane { plan: Arc::clone(plan), running: Arc::clone(running), status: Arc::clone(status) }
    }

    pub(super) fn status(&self) -> Arc<LaneStatus> {
        Arc::clone(&self.context.status)
    }

    /// Serves until the server is shut down.
    pub(super) fn run(self) -> ShutdownReport {
        let Lane { context, first, .. } = self;
        let SessionContext { plan, leadership, status, stopped, .. } = &*context;
        let mut open = first;
        let mut backoff = Backoff::new();
        let report = loop {
            let since = Instant::now();
            leadership.assign(Arc::clone(&open.session));
            let (reason, connections, requeued) = match wait(&open, stopped, plan.drain) {
                End::ShutDown(report) => break report,
                End::Lost { reason, connections, requeued } => (reason, connections, requeued),
            };
            leadership.unassign();
            if connections.is_some() {
                warn!("no deliveries from {} any more: {reason}", plan.address);
            } else {
                warn!("lost {}: {reason}", plan.address);
            }
            status.set(ConnectionStatus::Disconnected { reason });
            backoff.after_connection(since.elapsed());
            match reopen(&context, connections, &mut backoff) {
                Some(reopened) => open = reopened,
                // Without a connection no caller can be answered, so there is nothing to wait for.
                None => {
                    break ShutdownReport { requeued, abandoned: context.unfinished() + open.session.abandoned() };
                }
            }
        };
        context.dismiss();
        status.set(ConnectionStatus::Stopped);
        let ShutdownReport { requeued, abandoned } = report;
        if abandoned == 0 {
            info!(requeued, "stopped");
        } else {
            warn!(requeued, abandoned, "stopped before all that had begun was finished");
        }
        report
    }
}

/// Opens the first session, and waits for a broker that is not there for as long as the set-up says.
fn open_first(context: &Arc<SessionContext>) -> Result<OpenSession, Error> {
    let until = Instant::now().checked_add(context.plan.wait);
    let (mut backoff, mut reminder) = (Backoff::new(), Reminder::default());
    loop {
        let error = match consumer::open(context, None) {
            Err(error) if error.kind() == ErrorKind::Unreachable => error,
            opened => return opened,
        };
        let now = Instant::now();
        let delay = backoff.next_delay(now);
        if until.is_some_and(|until| now + delay > until) {
            return Err(error);
        }
        if let Some(line) = reminder.line(&error.to_string(), now) {
            warn!("{line}; trying again");
        }
        if let Err(RecvTimeoutError::Disconnected) = context.stopped.recv_timeout(delay) {
            return Err(Error::new(ErrorKind::Stopped, "the server was shut down while it waited for the broker"));
        }
    }
}

/// Waits for the end of a session; not much longer than the drain time, once the server is to stop.
fn wait(OpenSession { end, attempt, .. }: &OpenSession, stopped: &Stopped, drain: Duration) -> End {
    let lost = |reason: &str| End::Lost { reason: reason.to_owned(), connections: None, requeued: 0 };
    select! {
        recv(end) -> end => end.unwrap_or_else(|_| lost("its thread is gone")),
        recv(stopped) -> _ => end
            .recv_timeout(drain.saturating_add(SHUTDOWN_GRACE))
            .or_else(|_| {
                // Its thread waits for nothing then, and says what it has left.
                attempt.give_up();
                end.recv_timeout(SHUTDOWN_GRACE)
            })
            .unwrap_or_else(|_| lost("the broker does not answer any more")),
    }
}

/// Tries until it succeeds, first on the connections that are still there, or until the server is to stop.
fn reopen(
    context: &Arc<SessionContext>,
    mut connections: Option<Connections>,
    backoff: &mut Backoff,
) -> Option<OpenSession> {
    let SessionContext { plan, status, stopped, .. } = &**context;
    let mut reminder = Reminder::default();
    loop {
        match stopped.recv_timeout(backoff.next_delay(Instant::now())) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(never) => match never {},
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        let is_connected = connections.is_some();
        match consumer::open(context, connections.take()) {
            Ok(reopened) => {
                if is_connected {
                    info!("taking deliveries from {} again", plan.address);
                } else {
                    info!("connected to {} again", plan.address);
                }
                return Some(reopened);
            }
            Err(error) if error.kind() == ErrorKind::Stopped => return None,
            Err(error) => {
                let reason = error.to_string();
                if let Some(line) = reminder.line(&reason, Instant::now()) {
                    warn!("{line}");
                }
                status.set(ConnectionStatus::Disconnected { reason });
            }
        }
    }
}
