//! The settings of a server.

use std::collections::BTreeMap;
use std::time::Duration;

use super::declare::settings;
use super::{CONNECTION, DEFAULT_MAX_BODY, DEFAULT_URI, ExchangeType, Kind, LogFormat, QueueType, UnknownArguments};
use crate::message::Dialect;

/// With four workers, within the 100 to 300 that `RabbitMQ` advises for throughput; measured, 16 cost 15 % at 256 callers.
pub(crate) const PREFETCH_PER_WORKER: usize = 64;
/// More are never delivered at a time.
const MOST_CONCURRENCY: u64 = LARGEST_PREFETCH;
/// As `RabbitMQ` reads a prefetch, in 16 bits.
const LARGEST_PREFETCH: u64 = u16::MAX as u64;

settings! {
    /// The settings of a server; a setting has the same name here, in a file, in the environment and as a flag.
    #[derive(Clone)]
    pub(crate) struct Config, listed in SERVER {
        "Broker" {
            /// The broker, as `amqp://user:password@host:port/vhost?heartbeat=SECONDS`, or several, with commas between
            /// them; with TLS as `amqps://`
            uri: String {
                takes: Kind::Uri,
                default: DEFAULT_URI.to_owned(),
                ini: CONNECTION,
            }
            /// How long to try to reach the broker at the start, rather than end at once; 0s tries once
            wait: Duration {
                takes: Kind::Time,
                default: Duration::ZERO,
                ini: &["options.wait"],
            }
        }
        "Services and concurrency" {
            /// A service to serve, instead of the program's own; may be repeated
            service: Option<Vec<String>> {
                takes: Kind::Names,
                default: None,
                shown: "the program's own",
                ini: &["options.service"],
            }
            /// How many threads run functions, one each at a time; `async` ones take none while they wait
            workers: Option<usize> {
                takes: Kind::Count(u32::MAX as u64),
                default: None,
                shown: "the machine's parallelism",
                ini: &["options.max_workers", "options.workers"],
            }
            /// How many functions that are `async` are under way at once
            concurrency: usize {
                takes: Kind::Count(MOST_CONCURRENCY),
                default: 256,
                ini: &["options.concurrency"],
            }
            /// The prefetch count: how many requests the broker delivers before they are acknowledged
            prefetch: Option<u16> {
                takes: Kind::Count(LARGEST_PREFETCH),
                default: None,
                shown: format!("{PREFETCH_PER_WORKER} for each worker, or 1 with `max_priority`; `concurrency` where that is more"),
                ini: &["options.prefetch_count", "options.prefetch"],
            }
            /// The workers of a lane, as `NAME=N`; may be repeated
            lane_workers: BTreeMap<String, usize> {
                takes: Kind::Counts(u32::MAX as u64),
                default: BTreeMap::new(),
                shown: "as many as `workers`",
                ini: &["options.lane_workers"],
            }
            /// How many functions of a lane that are `async` are under way at once, as `NAME=N`; may be repeated
            lane_concurrency: BTreeMap<String, usize> {
                takes: Kind::Counts(MOST_CONCURRENCY),
                default: BTreeMap::new(),
                shown: "as many as `concurrency`",
                ini: &["options.lane_concurrency"],
            }
            /// The prefetch count of a lane, as `NAME=N`; may be repeated
            lane_prefetch: BTreeMap<String, u16> {
                takes: Kind::Counts(LARGEST_PREFETCH),
                default: BTreeMap::new(),
                shown: "1 for each worker of the lane, `concurrency` where that is more",
                ini: &["options.lane_prefetch"],
            }
        }
        "Requests and replies" {
            /// The largest request to decode, and the largest reply to send, in bytes
            max_body: usize {
                takes: Kind::Bytes,
                default: DEFAULT_MAX_BODY,
                ini: &["options.max_body"],
            }
            /// What to do about a request with an argument that its function does not take: run the function without it and
            /// say so in the reply, or refuse it
            unknown_arguments: UnknownArguments {
                takes: Kind::one_of::<UnknownArguments>(),
                default: UnknownArguments::default(),
                ini: &["options.unknown_arguments"],
            }
            /// The clock skew to tolerate: how far a deadline may have passed by the server's clock before the request is refused
            clock_tolerance: Duration {
                takes: Kind::Time,
                default: Duration::from_secs(1),
                ini: &["options.clock_tolerance"],
            }
        }
        "Retries and shutdown" {
            /// How often to try a poison message, which ends its process, or a `send` that fails, before it is a dead
            /// letter; from 2
            max_deliveries: u32 {
                takes: Kind::Count(u32::MAX as u64),
                default: 5,
                ini: &["options.max_deliveries"],
            }
            /// How many bytes of replies to keep, for a minute, for requests that come again; 0 keeps none
            reply_cache: usize {
                takes: Kind::Bytes,
                default: 16 << 20,
                ini: &["options.reply_cache"],
            }
            /// How long a graceful shutdown waits for functions in flight
            drain: Duration {
                takes: Kind::Time,
                default: Duration::from_secs(20),
                ini: &["options.drain"],
            }
        }
        "Exchange and queue" {
            /// The exchange that requests go through
            exchange: Option<String> {
                takes: Kind::Name,
                default: None,
                shown: "`guirpc`, or `rpc_gateway` in the dialect python",
                ini: &["amqp_entities.exchange"],
            }
            /// How the exchange chooses queues
            exchange_type: ExchangeType {
                takes: Kind::one_of::<ExchangeType>(),
                default: ExchangeType::default(),
                ini: &["amqp_entities.exchange_type"],
            }
            /// The queue to take requests off, if not the one that is named for the service
            queue: Option<String> {
                takes: Kind::Name,
                default: None,
                shown: "named for the service",
                ini: &["amqp_entities.queue"],
            }
            /// The routing key by which requests come, or the pattern for an exchange of the type `topic`
            routing_key: Option<String> {
                takes: Kind::Text,
                default: None,
                shown: "the name of the service",
                ini: &["amqp_entities.routing_key"],
            }
            /// Whether exchange and queue outlive a restart of the broker
            durable: Option<bool> {
                takes: Kind::YesNo,
                default: None,
                shown: "true, or false in the dialect python",
                ini: &["options.durable"],
            }
            /// How the broker keeps a queue that is new: on one node, or on several
            queue_type: QueueType {
                takes: Kind::one_of::<QueueType>(),
                default: QueueType::default(),
                ini: &["options.queue_type"],
            }
            /// Let a queue that is new take requests with a higher priority first, up to this one
            max_priority: Option<u8> {
                takes: Kind::Count(u8::MAX as u64),
                default: None,
                ini: &["options.max_priority"],
            }
            /// Let one server at a time take requests off a quorum queue that is new; the others stand by
            single_active_consumer: bool {
                takes: Kind::YesNo,
                default: false,
                ini: &["options.single_active_consumer"],
            }
        }
        "Operation" {
            /// Answer what is asked of servers over the broker, by `guirpc ls`, `info`, `stats` and `top`
            control: bool {
                takes: Kind::YesNo,
                default: true,
                ini: &["options.control"],
            }
            /// Log each caller, once, that was made for another contract than the one that is served, by the header
            /// `guirpc-contract` of generated clients
            log_contracts: bool {
                takes: Kind::YesNo,
                default: false,
                ini: &["options.log_contracts"],
            }
            /// Serve metrics and health over HTTP at this address, as `0.0.0.0:9100`; a port alone is one of 127.0.0.1
            metrics: Option<String> {
                takes: Kind::Address,
                default: None,
                ini: &["options.metrics"],
            }
        }
        "Log" {
            /// What to log: off, error, warn, info, debug (a line for each call) or trace; for some targets another level, as
            /// `info,my_crate=debug`
            log: String {
                takes: Kind::LogFilter,
                default: "info".to_owned(),
                ini: &["options.log"],
            }
            /// How to write the log: lines for people, or a JSON object a line for programs
            log_format: LogFormat {
                takes: Kind::one_of::<LogFormat>(),
                default: LogFormat::default(),
                ini: &["options.log_format"],
            }
        }
        "For callers in Python" {
            /// Whose exchange and queue to declare: guirpc's own, which last, or as the Python original does, which do not
            dialect: Dialect {
                takes: Kind::one_of::<Dialect>(),
                default: Dialect::Native,
                shown: "native, and python with an INI file",
                ini: &["options.dialect"],
            }
            /// Serve functions that are called by Python's pickles; read as data only, nothing in them is ever run
            pickle: bool {
                takes: Kind::YesNo,
                default: false,
                ini: &["options.pickle"],
            }
        }
    }
}
