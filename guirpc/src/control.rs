//! What servers say of themselves over the broker: who they are, what they serve, how they do.
//!
//! Each server has a queue of its own on the topic exchange `guirpc.control`, and answers questions there; so all servers
//! of a service, or all there are, are found without a registry. The commands `guirpc ls`, `info`, `stats`, `top` do that
//! from a shell.
//!
//! ```no_run
//! use guirpc::control::{Control, Target};
//!
//! let control = Control::connect("amqp://localhost")?;
//! for answer in control.statistics(&Target::service("math"))? {
//!     println!("{} on {}: up {} s", answer.instance.id, answer.instance.host, answer.uptime_ms / 1000);
//! }
//! # Ok::<(), guirpc::Error>(())
//! ```
//!
//! A server whose setting [`control`](crate::configuration) is off does not answer, nor does one whose user may not
//! declare the exchange.
//!
//! # On the wire
//!
//! A question is a message to the exchange `guirpc.control` with one of these routing keys:
//!
//! | routing key | who answers |
//! |---|---|
//! | `servers` | every server |
//! | `services.SERVICE` | those that serve it |
//! | `instances.ID` | one server, by its [id](Instance::id) |
//!
//! Its `type` is `guirpc.control.ping`, `guirpc.control.info`, `guirpc.control.stats` or `guirpc.control.contract`; its body
//! means nothing.
//! Its `reply_to` names a queue: direct reply-to is not answered. `correlation_id` is echoed.
//! The answer has the same `type` and is JSON (`application/json`), a [`Pong`], an [`Info`], [`Statistics`] or `Contracts`.
//! Only servers that are built with the cargo feature `schema` answer with contracts.
//! Its `version` is [`VERSION`]: fields may be added within a version, so whoever reads it ignores what it does not know.

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::broker::{Addresses, ControlAnswer, ControlClient, Patience};
#[cfg(feature = "config")]
use crate::config::ClientConfig;
#[cfg(feature = "schema")]
use crate::contract::compare::Difference;
#[cfg(feature = "schema")]
use crate::contract::{Contract, called_services};
use crate::error::{Error, ErrorKind};
use crate::log::debug;

mod answers;

#[cfg(feature = "schema")]
pub use answers::Contracts;
pub use answers::{
    ArgumentDescription, FunctionDescription, FunctionStatistics, Info, Instance, LaneDescription, LaneStatistics,
    LastFailure, Pong, ServiceDescription, ServiceStatistics, Statistics, Times,
};

/// The version of the answers.
pub const VERSION: u32 = 1;

/// The types of questions.
pub(crate) const PING: &str = "guirpc.control.ping";
pub(crate) const INFO: &str = "guirpc.control.info";
pub(crate) const STATS: &str = "guirpc.control.stats";
#[cfg(feature = "schema")]
pub(crate) const CONTRACT: &str = "guirpc.control.contract";

/// For servers of one's own data centre.
const WAIT: Duration = Duration::from_millis(300);

/// Whom to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(String);

impl Target {
    /// Every server.
    pub fn all() -> Self {
        Target("servers".to_owned())
    }

    /// Those that serve this service.
    pub fn service(name: impl fmt::Display) -> Self {
        Target(format!("services.{name}"))
    }

    /// One server, by its [id](Instance::id).
    pub fn instance(id: impl fmt::Display) -> Self {
        Target(format!("instances.{id}"))
    }

    #[cfg(feature = "server")]
    pub(crate) fn routing_key(self) -> String {
        self.0
    }
}

/// Asks servers over the broker, each time on a connection of its own.
pub struct Control {
    client: ControlClient,
    patience: Patience,
}

impl Control {
    /// Connects to the broker at this AMQP URI.
    ///
    /// # Errors
    /// The URI cannot be read, no broker answers there, or it refuses the user or the virtual host.
    pub fn connect(uri: &str) -> Result<Self, Error> {
        let client = ControlClient::connect(Addresses::parse(uri)?)?;
        Ok(Control { client, patience: Patience { wait: WAIT, expected: None } })
    }

    /// Connects to the broker that these settings name.
    ///
    /// # Errors
    /// As [`connect`](Control::connect).
    #[cfg(feature = "config")]
    pub fn configured(config: &ClientConfig) -> Result<Self, Error> {
        Control::connect(&config.uri)
    }

    /// Gathers answers for so long; the default is 300 ms.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.patience.wait = wait.min(Duration::from_hours(24));
        self
    }

    /// Takes no more than so many answers, and waits no longer when they are there.
    pub fn expect(mut self, answers: usize) -> Self {
        self.patience.expected = Some(answers);
        self
    }

    /// Who is there, the quickest first.
    ///
    /// # Errors
    /// The broker refuses the question (the user needs to read and configure a queue of its own, and to write to
    /// `guirpc.control`), or the connection is lost.
    pub fn ping(&self, target: &Target) -> Result<Vec<Pong>, Error> {
        let noted = |(pong, answer): (Pong, ControlAnswer)| Pong {
            after: Some(answer.after),
            received: Some(answer.received),
            ..pong
        };
        Ok(self.ask(PING, target)?.into_iter().map(noted).collect())
    }

    /// What servers are, and what they serve.
    ///
    /// # Errors
    /// As [`ping`](Control::ping).
    pub fn info(&self, target: &Target) -> Result<Vec<Info>, Error> {
        Ok(self.ask(INFO, target)?.into_iter().map(|(info, _)| info).collect())
    }

    /// How servers do.
    ///
    /// # Errors
    /// As [`ping`](Control::ping).
    pub fn statistics(&self, target: &Target) -> Result<Vec<Statistics>, Error> {
        Ok(self.ask(STATS, target)?.into_iter().map(|(statistics, _)| statistics).collect())
    }

    /// What servers promise the callers of their services.
    ///
    /// # Errors
    /// As [`ping`](Control::ping).
    #[cfg(feature = "schema")]
    pub fn contracts(&self, target: &Target) -> Result<Vec<Contracts>, Error> {
        Ok(self.ask(CONTRACT, target)?.into_iter().map(|(contracts, _)| contracts).collect())
    }

    /// What would fail of the calls that this program makes: compares the functions without a body that are linked into it
    /// with the contracts of the servers that run.
    ///
    /// Empty if nothing would; a program may ask at its start, or in its CI.
    ///
    /// # Errors
    /// As [`ping`](Control::ping), or no server answers with the contract of a service that is called.
    #[cfg(feature = "schema")]
    pub fn check_callers(&self) -> Result<Vec<Difference>, Error> {
        let mut broken: Vec<Difference> = Vec::new();
        for service in called_services() {
            let answers = self.contracts(&Target::service(service))?;
            let contracts = answers.iter().flat_map(|answer| &answer.contracts);
            let mut served = contracts.filter(|contract| contract.service == service).peekable();
            if served.peek().is_none() {
                let message = format!(
                    "no server of `{service}` has answered with its contract: none runs, its `control` is off, or it is \
                     built without the feature `schema`"
                );
                return Err(Error::new(ErrorKind::Unreachable, message));
            }
            let differences = served.flat_map(Contract::check_callers).collect::<Vec<_>>();
            for difference in differences {
                if !broken.contains(&difference) {
                    broken.push(difference);
                }
            }
        }
        Ok(broken)
    }

    fn ask<T: DeserializeOwned>(&self, kind: &str, target: &Target) -> Result<Vec<(T, ControlAnswer)>, Error> {
        let Target(routing_key) = target;
        if routing_key.len() > 255 {
            let message = format!("`{routing_key:.80}…` is longer than any name of a service");
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        let answers = self.client.ask(kind, routing_key, self.patience)?;
        let read = |body: &[u8]| {
            // Anybody may answer anything.
            serde_json::from_slice(body).inspect_err(|error| debug!("an answer is no answer to `{kind}`: {error}")).ok()
        };
        Ok(answers.into_iter().filter_map(|answer| Some((read(&answer.body)?, answer))).collect())
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("patience", &self.patience).finish_non_exhaustive()
    }
}
