//! What a server is to do, as its program says it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(super) use program::Hook;
#[cfg(feature = "config")]
pub(crate) use program::OwnSettings;

use super::Plan;
use super::metrics::WantedMetrics;
use super::tasks::Handle;
use crate::config::{Config, LONGEST_TIME, UnknownArguments};
use crate::context::StateMap;
use crate::dispatch::{Dispatcher, Limits};
use crate::error::{Error, ErrorKind};
#[cfg(feature = "metrics")]
use crate::metrics::Metrics;
use crate::registry::{Registration, Service, linked};

#[cfg(feature = "config")]
mod configured;
mod lanes;
mod plans;
mod program;
mod resilience;
mod topology;

/// Which services a program serves, with which state, and how.
///
/// `guirpc::main!` makes one from the command line and hands it to the program, which adds its state;
/// a program with a `main` of its own makes it itself and gives it to [`Server::start`](crate::Server::start).
#[derive(Clone)]
pub struct Setup {
    services: Vec<String>,
    state: StateMap,
    config: Config,
    /// Answered beside the functions of those services, and by these alone where the service is none of them.
    stand_ins: Vec<&'static Registration>,
    /// What names on the broker end in, if others serve the same there.
    suffix: Option<String>,
    hooks: Vec<Hook>,
    runtime: Option<Handle>,
    #[cfg(feature = "metrics")]
    metrics: Option<Metrics>,
    #[cfg(feature = "config")]
    own: OwnSettings,
}

impl Setup {
    /// Serves these services: usually the one that is named for the program's own package.
    pub fn new<S: Into<String>>(services: impl IntoIterator<Item = S>) -> Self {
        Setup::with_config(services.into_iter().map(Into::into).collect(), Config::default())
    }

    pub(crate) fn with_config(services: Vec<String>, config: Config) -> Self {
        Setup {
            services,
            state: StateMap::default(),
            #[cfg(feature = "metrics")]
            metrics: config.metrics.is_some().then(Metrics::new),
            config,
            stand_ins: Vec::new(),
            suffix: None,
            hooks: Vec::new(),
            runtime: None,
            #[cfg(feature = "config")]
            own: OwnSettings::default(),
        }
    }

    /// Adds the value that parameters marked `#[state]` of the type `&T` refer to; a second one of a type replaces the first.
    pub fn state<T: Send + Sync + 'static>(mut self, state: T) -> Self {
        self.state.insert(state);
        self
    }

    /// The broker's AMQP URI, or several with commas between them; the default is `amqp://guest:guest@localhost:5672/%2f`.
    pub fn uri(mut self, uri: impl Into<String>) -> Self {
        self.config.uri = uri.into();
        self
    }

    /// How many threads run functions, one each at a time; the default is the machine's parallelism.
    ///
    /// An `async fn` takes none while it waits: [`concurrency`](Setup::concurrency) is for those.
    pub fn workers(mut self, workers: usize) -> Self {
        self.config.workers = Some(workers);
        self
    }

    /// How many functions that are `async` are under way at once, one or more; the default is 256.
    ///
    /// What comes beyond that waits its turn in this server, so the default of [`prefetch`](Setup::prefetch) is no less;
    /// a lower prefetch is a lower bound here, too.
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.config.concurrency = concurrency;
        self
    }

    /// Runs `async` functions on this runtime, rather than on one that the server makes for them and ends with it.
    ///
    /// It must have whatever they use of it, its I/O or its timers, and should outlive the server: when it is shut down
    /// before, the server is shut down as well, and what it has not finished is run again elsewhere.
    /// With `#[tokio::main]`:
    ///
    /// ```no_run
    /// # #[guirpc::function] async fn left(article: String) -> u32 { 0 }
    /// use guirpc::{Server, Setup};
    /// use tokio::runtime::Handle;
    ///
    /// # async fn ctrl_c() {}
    /// #[tokio::main]
    /// async fn main() -> Result<(), guirpc::Error> {
    ///     let setup = Setup::new([env!("CARGO_PKG_NAME")]).runtime(Handle::current());
    ///     let server = Server::start_async(setup).await?;
    ///     ctrl_c().await;
    ///     server.shutdown_handle().shutdown();
    ///     server.wait_async().await;
    ///     Ok(())
    /// }
    /// ```
    #[cfg(feature = "tokio")]
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Whether the server answers what it is asked over the broker, as `guirpc ls` and `stats` do; the default is that it
    /// does. See [`control`](crate::control).
    pub fn control(mut self, control: bool) -> Self {
        self.config.control = control;
        self
    }

    /// Whether callers are logged that were made for another contract than the one that is served; the default is that they
    /// are not. See [`contracts`](crate::contracts).
    #[cfg(feature = "schema")]
    pub fn log_contracts(mut self, log: bool) -> Self {
        self.config.log_contracts = log;
        self
    }

    pub(super) fn answers_control(&self) -> bool {
        self.config.control
    }

    pub(super) fn take_metrics(&mut self) -> WantedMetrics {
        WantedMetrics {
            #[cfg(feature = "metrics")]
            metrics: self.metrics.take(),
            address: self.config.metrics.take(),
        }
    }

    /// The runtime to use, if one was given.
    pub(super) fn take_runtime(&mut self) -> Option<Handle> {
        self.runtime.take()
    }

    /// How many requests are fetched ahead of their turn; the default is 64 for each worker,
    /// or one with [`max_priority`](Setup::max_priority), and no less than [`concurrency`](Setup::concurrency) where there
    /// are `async` functions.
    ///
    /// More hides the way to the broker from quick functions; less shares slow ones out more evenly among servers:
    /// for functions that take a second, one or two for each worker are plenty.
    pub fn prefetch(mut self, prefetch: u16) -> Self {
        self.config.prefetch = Some(prefetch);
        self
    }

    /// How long [`Server::start`](crate::Server::start) tries to reach a broker that is not there; the default is 0 s:
    /// it tries once.
    ///
    /// For services that start together with their broker. What the broker refuses is an error at once.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.config.wait = wait.min(LONGEST_TIME);
        self
    }

    /// How long a server that is shut down waits for what has begun; the default is 20 s.
    ///
    /// Kubernetes kills what has not ended 30 s after SIGTERM: allow it a few seconds more than this.
    pub fn drain(mut self, drain: Duration) -> Self {
        self.config.drain = drain.min(LONGEST_TIME);
        self
    }

    /// The largest request that is decoded and the largest reply that is sent, in bytes; the default is 16 MiB.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.config.max_body = bytes;
        self
    }

    /// What becomes of a request with an argument that its function does not take; the default is
    /// [`UnknownArguments::Ignore`].
    ///
    /// A misspelt name of an `Option` is such an argument. It does not concern the dialect of Python.
    pub fn unknown_arguments(mut self, unknown: UnknownArguments) -> Self {
        self.config.unknown_arguments = unknown;
        self
    }

    /// Whether functions that say `python(request = "binary")` may be called; the default is that they may not.
    ///
    /// A pickle is read as data: nothing in it is ever run, and what would have to be is refused.
    pub fn pickle(mut self, pickle: bool) -> Self {
        self.config.pickle = pickle;
        self
    }

    /// Answers for a function that is not linked into this program, or not served by it.
    #[cfg(feature = "testing")]
    pub(crate) fn stand_in(mut self, function: &'static Registration) -> Self {
        self.stand_ins.push(function);
        self
    }

    /// Serves apart from everybody else on the broker: by names that end so, off queues that are gone with the server.
    #[cfg(feature = "testing")]
    pub(crate) fn apart(mut self, suffix: impl Into<String>) -> Self {
        self.suffix = Some(suffix.into());
        self
    }

    /// The same functions, answered in process: no queue, no broker.
    ///
    /// # Errors
    /// There is not exactly one service, or what [`Server::start`](crate::Server::start) says of functions and state.
    pub fn dispatcher(self) -> Result<Dispatcher, Error> {
        match self.services.as_slice() {
            [service] => {
                let limits = self.limits();
                Dispatcher::new(Service::linked(service)?, self.state, limits)
            }
            services => Err(Error::new(
                ErrorKind::Setup,
                format!("a dispatcher answers for one service, not for {}", services.len()),
            )),
        }
    }

    /// Checks everything that can be checked without the broker; one plan for each lane.
    pub(super) fn into_plans(self) -> Result<Vec<Plan>, Error> {
        refuse_abort()?;
        let limits = self.limits();
        let suffix = self.suffix.unwrap_or_default();
        let is_apart = !suffix.is_empty();
        let services = services(&self.services, &self.stand_ins)?;
        let dispatchers = services
            .into_iter()
            .map(|service| Dispatcher::new(service, self.state.clone(), limits).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        plans::plans(&self.config, &dispatchers, &suffix, is_apart)
    }

    fn limits(&self) -> Limits {
        let Config { max_body, pickle, clock_tolerance, unknown_arguments, .. } = self.config;
        let refuses_unknown_arguments = unknown_arguments == UnknownArguments::Refuse;
        Limits { max_body, pickle, refuses_unknown_arguments, clock_tolerance }
    }
}

/// The services to serve, with their stand-ins, and those that have nothing but stand-ins.
fn services(names: &[String], stand_ins: &[&'static Registration]) -> Result<Vec<Service>, Error> {
    let stand_ins = stand_ins.iter().copied();
    let others: BTreeSet<&str> = stand_ins.clone().map(|stand_in| stand_in.service).collect();
    let others = others.into_iter().filter(|other| names.iter().all(|name| name != other));
    let services = names.iter().map(|name| Service::collect(name, linked().chain(stand_ins.clone())));
    services.chain(others.map(|name| Service::collect(name, stand_ins.clone()))).collect()
}

/// A panic in a function could not become a reply.
fn refuse_abort() -> Result<(), Error> {
    if cfg!(panic = "abort") {
        let message = "this program is built with `panic = \"abort\"`, so a function that panics would end it \
                       and could not be answered; take that line out of the profile in Cargo.toml";
        return Err(Error::new(ErrorKind::Setup, message));
    }
    Ok(())
}

/// AMQP's short strings.
const LONGEST_NAME: usize = 255;

/// An empty name would have the broker make one up, and every server would get a queue of its own.
fn check_name(what: &str, name: &str) -> Result<(), Error> {
    if (1..=LONGEST_NAME).contains(&name.len()) {
        return Ok(());
    }
    let message = format!("the name of a {what} has from 1 to {LONGEST_NAME} bytes, not {}", name.len());
    Err(Error::new(ErrorKind::Configuration, message))
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("services", &self.services).finish_non_exhaustive()
    }
}
