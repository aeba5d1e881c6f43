//! What the hand-written contestants say to one another: what guirpc says, so that the frames compare.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

/// The exchange of all requests.
pub(crate) const EXCHANGE: &str = "guirpc";
/// The direct reply-to address of whoever consumes from it.
pub(crate) const REPLY_TO: &str = "amq.rabbitmq.reply-to";
/// The content type of all bodies.
pub(crate) const MSGPACK: &str = "application/msgpack";
/// How many requests the broker hands to a hand-written server ahead of its acks.
pub(crate) const PREFETCH: u16 = 256;
/// How long a caller waits; one that waits in vain ends the benchmark.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// How long the slow function takes.
pub(crate) const SLOW: Duration = Duration::from_millis(50);

/// A function that every server of the benchmark serves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    /// Adds two numbers.
    Add,
    /// The same, after [`SLOW`].
    AddSlowly,
}

impl Function {
    /// Its name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::AddSlowly => "add_slowly",
        }
    }

    fn named(name: &str) -> Result<Self> {
        match name {
            "add" => Ok(Self::Add),
            "add_slowly" => Ok(Self::AddSlowly),
            _ => bail!("no function named `{name}`"),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Arguments {
    a: i64,
    b: i64,
}

/// The body of a request.
pub(crate) fn request(a: i64, b: i64) -> Result<Vec<u8>> {
    rmp_serde::to_vec_named(&Arguments { a, b }).context("encode the arguments")
}

/// The server's side of a call: decodes the arguments, runs the function, encodes its output.
pub(crate) fn execute(function: Option<&str>, request: &[u8]) -> Result<Vec<u8>> {
    let function = Function::named(function.context("a request without a `type`")?)?;
    let Arguments { a, b } = rmp_serde::from_slice(request).context("decode the arguments")?;
    if function == Function::AddSlowly {
        thread::sleep(SLOW);
    }
    rmp_serde::to_vec(&(a + b)).context("encode the output")
}

/// The output in the body of a reply.
pub(crate) fn output(reply: &[u8]) -> Result<i64> {
    rmp_serde::from_slice(reply).context("decode the output")
}

/// When a call made now expires: the value of the header `guirpc-deadline`.
pub(crate) fn deadline() -> i64 {
    let deadline = SystemTime::now() + TIMEOUT;
    let since_epoch = deadline.duration_since(UNIX_EPOCH).unwrap_or_default();
    millis(since_epoch)
}

/// A duration as it travels.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Correlation ids that no other client uses: a prefix of this client, then a number that finds the call again.
pub(crate) struct Correlation {
    prefix: u64,
}

impl Correlation {
    /// Ids of a new client.
    pub(crate) fn new() -> Self {
        Self { prefix: fastrand::u64(..) }
    }

    /// The id of the call of this number.
    pub(crate) fn id(&self, call: u64) -> String {
        format!("{:016x}-{call:x}", self.prefix)
    }

    /// The number of the call with this id.
    pub(crate) fn call(&self, id: Option<&str>) -> Result<u64> {
        let id = id.context("a reply without a correlation id")?;
        id.split_once('-')
            .filter(|(prefix, _)| u64::from_str_radix(prefix, 16) == Ok(self.prefix))
            .and_then(|(_, call)| u64::from_str_radix(call, 16).ok())
            .with_context(|| format!("a reply to somebody else's call `{id}`"))
    }
}
