//! The settings of a client.

use super::{CONNECTION, DIALECTS, EXCHANGE, Kind, Setting, URI_HELP};
use crate::config::DEFAULT_URI;

/// The settings of a client.
pub(crate) const CLIENT: &[Setting] = &[
    Setting { name: "uri", kind: Kind::Uri, default: DEFAULT_URI, help: URI_HELP, ini: CONNECTION },
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
    EXCHANGE,
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
