//! The settings of a server.

use super::{CONNECTION, DIALECTS, EXCHANGE, Kind, Setting, URI_HELP};
use crate::config::DEFAULT_URI;

/// As RabbitMQ reads `prefetch`, in 16 bits.
const LARGEST_PREFETCH: u64 = u16::MAX as u64;

/// The settings of a server.
pub(crate) const SERVER: &[Setting] = &[
    Setting { name: "uri", kind: Kind::Uri, default: DEFAULT_URI, help: URI_HELP, ini: CONNECTION },
    Setting {
        name: "service",
        kind: Kind::Names,
        default: "the program's own",
        help: "A service to serve, instead of the program's own; may be repeated",
        ini: &[("options", "service")],
    },
    Setting {
        name: "workers",
        kind: Kind::Count(u32::MAX as u64),
        default: "the machine's parallelism",
        help: "How many functions run at once",
        ini: &[("options", "max_workers"), ("options", "workers")],
    },
    Setting {
        name: "prefetch",
        kind: Kind::Count(LARGEST_PREFETCH),
        default: "64 for each worker, or 1 with `max_priority`",
        help: "How many requests to fetch ahead of their turn",
        ini: &[("options", "prefetch_count"), ("options", "prefetch")],
    },
    Setting {
        name: "lane_workers",
        kind: Kind::Counts(u32::MAX as u64),
        default: "as many as `workers`",
        help: "How many functions of a lane run at once, as `NAME=N`; may be repeated",
        ini: &[("options", "lane_workers")],
    },
    Setting {
        name: "lane_prefetch",
        kind: Kind::Counts(LARGEST_PREFETCH),
        default: "1 for each worker of the lane",
        help: "How many requests of a lane to fetch ahead of their turn, as `NAME=N`; may be repeated",
        ini: &[("options", "lane_prefetch")],
    },
    Setting {
        name: "dialect",
        kind: DIALECTS,
        default: "native, and python with an INI file",
        help: "Whose exchange and queue to declare: guirpc's own, which last, or as the Python original does, which do not",
        ini: &[("options", "dialect")],
    },
    EXCHANGE,
    Setting {
        name: "exchange_type",
        kind: Kind::OneOf(&["direct", "fanout", "topic"]),
        default: "direct",
        help: "How the exchange chooses queues",
        ini: &[("amqp_entities", "exchange_type")],
    },
    Setting {
        name: "queue",
        kind: Kind::Name,
        default: "named for the service",
        help: "The queue to take requests off, if not the one that is named for the service",
        ini: &[("amqp_entities", "queue")],
    },
    Setting {
        name: "routing_key",
        kind: Kind::Text,
        default: "the name of the service",
        help: "The routing key by which requests come, or the pattern for an exchange of the type `topic`",
        ini: &[("amqp_entities", "routing_key")],
    },
    Setting {
        name: "durable",
        kind: Kind::YesNo,
        default: "true, or false in the dialect python",
        help: "Whether exchange and queue outlive a restart of the broker",
        ini: &[("options", "durable")],
    },
    Setting {
        name: "queue_type",
        kind: Kind::OneOf(&["classic", "quorum"]),
        default: "classic",
        help: "How the broker keeps a queue that is new: on one node, or on several",
        ini: &[("options", "queue_type")],
    },
    Setting {
        name: "max_priority",
        kind: Kind::Count(u8::MAX as u64),
        default: "",
        help: "Let a queue that is new take requests with a higher priority first, up to this one",
        ini: &[("options", "max_priority")],
    },
    Setting {
        name: "single_active_consumer",
        kind: Kind::YesNo,
        default: "false",
        help: "Let one server at a time take requests off a quorum queue that is new; the others stand by",
        ini: &[("options", "single_active_consumer")],
    },
    Setting {
        name: "max_deliveries",
        kind: Kind::Count(u32::MAX as u64),
        default: "5",
        help: "How often a function begins on one message that ends its process, or on a `send` that fails, before it is a dead letter; from 2",
        ini: &[("options", "max_deliveries")],
    },
    Setting {
        name: "clock_tolerance",
        kind: Kind::Time,
        default: "1s",
        help: "How far a deadline may have passed by the server's clock before the request is refused",
        ini: &[("options", "clock_tolerance")],
    },
    Setting {
        name: "reply_cache",
        kind: Kind::Bytes,
        default: "16777216",
        help: "How many bytes of replies to keep, for a minute, for requests that come again; 0 keeps none",
        ini: &[("options", "reply_cache")],
    },
    Setting {
        name: "drain",
        kind: Kind::Time,
        default: "30s",
        help: "How long to wait, when stopped, for what has begun",
        ini: &[("options", "drain")],
    },
    Setting {
        name: "max_body",
        kind: Kind::Bytes,
        default: "16777216",
        help: "The largest request to decode, and the largest reply to send, in bytes",
        ini: &[("options", "max_body")],
    },
    Setting {
        name: "pickle",
        kind: Kind::YesNo,
        default: "false",
        help: "Serve functions that are called by Python's pickles; read as data only, nothing in them is ever run",
        ini: &[("options", "pickle")],
    },
    Setting {
        name: "log",
        kind: Kind::Name,
        default: "info",
        help: "What to log: error, warn, info, debug (a line for each call), trace, or a filter such as `info,my_crate=debug`",
        ini: &[("options", "log")],
    },
    Setting {
        name: "log_format",
        kind: Kind::OneOf(&["text", "json"]),
        default: "text",
        help: "How to write the log: lines for people, or a JSON object a line for programs",
        ini: &[("options", "log_format")],
    },
];
