//! Metrics of servers and clients, and their health, for Prometheus and whatever reads OpenMetrics.
//!
//! A program with [`main!`](crate::main!) needs no more than `--metrics ADDRESS`: a thread of its own serves `/metrics`
//! there, `/livez` (the process runs, whatever the broker does) and `/readyz` (it takes requests: connected, not blocked by
//! the broker, not shutting down; `?verbose` says how each part does).
//! Any other program makes [`Metrics`], gives it to its servers and clients, and has it served, or encodes it itself:
//!
//! ```no_run
//! use guirpc::Client;
//! use guirpc::metrics::Metrics;
//!
//! let metrics = Metrics::new();
//! let client = Client::connect("amqp://localhost")?.with_metrics(&metrics);
//! let serving = metrics.serve("9100")?;
//! println!("http://{}/metrics", serving.address());
//! # Ok::<(), guirpc::Error>(())
//! ```
//!
//! Nothing is counted for it that is not counted anyway, but how long calls take and wait.
//! What [`Metrics`] has counted stays when a server or a client is dropped, so that no counter ever goes back.
//!
//! It needs the cargo feature `metrics`.
//!
//! # What there is
//!
//! Times are in seconds, in the buckets of OpenTelemetry. A histogram has `_bucket`, `_sum` and `_count`.
//! The label `lane` is empty for functions without a lane; `function` is `_OTHER` for what a server does not have, and for
//! what a client calls beyond 1,000 functions.
//!
#![doc = include_str!("metrics/table.md")]
//!
//! The `outcome` of a call in a server is `output`, `error` (the function's own), `fault` (a panic, or a
//! [`Fault`](crate::Fault)) or `refusal` (it was not run).
//! A client has these as well, and `accepted` (a send is in a queue), `too_large` (the reply is), `unroutable`,
//! `overloaded`, `blocked`, `denied`, `disconnected` (in flight when the connection was lost), `not_sent`, `timed_out` and
//! `abandoned` (the caller gave it up).

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::error::Error;

mod calls;
mod families;
mod histogram;
mod http;
mod samples;
mod text;

pub use http::MetricsServer;

pub(crate) use calls::{CallOutcome, CallTimes, Measured};
pub(crate) use families::Metric;
#[cfg(any(feature = "server", test))]
pub(crate) use histogram::Histogram;
pub(crate) use samples::Samples;

use calls::Calls;

/// What is measured of the servers and clients that it was given to; cheap to clone.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    calls: Calls,
}

#[derive(Default)]
struct State {
    sources: Vec<Weak<dyn Source>>,
    /// What sources had counted that are gone.
    former: Samples,
    /// Whether a server was set up with it, so that clients alone do not make the program ready.
    has_server: bool,
}

/// A server or a client, as it is measured.
pub(crate) trait Source: Send + Sync {
    /// Adds what it has counted, and how it stands.
    fn collect(&self, samples: &mut Samples);

    /// Its parts, each with what keeps it from being ready.
    fn readiness(&self) -> Vec<Check>;

    /// Whether it takes requests, rather than making them.
    fn is_server(&self) -> bool;
}

/// A part of a program, and what keeps it from being ready.
pub(crate) type Check = (String, Result<(), String>);

/// A source that is measured until this is dropped.
pub(crate) struct Registered {
    metrics: Metrics,
    source: Arc<dyn Source>,
}

impl Metrics {
    /// Of nothing yet.
    pub fn new() -> Self {
        Metrics::default()
    }

    /// Everything as it is now, as OpenMetrics text.
    pub fn encode(&self) -> String {
        text::encode(self.samples())
    }

    /// Serves `/metrics`, `/livez` and `/readyz` at this address until the result is dropped: `HOST:PORT`, or a port
    /// alone, which is one of 127.0.0.1; the port 0 is any free one.
    ///
    /// It is plain HTTP without authentication, from a thread of its own, on 64 connections at a time of at most 10 s each.
    ///
    /// # Errors
    /// The address is none, or cannot be listened at ([`Configuration`](crate::ErrorKind::Configuration)).
    pub fn serve(&self, address: impl AsRef<str>) -> Result<MetricsServer, Error> {
        MetricsServer::start(self.clone(), address.as_ref())
    }

    /// A server will be registered: until then the program is not ready.
    #[cfg(feature = "server")]
    pub(crate) fn expect_server(&self) {
        self.state().has_server = true;
    }

    /// Measures a server or a client until the result is dropped.
    pub(crate) fn register(&self, source: Arc<dyn Source>) -> Registered {
        self.state().sources.push(Arc::downgrade(&source));
        Registered { metrics: self.clone(), source }
    }

    /// Where the calls of a function are measured.
    pub(crate) fn calls_of(&self, service: &str, function: &str, lane: &str) -> Arc<CallTimes> {
        self.0.calls.of(service, function, lane)
    }

    fn samples(&self) -> Samples {
        let mut state = self.state();
        let mut samples = state.former.clone();
        self.0.calls.collect(&mut samples);
        for source in state.sources() {
            source.collect(&mut samples);
        }
        samples
    }

    /// What has to be in order to be ready: the servers, or the clients of a program that has no server.
    fn readiness(&self) -> Vec<Check> {
        let (sources, has_server) = {
            let mut state = self.state();
            (state.sources(), state.has_server)
        };
        let checked = sources.iter().filter(|source| source.is_server() == has_server);
        let checks: Vec<Check> = checked.flat_map(|source| source.readiness()).collect();
        if !checks.is_empty() {
            return checks;
        }
        let what = if has_server { "server" } else { "client" };
        vec![(what.to_owned(), Err("there is none at the moment".to_owned()))]
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn sources(&mut self) -> Vec<Arc<dyn Source>> {
        self.sources.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Registered {
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        // Under one lock, so that a scrape finds its counts once.
        let mut state = self.metrics.state();
        state.sources.retain(|source| !std::ptr::addr_eq(source.as_ptr(), Arc::as_ptr(&self.source)));
        let mut last = Samples::default();
        self.source.collect(&mut last);
        state.former.add_totals(last);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registered")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(u64);

    impl Source for Counting {
        fn collect(&self, samples: &mut Samples) {
            samples.add(Metric::ClientReconnects, &[], self.0);
            samples.add(Metric::Clients, &[], 1);
        }

        fn readiness(&self) -> Vec<Check> {
            vec![("client".to_owned(), Ok(()))]
        }

        fn is_server(&self) -> bool {
            false
        }
    }

    #[test]
    fn what_is_gone_still_counts_and_is_no_more() {
        let metrics = Metrics::new();
        let has = |line: &str| metrics.encode().lines().any(|found| found == line);
        let (one, other) = (metrics.register(Arc::new(Counting(3))), metrics.register(Arc::new(Counting(4))));
        assert!(has("guirpc_client_reconnects_total 7") && has("guirpc_clients 2"), "{}", metrics.encode());
        drop(one);
        assert!(has("guirpc_client_reconnects_total 7") && has("guirpc_clients 1"), "{}", metrics.encode());
        drop(other);
        assert!(has("guirpc_client_reconnects_total 7"), "{}", metrics.encode());
    }

    #[test]
    fn clients_do_not_make_a_service_ready() {
        let metrics = Metrics::new();
        let is_ready = || metrics.readiness().iter().all(|(_, ready)| ready.is_ok());
        assert!(!is_ready(), "there is nothing yet");
        let _client = metrics.register(Arc::new(Counting(0)));
        assert!(is_ready());
        metrics.0.state.lock().unwrap().has_server = true;
        assert!(!is_ready());
    }
}
