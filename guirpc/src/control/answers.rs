//! The answers of servers: plain data, as it travels.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

#[cfg(feature = "server")]
use crate::registry::Registration;

/// A server that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Instance {
    /// Made up when the server starts; no other has it.
    pub id: String,
    /// The name of the machine.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// The name of the program.
    pub program: String,
    /// The version of guirpc.
    pub guirpc: String,
    /// When it started, in seconds since the Unix epoch.
    pub since: u64,
    /// What it serves.
    pub services: Vec<String>,
}

/// The answer to a ping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pong {
    /// The version of this answer.
    pub version: u32,
    /// Who answers.
    pub instance: Instance,
    /// The server's clock when it answered, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// How long after the question the answer came; not part of the answer.
    #[serde(skip)]
    pub after: Option<Duration>,
    /// Our clock when it came; not part of the answer.
    #[serde(skip)]
    pub received: Option<SystemTime>,
}

impl Pong {
    /// By how much the server's clock and ours differ, beyond what the way of the answer explains.
    pub fn clock_difference(&self) -> Duration {
        let theirs = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(self.time_ms));
        let Some((received, theirs)) = self.received.zip(theirs) else { return Duration::ZERO };
        let difference = received.duration_since(theirs).unwrap_or_else(|ahead| ahead.duration());
        difference.saturating_sub(self.after.unwrap_or_default())
    }
}

/// What a server is, and what it serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Info {
    /// The version of this answer.
    pub version: u32,
    /// Who answers.
    pub instance: Instance,
    /// The broker, without the password.
    pub broker: String,
    /// Its services, with their functions.
    pub services: Vec<ServiceDescription>,
    /// Its lanes; the first is for functions that name none.
    pub lanes: Vec<LaneDescription>,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceDescription {
    /// Its name.
    pub name: String,
    /// Its functions, by name.
    pub functions: Vec<FunctionDescription>,
}

/// A function, as its attribute and its signature have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunctionDescription {
    /// Its name.
    pub name: String,
    /// The signature as written.
    pub signature: String,
    /// Its arguments, in order.
    pub arguments: Vec<ArgumentDescription>,
    /// The return type as written.
    pub output: String,
    /// Its doc comment.
    pub docs: String,
    /// The lane that serves it, if it names one.
    pub lane: Option<String>,
    /// How long its callers wait unless they say otherwise, in milliseconds, if the attribute says so.
    pub timeout_ms: Option<u64>,
    /// Whether it may run twice.
    pub idempotent: bool,
    /// `after-reply`: it runs at least once; `early`: at most once.
    pub ack: String,
}

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ArgumentDescription {
    /// Its name.
    pub name: String,
    /// Its type as written.
    #[serde(rename = "type")]
    pub type_name: String,
}

#[cfg(feature = "server")]
impl FunctionDescription {
    pub(crate) fn of(function: &Registration) -> Self {
        let argument = |parameter: &crate::function::Parameter| ArgumentDescription {
            name: parameter.name.to_owned(),
            type_name: parameter.ty.name.to_owned(),
        };
        let description = &function.description;
        FunctionDescription {
            name: function.name.to_owned(),
            signature: description.signature.to_owned(),
            arguments: description.parameters.iter().map(argument).collect(),
            output: description.output.to_owned(),
            docs: description.docs.to_owned(),
            lane: function.lane.map(str::to_owned),
            timeout_ms: function.timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)),
            idempotent: function.idempotent,
            ack: function.ack.name().to_owned(),
        }
    }
}

/// How a lane is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LaneDescription {
    /// Its name; none for functions that name none.
    pub lane: Option<String>,
    /// The queues of requests.
    pub queues: Vec<String>,
    /// How many functions run at once on threads.
    pub workers: u64,
    /// How many `async` functions are under way at once; 0 if there are none.
    pub concurrency: u64,
    /// How many requests the broker delivers ahead.
    pub prefetch: u64,
    /// How long a shutdown waits for what has begun, in milliseconds.
    pub drain_ms: u64,
    /// How often a function begins on one request before that is a dead letter; none if it is not counted.
    pub max_deliveries: Option<u32>,
    /// Whether it takes calls that come several in a message.
    pub coalesced: bool,
}

/// The contracts of a server's services.
#[cfg(feature = "schema")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Contracts {
    /// The version of this answer.
    pub version: u32,
    /// Who answers.
    pub instance: Instance,
    /// By name of the service.
    pub contracts: Vec<crate::contract::Contract>,
}

/// How a server does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Statistics {
    /// The version of this answer.
    pub version: u32,
    /// Who answers.
    pub instance: Instance,
    /// How long it has run, in milliseconds.
    pub uptime_ms: u64,
    /// Its lanes; the first is for functions that name none.
    pub lanes: Vec<LaneStatistics>,
}

/// How a lane does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LaneStatistics {
    /// Its name; none for functions that name none.
    pub lane: Option<String>,
    /// How it stands with its broker, as [`ConnectionStatus`](crate::ConnectionStatus) is shown.
    pub status: String,
    /// How often it has lost its connections, or what it consumes from, and has them again.
    pub reconnects: u64,
    /// How many functions run at once on threads, or are under way if they are `async`.
    pub places: u64,
    /// How many of these are taken.
    pub busy: u64,
    /// By service.
    pub services: Vec<ServiceStatistics>,
}

/// How the functions of a service do in one lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceStatistics {
    /// Its name.
    pub service: String,
    /// By function: those that have had requests in this lane. `_OTHER` are those that the service does not have.
    pub functions: Vec<FunctionStatistics>,
}

/// How a function does; all counts are since the server started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunctionStatistics {
    /// Its name.
    pub function: String,
    /// Requests that a worker has taken up.
    pub requests: u64,
    /// Those of them that have no answer yet.
    pub in_flight: u64,
    /// Runs that gave an output.
    pub outputs: u64,
    /// Runs that gave the function's own error.
    pub errors: u64,
    /// Runs that gave a fault, or panicked.
    pub faults: u64,
    /// Requests that were not run, by status.
    pub refusals: BTreeMap<u16, u64>,
    /// Requests that were answered as an earlier one of the same call, without a run.
    pub cached: u64,
    /// Requests that had, or may have, begun before.
    pub redelivered: u64,
    /// Failed runs after which the request was put back for another attempt.
    pub retries: u64,
    /// Requests that became dead letters.
    pub dead_letters: u64,
    /// How long runs took.
    pub run_time: Times,
    /// How long requests waited, from when they were made by the caller's clock to when they began by the server's.
    pub queue_time: Times,
    /// The last failure, if there was one.
    pub last_failure: Option<LastFailure>,
}

/// How long something took, in microseconds; the quantiles are right within 1/32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Times {
    /// How often.
    pub count: u64,
    /// All together.
    pub sum_us: u64,
    /// No longer than this in half of all cases.
    pub p50_us: u64,
    /// In 99 of 100.
    pub p99_us: u64,
    /// In all.
    pub max_us: u64,
}

/// A failure of a function, without what it said: that may be about its caller's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LastFailure {
    /// Its status.
    pub status: u16,
    /// When it was, in seconds since the Unix epoch.
    pub time: u64,
}
