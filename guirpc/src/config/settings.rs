//! What can be set: the names, what they take, their defaults, and what the original calls them.

use std::time::Duration;

use super::Side;

/// A setting; its name is that in a TOML file, and with other letters that of its flag and its variable.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// As it is shown; empty if nothing stands for it.
    pub(crate) default: &'static str,
    /// What it does, as `--help` says it.
    pub(crate) help: &'static str,
    /// Its names in an INI file: the section without `server` or `client`, and the key.
    pub(crate) ini: &'static [(&'static str, &'static str)],
}

/// What a setting takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// An AMQP URI, which may hold a password and is never shown.
    Uri,
    /// Any text, also none.
    Text,
    /// A text; none is as good as left out in an INI file.
    Name,
    /// Names, with commas between them.
    Names,
    /// A number from 1 to this one.
    Count(u64),
    /// A number of bytes.
    Bytes,
    /// A duration such as `30s`.
    Time,
    /// `true` or `false`.
    YesNo,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// As RabbitMQ reads `prefetch`, in 16 bits.
const LARGEST_PREFETCH: u64 = u16::MAX as u64;
const DIALECTS: Kind = Kind::OneOf(&["native", "python"]);

/// The settings of a server.
pub(crate) const SERVER: &[Setting] = &[
    Setting {
        name: "uri",
        kind: Kind::Uri,
        default: super::DEFAULT_URI,
        help: "The broker, as `amqp://user:password@host:port/vhost?heartbeat=SECONDS`",
        ini: CONNECTION,
    },
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
        default: "64 for each worker",
        help: "How many requests to fetch ahead of their turn",
        ini: &[("options", "prefetch_count"), ("options", "prefetch")],
    },
    Setting {
        name: "dialect",
        kind: DIALECTS,
        default: "native, and python with an INI file",
        help: "Whose exchange and queue to declare: guirpc's own, which last, or as the Python original does, which do not",
        ini: &[("options", "dialect")],
    },
    Setting {
        name: "exchange",
        kind: Kind::Name,
        default: "`guirpc`, or `rpc_gateway` in the dialect python",
        help: "The exchange that requests go through",
        ini: &[("amqp_entities", "exchange")],
    },
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

/// The settings of a client.
pub(crate) const CLIENT: &[Setting] = &[
    Setting {
        name: "uri",
        kind: Kind::Uri,
        default: super::DEFAULT_URI,
        help: "The broker, as `amqp://user:password@host:port/vhost?heartbeat=SECONDS`",
        ini: CONNECTION,
    },
    Setting {
        name: "timeout",
        kind: Kind::Time,
        default: "the function's own, or 10s",
        help: "How long to wait for a reply",
        ini: &[("options", "timeout")],
    },
    Setting {
        name: "app_id",
        kind: Kind::Name,
        default: "",
        help: "Who calls",
        ini: &[("", "producer_application_id"), ("options", "app_id")],
    },
    Setting {
        name: "dialect",
        kind: DIALECTS,
        default: "the function's own, and python with an INI file",
        help: "How requests are written: guirpc's own way, or the Python original's",
        ini: &[("options", "dialect")],
    },
    Setting {
        name: "exchange",
        kind: Kind::Name,
        default: "`guirpc`, or `rpc_gateway` in the dialect python",
        help: "The exchange that requests go through",
        ini: &[("amqp_entities", "exchange")],
    },
    Setting {
        name: "routing_key",
        kind: Kind::Text,
        default: "the name of the service",
        help: "The routing key of requests",
        ini: &[("amqp_entities", "routing_key")],
    },
    Setting {
        name: "max_body",
        kind: Kind::Bytes,
        default: "16777216",
        help: "The largest request to send, in bytes",
        ini: &[("options", "max_body")],
    },
];

/// The parts of the broker's URI, as an INI file has them.
const CONNECTION: &[(&str, &str)] = &[
    ("connection", "host"),
    ("connection", "port"),
    ("connection", "user"),
    ("connection", "password"),
    ("connection", "vhost"),
    ("connection", "virtual_host"),
];

impl Setting {
    /// The variable of the environment that sets it.
    pub(crate) fn variable(&self) -> String {
        match self.kind {
            Kind::Uri => "AMQP_URI".to_owned(),
            _ => format!("GUIRPC_{}", self.name.to_ascii_uppercase()),
        }
    }

    /// Its flag, without the dashes in front.
    pub(crate) fn flag(&self) -> String {
        self.name.replace('_', "-")
    }
}

impl Kind {
    /// Whether this is one.
    pub(crate) fn accepts(self, text: &str) -> bool {
        let is_number = |least, most| text.parse::<u64>().is_ok_and(|number| (least..=most).contains(&number));
        match self {
            Kind::Uri | Kind::Text | Kind::Name => true,
            Kind::Names => text.split(',').all(|name| !name.is_empty()),
            Kind::Count(most) => is_number(1, most),
            Kind::Bytes => is_number(0, usize::MAX as u64),
            Kind::Time => text.parse::<humantime::Duration>().is_ok(),
            Kind::YesNo => matches!(text, "true" | "false"),
            Kind::OneOf(choices) => choices.contains(&text),
        }
    }

    /// What is expected, to follow "is".
    pub(crate) fn expected(self) -> String {
        match self {
            Kind::Uri => "the broker's URI".to_owned(),
            Kind::Text | Kind::Name => "a text".to_owned(),
            Kind::Names => "a name, or several".to_owned(),
            Kind::Count(most) => format!("a whole number from 1 to {most}"),
            Kind::Bytes => "a number of bytes".to_owned(),
            Kind::Time => format!("a time such as `{}`", humantime::format_duration(Duration::from_secs(90))),
            Kind::YesNo => "`true` or `false`".to_owned(),
            Kind::OneOf(choices) => format!("one of `{}`", choices.join("`, `")),
        }
    }
}

impl Side {
    /// What begins the names of its sections.
    pub(crate) fn section(self) -> &'static str {
        match self {
            Side::Server => "server",
            Side::Client => "client",
        }
    }

    pub(crate) fn settings(self) -> &'static [Setting] {
        match self {
            Side::Server => SERVER,
            Side::Client => CLIENT,
        }
    }

    /// The setting of this name.
    pub(crate) fn setting(self, name: &str) -> Option<&'static Setting> {
        self.settings().iter().find(|setting| setting.name == name)
    }

    /// The variables that name its file; the first that is set counts.
    pub(crate) fn file_variables(self) -> [&'static str; 3] {
        match self {
            Side::Server => ["GUIRPC_CONFIG", "CONSUMER_CONFIG", "CONSUMER_CONFIG_FILEPATH"],
            Side::Client => ["GUIRPC_CONFIG", "PRODUCER_CONFIG", "PRODUCER_CONFIG_FILEPATH"],
        }
    }
}
