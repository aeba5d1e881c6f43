//! Serving: a [`Setup`] says what and how, a [`Server`] does it until it is stopped.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::broker::{Addresses, Exchange, QueueKind, ReplyNodes};
use crate::error::{Error, ErrorKind};
use crate::health::Status;

mod crew;
mod delivery;
mod drain;
mod gate;
mod pace;
mod reply_cache;
mod session;
mod settling;
mod setup;
mod standing;
mod stop;
mod supervisor;
mod worker;

pub use drain::Drained;
pub use setup::Setup;
pub use stop::Stopper;

use supervisor::Supervisor;

/// A server that is running in the background; dropping it stops it.
///
/// ```no_run
/// #[guirpc::function]
/// fn add(a: i64, b: i64) -> i64 {
///     a + b
/// }
///
/// let setup = guirpc::Setup::new([env!("CARGO_PKG_NAME")]).uri("amqp://localhost");
/// let server = guirpc::Server::start(setup)?;
/// // … whatever else this program does …
/// server.stopper().stop();
/// let drained = server.wait();
/// assert_eq!(drained.abandoned, 0);
/// # Ok::<(), guirpc::Error>(())
/// ```
#[derive(Debug)]
pub struct Server {
    stopper: Stopper,
    standings: Vec<Arc<standing::Standing>>,
    /// One for each lane.
    threads: Vec<JoinHandle<Drained>>,
}

impl Server {
    /// Connects, declares, and starts to serve.
    ///
    /// A connection that is lost later is opened again in the background.
    ///
    /// # Errors
    /// State is missing, two functions have one name, there is nothing to serve, a setting cannot be used,
    /// or the broker cannot be reached, refuses, or has a queue of that name that is declared differently.
    pub fn start(setup: Setup) -> Result<Self, Error> {
        let plans = setup.into_plans()?;
        let (stopper, word) = Stopper::new();
        let supervisors = supervisors(plans, &stopper, &word)?;
        let mut server = Server { stopper, standings: Vec::new(), threads: Vec::new() };
        for supervisor in supervisors {
            supervisor.announce();
            server.standings.push(supervisor.standing());
            let thread = thread::Builder::new().name("guirpc-server".to_owned()).spawn(move || supervisor.run());
            server.threads.push(
                thread.map_err(|error| Error::new(ErrorKind::System, format!("no thread for the server: {error}")))?,
            );
        }
        Ok(server)
    }

    /// How it stands with the broker at the moment, for a health check; with lanes, the worst of all.
    ///
    /// A connection that is lost is noticed at once if it was closed, after twice the heartbeat if it fell silent.
    pub fn status(&self) -> Status {
        standing::overall(self.standings.iter().map(|standing| &**standing))
    }

    /// What stops this server, from any thread.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Waits until the server has been stopped and has drained.
    pub fn wait(mut self) -> Drained {
        self.join()
    }

    fn join(&mut self) -> Drained {
        let mut all = Drained::default();
        // None are left where `wait` has waited for them before, which drops the server in the end.
        for thread in self.threads.drain(..) {
            match thread.join() {
                Ok(drained) => all += drained,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    }
}

/// One for each lane; they are started at once, since each may have to wait for the broker.
fn supervisors(plans: Vec<Plan>, stopper: &Stopper, word: &stop::Stopped) -> Result<Vec<Supervisor>, Error> {
    let start = |plan| Supervisor::start(plan, word.clone());
    let (started, failed): (Vec<_>, Vec<_>) = thread::scope(|scope| {
        let starting: Vec<_> = plans.into_iter().map(|plan| scope.spawn(move || start(plan))).collect();
        let join = |starting: thread::ScopedJoinHandle<'_, _>| match starting.join() {
            Ok(started) => started,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        starting.into_iter().map(join).partition(Result::is_ok)
    });
    if let Some(error) = failed.into_iter().find_map(Result::err) {
        stopper.stop();
        for supervisor in started.into_iter().flatten() {
            supervisor.run();
        }
        return Err(error);
    }
    Ok(started.into_iter().flatten().collect())
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopper.stop();
        self.join();
    }
}

/// What a server does in one lane, checked: nothing in it can be wrong any more.
///
/// A lane is a server within the server: connections, queues and workers of its own, so that none holds up another.
pub(crate) struct Plan {
    /// `None` for the functions that name no lane.
    pub(crate) lane: Option<String>,
    pub(crate) address: Addresses,
    pub(crate) services: Vec<Served>,
    pub(crate) exchange: Exchange,
    pub(crate) queue_kind: QueueKind,
    pub(crate) workers: usize,
    pub(crate) prefetch: u16,
    pub(crate) drain: std::time::Duration,
    pub(crate) reply_nodes: Arc<ReplyNodes>,
}

/// One service of a [`Plan`].
pub(crate) struct Served {
    pub(crate) dispatcher: Arc<crate::dispatch::Dispatcher>,
    /// What its queue is bound with: its own name, unless it is served apart from others or by configuration.
    pub(crate) routing_key: String,
    pub(crate) queue: String,
    /// `None` if what goes wrong is not kept: where the queue ends with its connection.
    aside: Option<delivery::Aside>,
    replies: Mutex<reply_cache::ReplyCache<delivery::Delivery>>,
    paces: pace::Paces,
}

impl Served {
    fn replies(&self) -> MutexGuard<'_, reply_cache::ReplyCache<delivery::Delivery>> {
        self.replies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("lane", &self.lane)
            .field("address", &self.address)
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}
