//! Answers what servers are asked on the control exchange; see [`control`](crate::control).

use std::convert::Infallible;
use std::sync::{Arc, OnceLock, Weak};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use serde::Serialize;
use uuid::Uuid;

use super::consumer::SessionContext;
use super::plan::{LaneService, Plan};
use crate::broker::{Connection, ControlServer, program};
#[cfg(feature = "schema")]
use crate::contract::Contract;
#[cfg(feature = "schema")]
use crate::control::{CONTRACT, Contracts};
use crate::control::{
    FunctionDescription, FunctionStatistics, INFO, Info, Instance, LaneDescription, LaneStatistics, LastFailure, PING,
    Pong, STATS, ServiceDescription, ServiceStatistics, Statistics, Target, Times, VERSION,
};
use crate::error::ErrorKind;
use crate::log::{debug, warn};
use crate::message::UNKNOWN_FUNCTION;
use crate::statistics::{Snapshot, TimesSnapshot};

/// How long after a channel is lost to open the next one.
const PAUSE: Duration = Duration::from_secs(5);
/// As AMQP has it.
const LONGEST_KEY: usize = 255;

/// A server as others see it.
pub(super) struct Control {
    instance: Instance,
    since: Instant,
    /// Its lanes, once they are all there.
    lanes: OnceLock<Vec<Weak<SessionContext>>>,
}

/// Has questions answered until it is dropped.
pub(super) struct ControlThread(#[expect(dead_code, reason = "it is dropped")] Sender<Infallible>);

impl Control {
    pub(super) fn new(plans: &[Plan]) -> Self {
        let mut services: Vec<String> = plans.iter().flat_map(|plan| &plan.services).map(name).collect();
        services.sort();
        services.dedup();
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let instance = Instance {
            id: Uuid::new_v4().to_string(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            pid: std::process::id(),
            program: program(),
            guirpc: env!("CARGO_PKG_VERSION").to_owned(),
            since: since.as_secs(),
            services,
        };
        Control { instance, since: Instant::now(), lanes: OnceLock::new() }
    }

    /// From now on questions about its lanes are answered.
    pub(super) fn set_lanes(&self, lanes: impl Iterator<Item = Weak<SessionContext>>) {
        // They are set once.
        let _ = self.lanes.set(lanes.collect());
    }

    /// Answers on this connection until the result is dropped; without a thread, it does not.
    pub(super) fn start(self: &Arc<Self>, replying: &Connection) -> Option<ControlThread> {
        let services = self.instance.services.iter().map(Target::service);
        let targets = [Target::all(), Target::instance(&self.instance.id)].into_iter().chain(services);
        let keys = targets.map(Target::routing_key).filter(|key| key.len() <= LONGEST_KEY);
        let server = ControlServer::on(replying, keys.collect());
        let (thread, over) = bounded(0);
        let control = Arc::clone(self);
        let spawned =
            thread::Builder::new().name("guirpc-control".to_owned()).spawn(move || control.run(&server, &over));
        if let Err(error) = &spawned {
            warn!("no thread to answer on the control exchange: {error}");
        }
        spawned.ok().map(|_| ControlThread(thread))
    }

    fn run(&self, server: &ControlServer, over: &Receiver<Infallible>) {
        loop {
            match server.serve(over, |question| self.answer(question)) {
                Ok(()) => return,
                Err(error) if matches!(error.kind(), ErrorKind::Denied | ErrorKind::Topology) => {
                    warn!(
                        "this server cannot be asked how it does (`control = false` says that it need not be): {error}"
                    );
                    return;
                }
                Err(error) => debug!("the control exchange is lost: {error}"),
            }
            if over.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    fn answer(&self, question: &str) -> Option<Vec<u8>> {
        let instance = self.instance.clone();
        match question {
            PING => {
                let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                json(&Pong { version: VERSION, instance, time_ms: milliseconds(time), after: None, received: None })
            }
            INFO => json(&self.info(instance)?),
            #[cfg(feature = "schema")]
            CONTRACT => json(&self.contracts(instance)?),
            STATS => json(&self.statistics(instance)?),
            _ => None,
        }
    }

    fn lanes(&self) -> Option<Vec<Arc<SessionContext>>> {
        Some(self.lanes.get()?.iter().filter_map(Weak::upgrade).collect())
    }

    fn info(&self, instance: Instance) -> Option<Info> {
        let lanes = self.lanes()?;
        // The first lane has every service.
        let services = lanes.first()?.plan.services.iter().map(describe_service).collect();
        let broker = lanes.first()?.plan.address.to_string();
        let lanes = lanes.iter().map(|lane| describe_lane(&lane.plan)).collect();
        Some(Info { version: VERSION, instance, broker, services, lanes })
    }

    #[cfg(feature = "schema")]
    fn contracts(&self, instance: Instance) -> Option<Contracts> {
        let lanes = self.lanes()?;
        let services = &lanes.first()?.plan.services;
        let contracts = services.iter().map(|served| Contract::of(served.dispatcher.service())).collect();
        Some(Contracts { version: VERSION, instance, contracts })
    }

    fn statistics(&self, instance: Instance) -> Option<Statistics> {
        let lanes = self.lanes()?.iter().map(|lane| lane_statistics(lane)).collect();
        Some(Statistics { version: VERSION, instance, uptime_ms: milliseconds(self.since.elapsed()), lanes })
    }
}

fn json(answer: &impl Serialize) -> Option<Vec<u8>> {
    serde_json::to_vec(answer).inspect_err(|error| debug!("no answer on the control exchange: {error}")).ok()
}

fn name(served: &LaneService) -> String {
    served.dispatcher.service().name.clone()
}

fn describe_service(served: &LaneService) -> ServiceDescription {
    let functions = served.dispatcher.service().functions().map(FunctionDescription::of).collect();
    ServiceDescription { name: name(served), functions }
}

fn describe_lane(plan: &Plan) -> LaneDescription {
    LaneDescription {
        lane: plan.lane.clone(),
        queues: plan.services.iter().map(|served| served.queue.clone()).collect(),
        workers: plan.workers as u64,
        concurrency: plan.concurrency as u64,
        prefetch: plan.prefetch.into(),
        drain_ms: milliseconds(plan.drain),
        max_deliveries: plan.services.first().and_then(LaneService::max_deliveries),
        coalesced: plan.services.iter().any(|served| served.calls.is_some()),
    }
}

fn lane_statistics(lane: &SessionContext) -> LaneStatistics {
    let service = |served: &LaneService| {
        let names = served.dispatcher.service().functions().map(|function| function.name);
        let known = names.map(|name| (name, served.statistics.of(name)));
        let all = known.chain([(UNKNOWN_FUNCTION, served.statistics.unknown())]);
        let functions = all.map(|(name, statistics)| function_statistics(name, statistics.snapshot()));
        let has_some = |function: &FunctionStatistics| function.requests + function.cached > 0;
        ServiceStatistics { service: name(served), functions: functions.filter(has_some).collect() }
    };
    LaneStatistics {
        lane: lane.plan.lane.clone(),
        status: lane.status.status().to_string(),
        reconnects: lane.status.reconnects(),
        places: lane.running.places() as u64,
        busy: lane.running.busy(lane.running.places()) as u64,
        services: lane.plan.services.iter().map(service).collect(),
    }
}

fn function_statistics(name: &str, snapshot: Snapshot) -> FunctionStatistics {
    FunctionStatistics {
        function: name.to_owned(),
        requests: snapshot.begun,
        in_flight: snapshot.in_flight,
        outputs: snapshot.outputs,
        errors: snapshot.errors,
        faults: snapshot.faults,
        refusals: snapshot.refusals.into_iter().collect(),
        cached: snapshot.cached,
        redelivered: snapshot.redelivered,
        retries: snapshot.retries,
        dead_letters: snapshot.dead_letters,
        run_time: times(snapshot.run_time),
        queue_time: times(snapshot.queue_time),
        last_failure: snapshot.last_failure.map(|failure| {
            let time = failure.time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
            LastFailure { status: failure.status, time }
        }),
    }
}

fn times(times: TimesSnapshot) -> Times {
    let TimesSnapshot { count, sum, p50, p99, max } = times;
    let [sum_us, p50_us, p99_us, max_us] =
        [sum, p50, p99, max].map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    Times { count, sum_us, p50_us, p99_us, max_us }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
