//! What the hand-written contestants say to one another: what guirpc says, so that the frames compare.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
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
/// How long the slow function keeps its thread.
pub(crate) const SLOW: Duration = Duration::from_millis(50);
/// How long the waiting function waits, as for a database.
pub(crate) const WAIT: Duration = Duration::from_millis(100);
/// How long the bodies are that are echoed, in bytes.
pub(crate) const LARGE: usize = 1 << 20;

/// A function that every server of the benchmark serves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    /// Adds two numbers.
    Add,
    /// The same, after it has kept its thread for [`SLOW`].
    AddSlowly,
    /// The same, after it has waited for [`WAIT`]; by servers with a thread for each call, which then is what waits.
    AddLater,
    /// Gives back [`LARGE`] bytes.
    Echo,
}

impl Function {
    /// Its name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::AddSlowly => "add_slowly",
            Self::AddLater => "add_later",
            Self::Echo => "echo",
        }
    }

    /// The one of this name, from the `type` of a request.
    pub(crate) fn named(name: Option<&str>) -> Result<Self> {
        match name.context("a request without a `type`")? {
            "add" => Ok(Self::Add),
            "add_slowly" => Ok(Self::AddSlowly),
            "add_later" => Ok(Self::AddLater),
            "echo" => Ok(Self::Echo),
            name => bail!("no function named `{name}`"),
        }
    }

    /// How long it takes, apart from the work.
    pub(crate) fn time(self) -> Option<Duration> {
        match self {
            Self::Add | Self::Echo => None,
            Self::AddSlowly => Some(SLOW),
            Self::AddLater => Some(WAIT),
        }
    }

    /// The server's side of a call: decodes the arguments, does the work, encodes the output.
    pub(crate) fn execute(self, request: &[u8]) -> Result<Vec<u8>> {
        let output = match self {
            Self::Add | Self::AddSlowly | Self::AddLater => {
                let Numbers { a, b } = rmp_serde::from_slice(request).context("decode the arguments")?;
                rmp_serde::to_vec(&(a + b))
            }
            Self::Echo => {
                let Bytes { body } = rmp_serde::from_slice(request).context("decode the arguments")?;
                rmp_serde::to_vec(body)
            }
        };
        output.context("encode the output")
    }
}

/// The arguments of the functions that add.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Numbers {
    pub(crate) a: i64,
    pub(crate) b: i64,
}

/// The argument of the function that echoes.
#[derive(Serialize, Deserialize)]
struct Bytes<'a> {
    #[serde(borrow)]
    body: &'a serde_bytes::Bytes,
}

/// A call: a function and two numbers that nobody else asks with at the same time, so that a reply to the wrong call is
/// noticed.
#[derive(Clone, Copy)]
pub(crate) struct Question {
    /// What is called.
    pub(crate) function: Function,
    /// To be added, or where the bytes begin.
    pub(crate) numbers: Numbers,
}

impl Question {
    /// The body of a request.
    pub(crate) fn request(&self) -> Result<Vec<u8>> {
        match self.function {
            Function::Echo => rmp_serde::to_vec_named(&Bytes { body: serde_bytes::Bytes::new(&self.bytes()) }),
            Function::Add | Function::AddSlowly | Function::AddLater => rmp_serde::to_vec_named(&self.numbers),
        }
        .context("encode the arguments")
    }

    /// The bytes to echo, which begin with the numbers.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Numbers { a, b } = self.numbers;
        let mut bytes = Vec::with_capacity(LARGE);
        bytes.extend([a, b].iter().flat_map(|number| number.to_be_bytes()));
        bytes.resize(LARGE, 0x5A);
        bytes
    }

    /// What the body of a reply to this says.
    pub(crate) fn decode(&self, reply: &[u8]) -> Result<Answer> {
        match self.function {
            Function::Echo => rmp_serde::from_slice(reply).map(serde_bytes::ByteBuf::into_vec).map(Answer::Bytes),
            Function::Add | Function::AddSlowly | Function::AddLater => rmp_serde::from_slice(reply).map(Answer::Sum),
        }
        .context("decode the output")
    }

    /// Ends the benchmark if this is not the answer.
    pub(crate) fn check(&self, answer: &Answer) -> Result<()> {
        let Numbers { a, b } = self.numbers;
        match answer {
            Answer::Sum(sum) => ensure!(*sum == a + b, "{a} + {b} was answered with {sum}"),
            Answer::Bytes(bytes) => ensure!(*bytes == self.bytes(), "the bytes of call {a} came back as others"),
        }
        Ok(())
    }
}

/// What a function has given.
pub(crate) enum Answer {
    /// Of those that add.
    Sum(i64),
    /// Of the one that echoes.
    Bytes(Vec<u8>),
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
