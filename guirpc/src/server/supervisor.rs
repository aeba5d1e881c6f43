//! Keeps a server serving: one session after another, until it is stopped.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, select};
use tracing::{info, warn};

use super::Plan;
use super::crew::Crew;
use super::drain::Drained;
use super::session::{Connections, End, Session, Terms};
use super::standing::Standing;
use super::stop::Stopped;
use super::worker::Worker;
use crate::broker::Backoff;
use crate::error::{Error, ErrorKind};
use crate::health::Status;

/// A session that held this long was no false start.
const STABLE: Duration = Duration::from_secs(10);
/// What a drain may take beyond its limit, for a broker that does not answer.
const DRAIN_GRACE: Duration = Duration::from_secs(5);

/// Keeps one lane.
pub(super) struct Supervisor {
    terms: Arc<Terms>,
    first: (Arc<Session>, Receiver<End>),
}

impl Supervisor {
    /// Opens the first session, so that a mistake is told at once.
    pub(super) fn start(plan: Plan, stopped: Stopped) -> Result<Self, Error> {
        let plan = Arc::new(plan);
        let crew = Arc::new(Crew::new());
        let standing = Arc::new(Standing::new());
        let terms = Arc::new(Terms { plan: Arc::clone(&plan), crew: Arc::clone(&crew), standing, stopped });
        let first = Session::open(&terms, None)?;
        for number in 0..plan.workers {
            let worker = Worker { number, plan: Arc::clone(&plan), crew: Arc::clone(&crew) };
            thread::Builder::new()
                .name(format!("guirpc-worker-{number}"))
                .spawn(move || worker.work())
                .map_err(|error| Error::new(ErrorKind::System, format!("no thread for worker {number}: {error}")))?;
        }
        Ok(Supervisor { terms, first })
    }

    /// Says what is being served.
    pub(super) fn announce(&self) {
        let plan = &self.terms.plan;
        for served in &plan.services {
            let service = served.dispatcher.service();
            let functions = service.functions().filter(|function| function.lane == plan.lane.as_deref());
            let functions: Vec<&str> = functions.map(|function| function.name).collect();
            info!(
                service = service.name,
                lane = plan.lane,
                queue = served.queue,
                broker = %plan.address,
                workers = plan.workers,
                functions = functions.join(", "),
                "serving"
            );
        }
    }

    pub(super) fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.terms.standing)
    }

    /// Serves until the server is stopped and has drained.
    pub(super) fn run(self) -> Drained {
        let Supervisor { terms, first } = self;
        let Terms { plan, crew, standing, stopped } = &*terms;
        let (mut session, mut end) = first;
        let mut backoff = Backoff::new();
        let drained = loop {
            let since = Instant::now();
            crew.assign(Arc::clone(&session));
            let (reason, connections) = match wait(&end, stopped, plan.drain) {
                End::Drained(drained) => break drained,
                End::Lost(reason, connections) => (reason, connections),
            };
            crew.unassign();
            if connections.is_some() {
                warn!("no deliveries from {} any more: {reason}", plan.address);
            } else {
                warn!("lost {}: {reason}", plan.address);
            }
            standing.set(Status::Disconnected { reason });
            if since.elapsed() >= STABLE {
                backoff.reset();
            }
            match reopen(&terms, connections, &mut backoff) {
                Some(reopened) => (session, end) = reopened,
                // Without a connection nobody can be answered, so there is nothing to wait for.
                None => break Drained { given_back: 0, abandoned: session.running() },
            }
        };
        crew.dismiss();
        standing.set(Status::Stopped);
        let Drained { given_back, abandoned } = drained;
        if abandoned == 0 {
            info!(lane = plan.lane, given_back, "stopped");
        } else {
            warn!(lane = plan.lane, given_back, abandoned, "stopped before all that had begun was finished");
        }
        drained
    }
}

/// Waits for the end of a session; not much longer than a drain may take, once the server is to stop.
fn wait(end: &Receiver<End>, stopped: &Stopped, drain: Duration) -> End {
    let silent = || End::Lost("its thread is gone".to_owned(), None);
    select! {
        recv(end) -> end => end.unwrap_or_else(|_| silent()),
        recv(stopped) -> _ => end
            .recv_timeout(drain + DRAIN_GRACE)
            .unwrap_or_else(|_| End::Lost("the broker does not answer any more".to_owned(), None)),
    }
}

/// Tries until it succeeds, first on the connections that are still there, or until the server is to stop.
fn reopen(
    terms: &Arc<Terms>,
    mut connections: Option<Connections>,
    backoff: &mut Backoff,
) -> Option<(Arc<Session>, Receiver<End>)> {
    let Terms { plan, standing, stopped, .. } = &**terms;
    loop {
        match stopped.recv_timeout(backoff.next_delay(Instant::now())) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(never) => match never {},
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        let is_connected = connections.is_some();
        match Session::open(terms, connections.take()) {
            Ok(reopened) => {
                if is_connected {
                    info!("taking deliveries from {} again", plan.address);
                } else {
                    info!("connected to {} again", plan.address);
                }
                return Some(reopened);
            }
            Err(error) => {
                warn!("{error}");
                standing.set(Status::Disconnected { reason: error.to_string() });
            }
        }
    }
}
