//! The brokers: RabbitMQ, which is the truth, in two versions; and the embedded one, which is compared with the older.

use std::env;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, anyhow};
use guirpc::embedded::Broker;
use harness::{Broker as _, RabbitMq};
use percent_encoding::percent_decode_str;

use crate::play::Address;

/// The environment variable that asks for RabbitMQ.
const WANTED: &str = "GUIRPC_TEST_RABBITMQ";

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    RabbitMq,
    /// Version 4, which says some things otherwise.
    RabbitMq4,
    Embedded,
}

/// The versions of RabbitMQ that transcripts were recorded from.
pub(crate) const RECORDED: [(Kind, &str); 2] = [(Kind::RabbitMq, "3.10.8"), (Kind::RabbitMq4, "4.0.5")];

/// The node that all cases share, started by the first one.
#[derive(Clone, Default)]
pub(crate) struct Brokers(Arc<OnceLock<Result<RabbitMq, String>>>);

impl Kind {
    /// The RabbitMQ that is there, or why the cases are not played against it.
    pub(crate) fn of_rabbitmq() -> (Self, Option<String>) {
        if env::var_os(WANTED).is_none_or(|value| value != "1") {
            return (Self::RabbitMq, Some("needs RabbitMQ: run scripts/test".to_owned()));
        }
        // Where there is none at all, the cases fail and say so.
        let Ok(version) = RabbitMq::version() else { return (Self::RabbitMq, None) };
        let release = |version: &str| version.split('.').take(2).map(str::to_owned).collect::<Vec<_>>();
        let recorded = RECORDED.iter().find(|(_, recorded)| release(recorded) == release(&version));
        recorded.map_or_else(
            || {
                let versions = RECORDED.map(|(_, version)| version).join(" and ");
                (
                    Self::RabbitMq,
                    Some(format!("recorded from RabbitMQ {versions}, whose words are not those of {version}")),
                )
            },
            |(kind, _)| (*kind, None),
        )
    }
}

impl Brokers {
    /// Runs something with a broker in which nothing is declared yet.
    pub(crate) fn with<T>(&self, kind: Kind, run: impl FnOnce(&Address) -> anyhow::Result<T>) -> anyhow::Result<T> {
        match kind {
            Kind::Embedded => {
                let broker = Broker::start()?;
                run(&Address { port: broker.port(), vhost: "/".to_owned() })
            }
            Kind::RabbitMq | Kind::RabbitMq4 => {
                let node = self.0.get_or_init(|| RabbitMq::start().map_err(|error| format!("{error:?}")));
                let node = node.as_ref().map_err(|error| anyhow!("{error}"))?.in_fresh_vhost()?;
                let uri = node.uri();
                let (_, vhost) = uri.rsplit_once('/').context("its URI has a path")?;
                let vhost = percent_decode_str(vhost).decode_utf8()?.into_owned();
                run(&Address { port: node.port(), vhost })
            }
        }
    }
}
