//! Serving: a [`Setup`] says what and how, a [`Server`] does it until it is shut down.

use std::future::Future;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::error::{Error, ErrorKind};
use crate::health::ConnectionStatus;
use crate::log;

mod acks;
mod caller_contracts;
mod coalesced;
mod consumer;
mod control;
mod delivery;
mod journal;
mod lane;
mod lane_status;
mod leader;
#[cfg(test)]
mod leader_tests;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "server/metrics/none.rs"]
mod metrics;
#[cfg(test)]
mod models;
mod open_calls;
mod overdue;
mod pause;
mod plan;
mod queues;
mod replies;
mod reply_batches;
mod reply_cache;
mod reply_line;
mod reply_sizes;
mod replying;
mod reports;
mod republisher;
mod running;
mod session;
mod setup;
mod shared_acks;
mod shutdown;
mod shutdown_handle;
mod shutdown_report;
#[cfg(feature = "tokio")]
mod tasks;
#[cfg(not(feature = "tokio"))]
#[path = "server/tasks/none.rs"]
mod tasks;
mod tick;
mod topology_watch;
mod triage;
mod worker;

#[cfg(feature = "main")]
pub(crate) use setup::OwnSettings;
pub use setup::Setup;
pub use shutdown_handle::ShutdownHandle;
pub use shutdown_report::ShutdownReport;

use control::Control;
use lane::Lane;
use lane_status::LaneStatus;
use metrics::Measured;
use plan::Plan;
use setup::Hook;
use tasks::Runtime;

/// What threads agree by: the models in tests replace it.
mod sync {
    pub(super) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(super) use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
}

/// A server that is running in the background; dropping it shuts it down.
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
/// server.shutdown_handle().shutdown();
/// let report = server.wait();
/// assert_eq!(report.abandoned, 0);
/// # Ok::<(), guirpc::Error>(())
/// ```
#[derive(Debug)]
pub struct Server {
    shutdown: ShutdownHandle,
    statuses: Vec<Arc<LaneStatus>>,
    /// One for each lane.
    threads: Vec<JoinHandle<ShutdownReport>>,
    hooks: Vec<Hook>,
    /// Until the server has stopped.
    _measured: Measured,
    /// What `async` functions still run on ends with the server.
    _runtime: Option<Arc<Runtime>>,
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
        Server::start_with(setup, &ShutdownHandle::new())
    }

    /// Starts a server that this handle shuts down as well as its own, also while it still connects.
    ///
    /// # Errors
    /// As [`start`](Server::start) has them; of the kind [`Stopped`](ErrorKind::Stopped) if it is shut down before it
    /// serves. The handle may be used again.
    pub fn start_with(mut setup: Setup, shutdown: &ShutdownHandle) -> Result<Self, Error> {
        let (hooks, runtime, is_asked) = (setup.hooks(), setup.take_runtime(), setup.answers_control());
        let metrics = setup.take_metrics();
        let plans = setup.into_plans()?;
        let shutdown = shutdown.of_server();
        if shutdown.is_shutdown() {
            return Err(Error::new(ErrorKind::Stopped, "the server was shut down before it was started"));
        }
        let measured = Measured::start(metrics, &plans, &shutdown)?;
        let runtime = Runtime::start(runtime, &plans, &shutdown)?;
        let control = is_asked.then(|| Arc::new(Control::new(&plans)));
        let lanes = start_lanes(plans, runtime.as_ref(), control.as_ref(), &shutdown)?;
        if let Some(control) = &control {
            control.set_lanes(lanes.iter().map(Lane::context));
        }
        measured.set_lanes(&lanes);
        let mut server = Server {
            shutdown,
            statuses: Vec::new(),
            threads: Vec::new(),
            hooks,
            _measured: measured,
            _runtime: runtime,
        };
        for lane in lanes {
            let name = lane.name();
            name.within(|| lane.announce());
            server.statuses.push(lane.status());
            let thread =
                thread::Builder::new().name("guirpc-server".to_owned()).spawn(move || name.within(|| lane.run()));
            server.threads.push(thread.map_err(|error| Error::no_thread("for the server", error))?);
        }
        Ok(server)
    }

    /// Starts as [`start`](Server::start) does, and blocks no thread.
    ///
    /// A server whose future is dropped is shut down as soon as it has started.
    ///
    /// # Errors
    /// As [`start`](Server::start) has them.
    pub fn start_async(setup: Setup) -> impl Future<Output = Result<Self, Error>> + Send {
        let (told, started) = oneshot::async_channel();
        let starting = thread::Builder::new().name("guirpc-start".to_owned()).spawn(move || {
            // Dropped here if nobody wants it any more.
            drop(told.send(Server::start(setup)));
        });
        async move {
            starting.map_err(|error| Error::no_thread("to start a server", error))?;
            started.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::System, "the server did not come to start")))
        }
    }

    /// How it stands with the broker at the moment, for a health check; with lanes, the worst of all.
    ///
    /// A connection that is lost is noticed at once if it was closed, after twice the heartbeat if it fell silent.
    pub fn status(&self) -> ConnectionStatus {
        lane_status::overall(self.statuses.iter().map(|status| &**status))
    }

    /// What shuts this server down, from any thread.
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        self.shutdown.clone()
    }

    /// Waits until the server has been shut down.
    pub fn wait(mut self) -> ShutdownReport {
        self.join()
    }

    /// Waits until the server has been shut down, and blocks no thread; a server that is awaited no longer is shut down.
    ///
    /// To drop a server waits as well, on the thread that does so: tasks await this instead.
    pub fn wait_async(self) -> impl Future<Output = ShutdownReport> + Send {
        let abandoned = ShutdownOnDrop(self.shutdown.clone());
        let (told, stopped) = oneshot::async_channel();
        let waiting = thread::Builder::new().name("guirpc-wait".to_owned()).spawn(move || told.send(self.wait()));
        async move {
            let _abandoned = abandoned;
            // Without a thread the server was dropped, which has shut it down.
            drop(waiting);
            stopped.await.unwrap_or_default()
        }
    }

    fn join(&mut self) -> ShutdownReport {
        let mut all = ShutdownReport::default();
        // None are left where `wait` has waited for them before, which drops the server in the end.
        for thread in self.threads.drain(..) {
            match thread.join() {
                Ok(report) => all += report,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        self.hooks.drain(..).for_each(|hook| hook.run());
        all
    }
}

/// Shuts a server down that nobody awaits any more.
struct ShutdownOnDrop(ShutdownHandle);

impl Drop for ShutdownOnDrop {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

/// All lanes or none; they are started at once, since each may have to wait for the broker.
fn start_lanes(
    plans: Vec<Plan>,
    runtime: Option<&Arc<Runtime>>,
    control: Option<&Arc<Control>>,
    shutdown: &ShutdownHandle,
) -> Result<Vec<Lane>, Error> {
    let (started, failed): (Vec<_>, Vec<_>) = thread::scope(|scope| {
        let start = |plan: Plan| {
            let stopped = shutdown.stopped();
            scope.spawn(move || {
                let name = log::Lane::new(plan.lane.as_deref());
                name.within(|| Lane::start(plan, runtime, control, stopped))
            })
        };
        let starting: Vec<_> = plans.into_iter().map(start).collect();
        let join = |starting: thread::ScopedJoinHandle<'_, _>| match starting.join() {
            Ok(started) => started,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        starting.into_iter().map(join).partition(Result::is_ok)
    });
    if let Some(error) = failed.into_iter().find_map(Result::err) {
        started.into_iter().flatten().for_each(Lane::give_up);
        return Err(error);
    }
    Ok(started.into_iter().flatten().collect())
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.shutdown();
        self.join();
    }
}
