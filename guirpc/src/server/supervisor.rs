//! Keeps a server serving: one session after another, until it is stopped.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, select};
use tracing::{info, warn};

use super::Plan;
use super::crew::Crew;
use super::drain::Drained;
use super::session::{End, Session};
use super::stop::Stopped;
use super::worker::Worker;
use crate::broker::Backoff;
use crate::error::{Error, ErrorKind};

/// A session that held this long was no false start.
const STABLE: Duration = Duration::from_secs(10);
/// What a drain may take beyond its limit, for a broker that does not answer.
const DRAIN_GRACE: Duration = Duration::from_secs(5);

pub(super) struct Supervisor {
    plan: Arc<Plan>,
    crew: Arc<Crew<Session>>,
    stopped: Stopped,
    first: (Arc<Session>, Receiver<End>),
}

impl Supervisor {
    /// Opens the first session, so that a mistake is told at once.
    pub(super) fn start(plan: Arc<Plan>, stopped: Stopped) -> Result<Self, Error> {
        let crew = Arc::new(Crew::new());
        let first = Session::open(&plan, &crew, &stopped)?;
        for number in 0..plan.workers {
            let worker = Worker { number, plan: Arc::clone(&plan), crew: Arc::clone(&crew) };
            thread::Builder::new()
                .name(format!("guirpc-worker-{number}"))
                .spawn(move || worker.run())
                .map_err(|error| Error::new(ErrorKind::System, format!("no thread for worker {number}: {error}")))?;
        }
        for served in &plan.services {
            let service = served.dispatcher.service();
            let functions: Vec<&str> = service.functions().map(|function| function.name).collect();
            info!(
                service = service.name,
                queue = served.queue,
                broker = %plan.address,
                workers = plan.workers,
                functions = functions.join(", "),
                "serving"
            );
        }
        Ok(Supervisor { plan, crew, stopped, first })
    }

    /// Serves until the server is stopped and has drained.
    pub(super) fn run(self) -> Drained {
        let Supervisor { plan, crew, stopped, first } = self;
        let (mut session, mut end) = first;
        let mut backoff = Backoff::new();
        let drained = loop {
            let since = Instant::now();
            crew.assign(Arc::clone(&session));
            let reason = match wait(&end, &stopped, plan.drain) {
                End::Drained(drained) => break drained,
                End::Lost(reason) => reason,
            };
            crew.unassign();
            warn!("lost {}: {reason}", plan.address);
            if since.elapsed() >= STABLE {
                backoff.reset();
            }
            match reopen(&plan, &crew, &stopped, &mut backoff) {
                Some(reopened) => (session, end) = reopened,
                // Without a connection nobody can be answered, so there is nothing to wait for.
                None => break Drained { given_back: 0, abandoned: session.running() },
            }
        };
        crew.dismiss();
        info!(given_back = drained.given_back, abandoned = drained.abandoned, "stopped");
        drained
    }
}

/// Waits for the end of a session; not much longer than a drain may take, once the server is to stop.
fn wait(end: &Receiver<End>, stopped: &Stopped, drain: Duration) -> End {
    let silent = || End::Lost("its thread is gone".to_owned());
    select! {
        recv(end) -> end => end.unwrap_or_else(|_| silent()),
        recv(stopped) -> _ => end
            .recv_timeout(drain + DRAIN_GRACE)
            .unwrap_or_else(|_| End::Lost("the broker does not answer any more".to_owned())),
    }
}

/// Tries until it succeeds, or until the server is to stop.
fn reopen(
    plan: &Arc<Plan>,
    crew: &Arc<Crew<Session>>,
    stopped: &Stopped,
    backoff: &mut Backoff,
) -> Option<(Arc<Session>, Receiver<End>)> {
    loop {
        match stopped.recv_timeout(backoff.next_delay()) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(never) => match never {},
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        match Session::open(plan, crew, stopped) {
            Ok(reopened) => {
                info!("connected to {} again", plan.address);
                return Some(reopened);
            }
            Err(error) => warn!("{error}"),
        }
    }
}
