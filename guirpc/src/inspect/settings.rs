//! The settings of a server, as far as they can be judged without it.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crate::broker::{Exchange, Lifetime, QueueKind};
use crate::config::{Config, Environment, ExchangeType, Layers, PREFETCH_PER_WORKER, Side};
use crate::error::{Error, shown};
use crate::message::{dead, of_calls};

/// After so long Kubernetes kills what it has told to stop, unless it is set otherwise.
const KUBERNETES_GRACE: Duration = Duration::from_secs(30);
/// A server that fetches so many requests for each worker keeps them from other servers.
const HOARDED_PER_WORKER: usize = 4 * PREFETCH_PER_WORKER;
/// Channels that a connection for replies has beside those of the workers.
const OTHER_CHANNELS: usize = 8;

/// The settings of a server on this machine: its file, and the environment over it.
#[derive(Clone)]
pub struct ServerSettings {
    config: Config,
    kind: QueueKind,
    pub(super) exchange: Exchange,
}

/// A queue of a service.
#[derive(Clone, Debug)]
pub struct ServiceQueue {
    name: String,
    pub(super) kind: QueueKind,
}

/// Settings that work against each other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict {
    /// The settings with their values, such as "`prefetch` is 2, `workers` is 8".
    pub found: String,
    /// What comes of it.
    pub meaning: String,
    /// What to do.
    pub advice: String,
}

impl ServerSettings {
    /// Reads the file, TOML or INI, if there is one, or that which the environment names, and the environment, which
    /// counts for more.
    ///
    /// # Errors
    /// The file cannot be read, something in it or in the environment is no setting or not what a setting takes, or
    /// settings exclude each other.
    pub fn read(file: Option<PathBuf>) -> Result<Self, Error> {
        let environment = Environment::of_the_process();
        let config = Config::new(&Layers { side: Side::Server, file, environment: &environment, flags: &[] }.read()?)?;
        ServerSettings::of(config)
    }

    fn of(config: Config) -> Result<Self, Error> {
        let (kind, exchange) = (QueueKind::configured(&config)?, Exchange::configured(&config));
        Ok(ServerSettings { config, kind, exchange })
    }

    /// The exchange that requests go through.
    pub fn exchange(&self) -> &str {
        &self.exchange.name
    }

    /// Whether exchange and queues outlive a restart of the broker.
    pub fn is_durable(&self) -> bool {
        self.kind.lifetime == Lifetime::Durable
    }

    /// How many threads run functions.
    pub fn workers(&self) -> usize {
        self.config.workers.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZeroUsize::get))
    }

    /// How many channels a connection needs to have.
    pub fn channels(&self) -> usize {
        let of_lanes = self.config.lane_workers.values().copied();
        of_lanes.chain([self.workers()]).max().unwrap_or_default() + OTHER_CHANNELS
    }

    /// How many requests are fetched ahead for each worker, at least one.
    pub fn fetched_per_worker(&self) -> usize {
        let (workers, each) =
            (self.workers(), if self.config.max_priority.is_some() { 1 } else { PREFETCH_PER_WORKER });
        self.config.prefetch.map_or(each, |prefetch| usize::from(prefetch).div_ceil(workers.max(1)))
    }

    /// The lanes that settings name.
    pub fn lanes(&self) -> impl Iterator<Item = &str> {
        let Config { lane_workers, lane_prefetch, lane_concurrency, .. } = &self.config;
        let names: BTreeSet<&String> =
            lane_workers.keys().chain(lane_prefetch.keys()).chain(lane_concurrency.keys()).collect();
        names.into_iter().map(String::as_str)
    }

    /// The queues of a service, or of one of its lanes: first its own, last that of the dead letters.
    pub fn queues(&self, service: &str, lane: Option<&str>) -> Vec<ServiceQueue> {
        let own = self.config.queue.as_deref().unwrap_or(service);
        let own = lane.map_or_else(|| own.to_owned(), |lane| format!("{own}.{lane}"));
        let beside = |name: String| ServiceQueue { name, kind: self.kind.beside(self.kind.lifetime) };
        let mut queues = vec![ServiceQueue { name: own.clone(), kind: self.kind }];
        if !self.kind.single_active_consumer {
            if self.is_durable() && self.exchange.kind == ExchangeType::Direct {
                queues.push(beside(of_calls(&own)));
            }
            queues.extend(["retry", "quarantine"].map(|role| beside(format!("{own}.{role}"))));
        }
        queues.push(ServiceQueue { name: dead::queue(service), kind: self.kind.of_dead_letters() });
        queues
    }

    /// Settings that work against each other, and the figures that say so.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let config = &self.config;
        let own = Lane { name: None, workers: self.workers(), prefetch: config.prefetch };
        let lanes = self.lanes().map(|name| Lane {
            name: Some(name),
            workers: config.lane_workers.get(name).copied().unwrap_or(own.workers),
            prefetch: config.lane_prefetch.get(name).copied(),
        });
        let mut conflicts: Vec<Conflict> = lanes.filter_map(|lane| lane.conflict()).collect();
        conflicts.splice(0..0, own.conflict());
        let mut add = |found: String, meaning: &str, advice: &str| {
            conflicts.push(Conflict { found, meaning: meaning.to_owned(), advice: advice.to_owned() });
        };
        if let (Some(priority), Some(prefetch)) = (config.max_priority, config.prefetch)
            && usize::from(prefetch) > own.workers
        {
            add(
                format!("`max_priority` is {priority}, `prefetch` is {prefetch}, `workers` is {}", own.workers),
                "requests that are fetched ahead are not overtaken, whatever their priority",
                "leave out `prefetch`, which is one for each worker then",
            );
        }
        if let Some(prefetch) = config.prefetch
            && usize::from(prefetch) < config.concurrency
            && config.concurrency != Config::default().concurrency
        {
            add(
                format!("`prefetch` is {prefetch}, `concurrency` is {}", config.concurrency),
                "no more functions that are `async` are under way at once than requests are fetched",
                "raise `prefetch`, or leave it out: it is no less than `concurrency` then",
            );
        }
        if config.drain >= KUBERNETES_GRACE {
            add(
                format!("`drain` is {}", shown(config.drain)),
                "Kubernetes kills a service 30 s after it has told it to stop, unless `terminationGracePeriodSeconds` is \
                 higher: what is in flight then is delivered again, as an attempt that may have begun",
                "lower `drain`, or set `terminationGracePeriodSeconds` a few seconds above it",
            );
        }
        if self.lanes().next().is_some() && self.exchange.kind != ExchangeType::Direct {
            add(
                "settings of lanes are set, and `exchange_type` is not `direct`".to_owned(),
                "only a direct exchange has lanes: their functions are served by the service's own workers",
                "leave out `exchange_type`, or the lanes",
            );
        }
        conflicts
    }
}

/// What one lane, or the service's own queue, is worked off with.
struct Lane<'a> {
    name: Option<&'a str>,
    workers: usize,
    prefetch: Option<u16>,
}

impl Lane<'_> {
    fn conflict(&self) -> Option<Conflict> {
        let (workers, prefetch) = (self.workers, self.prefetch?);
        let (prefix, of) = match self.name {
            Some(name) => ("lane_", format!(" of lane `{name}`")),
            None => ("", String::new()),
        };
        let found = format!("`{prefix}prefetch`{of} is {prefetch}, `{prefix}workers` is {workers}");
        if usize::from(prefetch) < workers {
            return Some(Conflict {
                found,
                meaning: format!("no more than {prefetch} of the {workers} workers ever have a request"),
                advice: format!("raise `{prefix}prefetch` to {workers} at least, or lower `{prefix}workers`"),
            });
        }
        (usize::from(prefetch) > workers.saturating_mul(HOARDED_PER_WORKER)).then(|| Conflict {
            found,
            meaning:
                "one server fetches requests that others could run at once, and each waits behind those before it \
                      while the broker's consumer timeout runs"
                    .to_owned(),
            advice: format!("lower `{prefix}prefetch` to {} or less", workers.saturating_mul(PREFETCH_PER_WORKER)),
        })
    }
}

impl ServiceQueue {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Without the URI, which may hold a password.
impl std::fmt::Debug for ServerSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerSettings").field("exchange", &self.exchange).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(change: impl FnOnce(&mut Config)) -> ServerSettings {
        let mut config = Config { workers: Some(4), ..Config::default() };
        change(&mut config);
        ServerSettings::of(config).unwrap()
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Config), expected: &[&str]) {
        let found: Vec<String> = settings(change).conflicts().into_iter().map(|conflict| conflict.found).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_defaults_do_not_fight() {
        assert_eq!(ServerSettings::of(Config::default()).unwrap().conflicts(), []);
        check(|config| config.prefetch = Some(4), &[]);
        check(|config| config.max_priority = Some(9), &[]);
    }

    #[test]
    fn settings_that_fight_are_named_with_their_values() {
        check(|config| config.prefetch = Some(2), &["`prefetch` is 2, `workers` is 4"]);
        check(|config| config.prefetch = Some(2000), &["`prefetch` is 2000, `workers` is 4"]);
        check(
            |config| assert_eq!(config.lane_prefetch.insert("reports".to_owned(), 1), None),
            &["`lane_prefetch` of lane `reports` is 1, `lane_workers` is 4"],
        );
        check(
            |config| (config.max_priority, config.prefetch) = (Some(5), Some(9)),
            &["`max_priority` is 5, `prefetch` is 9, `workers` is 4"],
        );
        check(
            |config| (config.concurrency, config.prefetch) = (500, Some(100)),
            &["`prefetch` is 100, `concurrency` is 500"],
        );
        check(|config| config.drain = Duration::from_mins(1), &["`drain` is 1m"]);
        check(
            |config| {
                config.exchange_type = ExchangeType::Topic;
                config.lane_workers.insert("reports".to_owned(), 2);
            },
            &["settings of lanes are set, and `exchange_type` is not `direct`"],
        );
    }

    #[test]
    fn what_excludes_itself_is_an_error() {
        let config = Config { single_active_consumer: true, ..Config::default() };
        assert!(ServerSettings::of(config).unwrap_err().to_string().contains("`queue_type = \"quorum\"`"));
    }

    #[test]
    fn the_queues_of_a_service_are_those_that_it_declares() {
        let names = |settings: ServerSettings| {
            let queues = settings.queues("math", None);
            queues.iter().map(|queue| queue.name().to_owned()).collect::<Vec<_>>()
        };
        let all = ["math", "math.calls", "math.retry", "math.quarantine", "math.dead"];
        assert_eq!(names(settings(|_| {})), all);
        let python = settings(|config| config.dialect = crate::message::Dialect::Python);
        assert_eq!(names(python), ["math", "math.retry", "math.quarantine", "math.dead"]);
        let renamed = settings(|config| config.queue = Some("q".to_owned()));
        assert_eq!(names(renamed), ["q", "q.calls", "q.retry", "q.quarantine", "math.dead"]);
        let lane = settings(|config| assert_eq!(config.lane_workers.insert("reports".to_owned(), 2), None));
        assert_eq!(lane.lanes().collect::<Vec<_>>(), ["reports"]);
        let queues = lane.queues("math", Some("reports"));
        let ends: Vec<&str> = queues.iter().map(ServiceQueue::name).collect();
        assert_eq!((ends.first(), ends.last()), (Some(&"math.reports"), Some(&"math.dead")));
        let single = settings(|config| {
            config.queue_type = crate::config::QueueType::Quorum;
            config.single_active_consumer = true;
        });
        assert_eq!(names(single), ["math", "math.dead"]);
    }
}
