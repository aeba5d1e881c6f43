//! From what is set to what is done: a plan for each lane.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use super::{check_name, topology};
use crate::broker::{Addresses, BodyLimit, Lifetime, QueueKind};
use crate::config::{Config, ExchangeType, PREFETCH_PER_WORKER};
use crate::dispatch::Dispatcher;
use crate::error::{Error, ErrorKind};
use crate::message::{dead, of_calls};
use crate::registry::Registration;
use crate::server::caller_contracts::CallerContracts;
use crate::server::plan::{LaneService, Plan};
use crate::server::queues::{CallsQueue, FailureQueues, Queue};
use crate::statistics::{Coalesced, ServiceStatistics};

/// What a message may be delivered once more for: with one delivery, whatever a server gives back would be dead.
const FEWEST_DELIVERIES: u32 = 2;

/// One plan for the functions that name no lane, and one for each lane.
pub(super) fn plans(
    config: &Config,
    dispatchers: &[Arc<Dispatcher>],
    suffix: &str,
    is_apart: bool,
) -> Result<Vec<Plan>, Error> {
    let queue_kind = if is_apart { QueueKind::apart(config)? } else { QueueKind::configured(config)? };
    if config.max_deliveries < FEWEST_DELIVERIES {
        return Err(invalid(format!("`max_deliveries` is {FEWEST_DELIVERIES} or more, not {}", config.max_deliveries)));
    }
    let plan = |lane: Option<&str>| {
        let has_it = |dispatcher: &&Arc<Dispatcher>| {
            lane.is_none() || dispatcher.service().functions().any(|function| function.lane == lane)
        };
        let served = || dispatchers.iter().filter(has_it).flat_map(|dispatcher| dispatcher.service().functions());
        let share = Share::of(config, lane, || served().filter(|function| function.is_async()))?;
        let services = dispatchers.iter().filter(has_it).map(|dispatcher| {
            let service = &dispatcher.service().name;
            let own = lane.map_or_else(|| service.clone(), |lane| format!("{service}.{lane}"));
            let routing_key = format!("{own}{suffix}");
            check_name("service", &routing_key)?;
            let statistics = ServiceStatistics::new(dispatcher.service().functions().map(|function| function.name));
            Ok(LaneService {
                dispatcher: Arc::clone(dispatcher),
                queue: routing_key.clone(),
                routing_key,
                calls: None,
                failure_queues: None,
                statistics,
                caller_contracts: caller_contracts(config, dispatcher)?,
            })
        });
        let mut services = topology::rename(services.collect::<Result<Vec<_>, _>>()?, config, lane)?;
        if queue_kind.lifetime != Lifetime::Connection {
            services.iter_mut().try_for_each(|served| add_failure_queues(served, queue_kind, config.max_deliveries))?;
        }
        if config.exchange_type == ExchangeType::Direct {
            services.iter_mut().try_for_each(|served| add_calls_queue(served, queue_kind))?;
        }
        Ok(Plan {
            lane: lane.map(str::to_owned),
            // Lanes go through the brokers on their own.
            address: Addresses::parse(&config.uri)?,
            services,
            exchange: topology::exchange(config)?,
            queue_kind,
            workers: share.workers,
            concurrency: share.concurrency,
            prefetch: share.prefetch,
            wait: config.wait,
            drain: config.drain,
            reply_cache: config.reply_cache,
            reply_nodes: Arc::default(),
            body_limit: BodyLimit::new(config.max_body),
            coalesced_calls: Coalesced::default(),
            coalesced_replies: Arc::default(),
        })
    };
    let lanes = lanes(config, dispatchers)?;
    let plans = [None].into_iter().chain(lanes.into_iter().map(Some)).map(plan).collect::<Result<Vec<_>, _>>()?;
    refuse_shared_queues(&plans)?;
    Ok(plans)
}

/// The lanes that functions name.
///
/// An exchange that is not direct would have one request reach several queues, so there the functions have no lanes.
fn lanes<'a>(config: &Config, dispatchers: &'a [Arc<Dispatcher>]) -> Result<BTreeSet<&'a str>, Error> {
    let functions = dispatchers.iter().flat_map(|dispatcher| dispatcher.service().functions());
    let lanes: BTreeSet<&str> = functions.filter_map(|function| function.lane).collect();
    for name in config.lane_workers.keys().chain(config.lane_prefetch.keys()).chain(config.lane_concurrency.keys()) {
        if !lanes.contains(name.as_str()) {
            let known: Vec<&str> = lanes.iter().copied().collect();
            let known = if known.is_empty() { "none of them names any".to_owned() } else { known.join(", ") };
            return Err(invalid(format!("no function that is served here names the lane `{name}`; lanes: {known}")));
        }
    }
    Ok(if config.exchange_type == ExchangeType::Direct { lanes } else { BTreeSet::new() })
}

/// What a lane has of its own.
struct Share {
    workers: usize,
    concurrency: usize,
    prefetch: u16,
}

impl Share {
    /// The share of a lane in whose services these functions are `async`.
    fn of<'a, F>(config: &Config, lane: Option<&str>, asynchronous: impl Fn() -> F) -> Result<Self, Error>
    where
        F: Iterator<Item = &'a Registration>,
    {
        let own = config.workers.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZeroUsize::get));
        let of_lane = |counts: &BTreeMap<String, usize>| lane.and_then(|lane| counts.get(lane).copied());
        let workers = of_lane(&config.lane_workers).unwrap_or(own);
        let concurrency = of_lane(&config.lane_concurrency).unwrap_or(config.concurrency);
        let (set, each) = match lane {
            // What is fetched ahead is overtaken by nothing.
            None if config.max_priority.is_some() => (config.prefetch, 1),
            None => (config.prefetch, PREFETCH_PER_WORKER),
            Some(lane) => (config.lane_prefetch.get(lane).copied(), 1),
        };
        let is_for_async = asynchronous().any(|function| function.lane == lane);
        let fetched = (workers * each).max(if is_for_async { concurrency } else { 0 });
        let prefetch = set.unwrap_or_else(|| u16::try_from(fetched).unwrap_or(u16::MAX));
        if workers == 0 || prefetch == 0 || concurrency == 0 {
            let message = "`workers`, `concurrency` and `prefetch` are numbers from 1 up: with none of one of them \
                           nothing is served";
            return Err(invalid(message));
        }
        // Any function may be called through any lane.
        let concurrency = if asynchronous().next().is_some() { concurrency } else { 0 };
        Ok(Share { workers, concurrency, prefetch })
    }
}

/// Names the queues for what is taken off the service's own and not run at once.
///
/// With a single active consumer that is the same queue: with another one two servers might be active.
fn add_failure_queues(served: &mut LaneService, kind: QueueKind, max_deliveries: u32) -> Result<(), Error> {
    let beside = |role: &str| {
        let name = format!("{}.{role}", served.queue);
        (!kind.single_active_consumer).then(|| Queue { name, kind: kind.beside(kind.lifetime) })
    };
    let dead_letters = Queue { name: dead::queue(&served.dispatcher.service().name), kind: kind.of_dead_letters() };
    let queues =
        FailureQueues { retry: beside("retry"), quarantine: beside("quarantine"), dead_letters, max_deliveries };
    for queue in queues.all() {
        check_name("queue", &queue.name)?;
    }
    served.failure_queues = Some(queues);
    Ok(())
}

/// Names the queue for messages that hold several calls: beside one that lasts, whose calls may be published again singly.
///
/// With a single active consumer there is none: with another queue two servers might be active.
fn add_calls_queue(served: &mut LaneService, kind: QueueKind) -> Result<(), Error> {
    let routing_key = of_calls(&served.routing_key);
    if kind.lifetime != Lifetime::Durable || kind.single_active_consumer || check_name("queue", &routing_key).is_err() {
        return Ok(());
    }
    let queue = Queue { name: of_calls(&served.queue), kind: kind.beside(kind.lifetime) };
    check_name("queue", &queue.name)?;
    served.calls = Some(CallsQueue { queue, routing_key });
    Ok(())
}

/// Two lanes or services of one queue would take each other's requests.
fn refuse_shared_queues(plans: &[Plan]) -> Result<(), Error> {
    let mut queues = BTreeSet::new();
    for (plan, served) in plans.iter().flat_map(|plan| plan.services.iter().map(move |served| (plan, served))) {
        let beside = served.failure_queues.iter().flat_map(FailureQueues::all).map(|queue| &queue.name);
        // Lanes of one service share its dead letters.
        let dead_letters = served.failure_queues.as_ref().map(|queues| &queues.dead_letters.name);
        let beside = beside.filter(|queue| plan.lane.is_none() || Some(*queue) != dead_letters);
        let calls = served.calls.iter().map(|calls| &calls.queue.name);
        for queue in [&served.queue].into_iter().chain(calls).chain(beside) {
            if !queues.insert(queue) {
                let message = format!(
                    "two of what is served have the queue `{queue}`: rename a service, or a lane, whose queue is \
                     named `SERVICE.LANE`"
                );
                return Err(Error::new(ErrorKind::Setup, message));
            }
        }
    }
    Ok(())
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

/// Where callers of other contracts are logged, if they are to be.
fn caller_contracts(config: &Config, dispatcher: &Dispatcher) -> Result<Option<CallerContracts>, Error> {
    if !config.log_contracts {
        return Ok(None);
    }
    CallerContracts::of(dispatcher.service()).map(Some).ok_or_else(|| {
        let message = "`log_contracts` needs the functions to describe themselves, which this program is built without: \
                       add the feature `schema` to guirpc, as in `cargo add guirpc --features schema`";
        Error::new(ErrorKind::Setup, message)
    })
}
