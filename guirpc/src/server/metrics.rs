//! A server as it is measured; see [`metrics`](crate::metrics).

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::lane::Lane;
use super::lane_status::LaneStatus;
use super::plan::{LaneService, Plan};
use super::running::Running;
use super::shutdown_handle::ShutdownHandle;
use crate::error::Error;
use crate::health::ConnectionStatus;
use crate::message::ReplyKind;
use crate::metrics::{Check, Metric, Metrics, MetricsServer, Registered, Samples, Source};
use crate::statistics::{FunctionStatistics, Snapshot};

/// What is asked for: where to count, and where to serve it.
pub(super) struct WantedMetrics {
    pub(super) metrics: Option<Metrics>,
    pub(super) address: Option<String>,
}

/// A server is measured, and that served, until this is dropped.
#[derive(Debug)]
pub(super) struct Measured(Option<Measuring>);

struct Measuring {
    /// Ends before what it serves.
    _server: Option<MetricsServer>,
    source: Arc<ServerSource>,
    _registered: Registered,
}

impl Measured {
    /// Before the server connects, so that others see that it does.
    pub(super) fn start(wanted: WantedMetrics, plans: &[Plan], shutdown: &ShutdownHandle) -> Result<Self, Error> {
        let WantedMetrics { metrics, address } = wanted;
        let Some(metrics) = metrics else { return Ok(Measured(None)) };
        metrics.expect_server();
        let source = Arc::new(ServerSource::new(plans, shutdown));
        let registered = metrics.register(Arc::clone(&source) as Arc<dyn Source>);
        let server = address.map(|address| metrics.serve(address)).transpose()?;
        Ok(Measured(Some(Measuring { _server: server, source, _registered: registered })))
    }

    pub(super) fn set_lanes(&self, lanes: &[Lane]) {
        if let Some(measuring) = &self.0 {
            // They are set once.
            let _ = measuring.source.lanes.set(lanes.iter().map(Lane::measured).collect());
        }
    }
}

impl fmt::Debug for Measuring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Measuring")
    }
}

/// What is measured of a server.
struct ServerSource {
    /// Once they are all there.
    lanes: OnceLock<Vec<MeasuredLane>>,
    shutdown: ShutdownHandle,
}

/// What is measured of a lane.
pub(super) struct MeasuredLane {
    pub(super) plan: Arc<Plan>,
    pub(super) running: Arc<Running>,
    pub(super) status: Arc<LaneStatus>,
}

impl ServerSource {
    /// Of a server that is about to start, whose times are kept from now on.
    fn new(plans: &[Plan], shutdown: &ShutdownHandle) -> Self {
        for served in plans.iter().flat_map(|plan| &plan.services) {
            served.statistics.measure();
        }
        ServerSource { lanes: OnceLock::new(), shutdown: shutdown.clone() }
    }
}

impl Source for ServerSource {
    fn collect(&self, samples: &mut Samples) {
        self.lanes.get().into_iter().flatten().for_each(|lane| lane.collect(samples));
    }

    fn readiness(&self) -> Vec<Check> {
        if self.shutdown.is_shutdown() {
            return vec![("server".to_owned(), Err("shutting down".to_owned()))];
        }
        match self.lanes.get() {
            None => vec![("server".to_owned(), Err("starting: it has not connected yet".to_owned()))],
            Some(lanes) => lanes.iter().map(MeasuredLane::readiness).collect(),
        }
    }

    fn is_server(&self) -> bool {
        true
    }
}

impl MeasuredLane {
    fn label(&self) -> &str {
        self.plan.lane.as_deref().unwrap_or_default()
    }

    fn readiness(&self) -> Check {
        let name = match &self.plan.lane {
            Some(lane) => format!("lane {lane}"),
            None => "server".to_owned(),
        };
        let status = self.status.status();
        (name, if status.is_connected() { Ok(()) } else { Err(status.to_string()) })
    }

    fn collect(&self, samples: &mut Samples) {
        let lane = self.label();
        for served in &self.plan.services {
            self.collect_service(served, samples);
        }
        let mut add = |metric, value| samples.add(metric, &[lane], value);
        for (messages, parts, coalesced) in [
            (Metric::ServerCoalescedMessages, Metric::ServerCoalescedCalls, &self.plan.coalesced_calls),
            (Metric::ServerCoalescedReplyMessages, Metric::ServerCoalescedReplies, &*self.plan.coalesced_replies),
        ] {
            let counts = coalesced.counts();
            add(messages, counts.0);
            add(parts, counts.1);
        }
        let status = self.status.status();
        add(Metric::ServerWorkers, self.plan.workers as u64);
        add(Metric::ServerBusyWorkers, self.running.busy(self.plan.workers) as u64);
        add(Metric::ServerConnected, status.is_connected().into());
        add(Metric::ServerBlocked, matches!(status, ConnectionStatus::Blocked { .. }).into());
        add(Metric::ServerBlocks, self.status.blocks());
        add(Metric::ServerReconnects, self.status.reconnects());
    }

    fn collect_service(&self, served: &LaneService, samples: &mut Samples) {
        let service = served.dispatcher.service();
        let is_at_home = |name: &str| {
            service.functions().any(|function| function.name == name && function.lane == self.plan.lane.as_deref())
        };
        for (name, statistics) in served.statistics.all() {
            let snapshot = statistics.snapshot();
            // Callers may say that a function is to run in another lane; few do.
            if is_at_home(name) || snapshot.begun + snapshot.cached > 0 {
                collect_function([&service.name, name, self.label()], statistics, &snapshot, samples);
            }
        }
    }
}

fn collect_function(labels: [&str; 3], statistics: &FunctionStatistics, snapshot: &Snapshot, samples: &mut Samples) {
    let [service, function, lane] = labels;
    let counts = [
        (Metric::ServerInFlight, snapshot.in_flight),
        (Metric::ServerCachedReplies, snapshot.cached),
        (Metric::ServerRedeliveries, snapshot.redelivered),
        (Metric::ServerRetries, snapshot.retries),
        (Metric::ServerDeadLetters, snapshot.dead_letters),
    ];
    for (metric, count) in counts {
        samples.add(metric, &labels, count);
    }
    let runs = [
        (ReplyKind::Output, snapshot.outputs),
        (ReplyKind::Error, snapshot.errors),
        (ReplyKind::Fault, snapshot.faults),
    ];
    for (outcome, count) in runs {
        samples.add(Metric::ServerRuns, &[service, function, lane, outcome.as_str()], count);
    }
    for (status, count) in &snapshot.refusals {
        samples.add(Metric::ServerRefusals, &[service, function, lane, &status.to_string()], *count);
    }
    let Some(measured) = statistics.measured() else { return };
    samples.add_times(Metric::ServerQueueTime, &labels, measured.queue());
    for outcome in ReplyKind::ALL {
        let labels = [service, function, lane, outcome.as_str()];
        samples.add_times(Metric::ServerCallDuration, &labels, measured.calls(outcome));
    }
}
