//! Serving: a [`Setup`] says what and how, a [`Server`] does it until it is stopped.

use std::fmt;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::broker::{Address, Exchange, Lifetime};
use crate::error::{Error, ErrorKind};

mod crew;
mod drain;
mod pace;
mod session;
mod settling;
mod setup;
mod stop;
mod supervisor;
mod worker;

pub use drain::Drained;
pub use setup::Setup;
pub use stop::Stopper;

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
    thread: Option<JoinHandle<Drained>>,
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
        let plan = Arc::new(setup.into_plan()?);
        let (stopper, word) = Stopper::new();
        let supervisor = supervisor::Supervisor::start(plan, word)?;
        let thread = thread::Builder::new()
            .name("guirpc-server".to_owned())
            .spawn(move || supervisor.run())
            .map_err(|error| Error::new(ErrorKind::System, format!("no thread for the server: {error}")))?;
        Ok(Server { stopper, thread: Some(thread) })
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
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(drained)) => drained,
            // It has been waited for before, by `wait`, which drops the server in the end.
            None => Drained::default(),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopper.stop();
        self.join();
    }
}

/// What a server does, checked: nothing in it can be wrong any more.
pub(crate) struct Plan {
    pub(crate) address: Address,
    pub(crate) services: Vec<Served>,
    pub(crate) exchange: Exchange,
    pub(crate) lifetime: Lifetime,
    pub(crate) workers: usize,
    pub(crate) prefetch: u16,
    pub(crate) drain: std::time::Duration,
}

/// One service of a [`Plan`].
pub(crate) struct Served {
    pub(crate) dispatcher: crate::dispatch::Dispatcher,
    /// What its queue is bound with: its own name, unless it is served apart from others or by configuration.
    pub(crate) routing_key: String,
    pub(crate) queue: String,
    paces: pace::Paces,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("address", &self.address).field("workers", &self.workers).finish_non_exhaustive()
    }
}
