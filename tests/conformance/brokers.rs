//! The two brokers: RabbitMQ, which is the truth, and the embedded one, which is compared with it.

use std::env;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, anyhow};
use guirpc::embedded::Broker;
use harness::{Broker as _, RabbitMq};
use percent_encoding::percent_decode_str;

use crate::play::Address;
use crate::transcripts::RECORDED;

/// The environment variable that asks for RabbitMQ.
const WANTED: &str = "GUIRPC_TEST_RABBITMQ";

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    RabbitMq,
    Embedded,
}

/// The node that all cases share, started by the first one.
#[derive(Clone, Default)]
pub(crate) struct Brokers(Arc<OnceLock<Result<RabbitMq, String>>>);

impl Kind {
    /// Why the cases are not played against it, if they are not.
    pub(crate) fn missing(self) -> Option<String> {
        if self == Self::Embedded {
            return None;
        }
        if env::var_os(WANTED).is_none_or(|value| value != "1") {
            return Some("needs RabbitMQ: run scripts/test".to_owned());
        }
        // Where there is none at all, the cases fail and say so.
        let version = RabbitMq::version().ok()?;
        let release = |version: &str| version.split('.').take(2).map(str::to_owned).collect::<Vec<_>>();
        let other = release(&version) != release(RECORDED);
        other.then(|| format!("recorded from RabbitMQ {RECORDED}, whose words are not those of {version}"))
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
            Kind::RabbitMq => {
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
