//! Questions to a broker that change nothing on it: who it is, what is declared, what a user may do, whether it takes
//! messages.
//!
//! For tools that operators use; `guirpc doctor` is made of it.
//! It knows what AMQP tells, and nothing of the management API.
//!
//! ```no_run
//! use guirpc::inspect::Inspection;
//!
//! let inspection = Inspection::connect("amqp://localhost")?;
//! let broker = inspection.broker();
//! println!("{} {}", broker.product, broker.version);
//! if let Some(reason) = inspection.alarm()? {
//!     println!("it takes no messages: {reason}");
//! }
//! # Ok::<(), guirpc::Error>(())
//! ```

use std::fmt;
use std::time::Duration;

use crate::broker::{self, Inspector};
use crate::client::Backlog;
#[cfg(feature = "config")]
use crate::config::ClientConfig;
use crate::error::Error;

#[cfg(feature = "config")]
mod settings;

#[cfg(feature = "config")]
pub use settings::{Conflict, ServerSettings, ServiceQueue};

/// A connection to a broker on which nothing but questions is asked.
///
/// Each question waits for its answer, for 10 s at most.
pub struct Inspection {
    inspector: Inspector,
    broker: BrokerInfo,
}

/// What a broker says of itself, and what it agreed on with this client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokerInfo {
    /// `RabbitMQ`, or what else it is.
    pub product: String,
    /// Such as `3.13.7`.
    pub version: String,
    /// The name of its cluster, if it has one.
    pub cluster: Option<String>,
    /// The largest payload of a frame, in bytes: all headers of a message are in one.
    pub largest_frame: usize,
    /// The most channels on a connection: a server needs one for each worker, and a few more.
    pub channels: u16,
    /// How often a heartbeat is due; a lost connection is noticed after twice this time. Zero: never.
    pub heartbeat: Duration,
    /// The certificate that it has shown, in DER, with TLS.
    pub certificate: Option<Vec<u8>>,
}

/// What a user may be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Right<'a> {
    /// To declare this exchange, which takes the permission to configure it.
    DeclareExchange(&'a str),
    /// To declare this queue, which takes the permission to configure it.
    DeclareQueue(&'a str),
    /// To bind a queue to an exchange, which takes the permissions to write to the queue and to read the exchange.
    Bind {
        /// The queue.
        queue: &'a str,
        /// The exchange.
        exchange: &'a str,
    },
    /// To take requests off this queue, which takes the permission to read it.
    Consume(&'a str),
    /// To publish to this exchange, which takes the permission to write to it; the default exchange has an empty name.
    Publish(&'a str),
}

/// How an exchange or a queue stands to how a server would declare it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Declared {
    /// There is none; a server declares it.
    Missing,
    /// It is as a server would declare it.
    Alike,
    /// It is there and differs; the text says in what, and what to do.
    Differently(String),
    /// It is there, and cannot be compared, since the user may not declare it; the text says why.
    Unknown(String),
}

impl Inspection {
    /// Connects to the broker at this AMQP URI.
    ///
    /// # Errors
    /// The URI cannot be read, no broker answers there, or it refuses the user or the virtual host.
    pub fn connect(uri: &str) -> Result<Self, Error> {
        let inspector = Inspector::open(uri)?;
        let greeting = inspector.greeting();
        let broker = BrokerInfo {
            product: greeting.product,
            version: greeting.version,
            cluster: greeting.cluster,
            largest_frame: greeting.largest_frame,
            channels: greeting.channels,
            heartbeat: greeting.heartbeat,
            certificate: greeting.certificate,
        };
        Ok(Inspection { inspector, broker })
    }

    /// Connects to the broker that these settings name.
    ///
    /// # Errors
    /// As [`connect`](Inspection::connect).
    #[cfg(feature = "config")]
    pub fn configured(config: &ClientConfig) -> Result<Self, Error> {
        Inspection::connect(&config.uri)
    }

    /// Closes the connection and waits until that is done; a broker logs one that just ends, as with the process.
    ///
    /// # Errors
    /// The connection is lost already, or the broker does not answer.
    pub fn close(self) -> Result<(), Error> {
        self.inspector.close()
    }

    /// What the broker says of itself.
    pub fn broker(&self) -> &BrokerInfo {
        &self.broker
    }

    /// Where it is, as a URI without the password.
    pub fn address(&self) -> String {
        self.inspector.address()
    }

    /// The name or the address of its machine.
    pub fn host(&self) -> &str {
        self.inspector.host()
    }

    /// The user of this connection.
    pub fn user(&self) -> &str {
        self.inspector.user()
    }

    /// The virtual host of this connection.
    pub fn vhost(&self) -> &str {
        self.inspector.vhost()
    }

    /// The user and the password of the URI as the HTTP header `Authorization` has them, for the broker's management
    /// API. A secret: it is never to be shown or logged.
    pub fn http_authorization(&self) -> String {
        self.inspector.authorization()
    }

    /// What waits in a queue, and how many take from it; `None` if there is no such queue.
    ///
    /// # Errors
    /// The connection is lost, or the broker refuses to say.
    pub fn backlog(&self, queue: &str) -> Result<Option<Backlog>, Error> {
        Ok(self.inspector.counts(queue)?.map(|(waiting, servers)| Backlog { waiting, servers }))
    }

    /// Why the user of this connection may not do this, in the broker's words; `None` if it may.
    ///
    /// Only RabbitMQ is sure to look at rights before anything else, so ask no other broker: it might do what is asked for.
    ///
    /// # Errors
    /// The connection is lost, or nothing is answered, as under an [`alarm`](Inspection::alarm) for
    /// [`Right::Publish`].
    pub fn refusal(&self, right: Right<'_>) -> Result<Option<String>, Error> {
        self.inspector.refusal(match right {
            Right::DeclareExchange(exchange) => broker::Right::DeclareExchange(exchange),
            Right::DeclareQueue(queue) => broker::Right::DeclareQueue(queue),
            Right::Bind { queue, exchange } => broker::Right::Bind { queue, exchange },
            Right::Consume(queue) => broker::Right::Consume(queue),
            Right::Publish(exchange) => broker::Right::Publish { exchange },
        })
    }

    /// Why the broker takes no messages at the moment, such as that it is short of memory; `None` if it takes them.
    ///
    /// It publishes a message that no queue takes, on a connection of its own.
    ///
    /// # Errors
    /// The connection cannot be opened, or nothing is answered.
    pub fn alarm(&self) -> Result<Option<String>, Error> {
        self.inspector.alarm()
    }

    /// How the exchange stands to how a server with these settings would declare it.
    ///
    /// # Errors
    /// The connection is lost.
    #[cfg(feature = "config")]
    pub fn exchange(&self, settings: &ServerSettings) -> Result<Declared, Error> {
        self.inspector.exchange(&settings.exchange).map(Into::into)
    }

    /// How a queue stands to how a server would declare it.
    ///
    /// # Errors
    /// The connection is lost.
    #[cfg(feature = "config")]
    pub fn queue(&self, queue: &ServiceQueue) -> Result<Declared, Error> {
        self.inspector.queue(queue.name(), queue.kind).map(Into::into)
    }
}

impl From<broker::Declared> for Declared {
    fn from(declared: broker::Declared) -> Self {
        match declared {
            broker::Declared::Missing => Declared::Missing,
            broker::Declared::Alike => Declared::Alike,
            broker::Declared::Differently(how) => Declared::Differently(how),
            broker::Declared::Unknown(why) => Declared::Unknown(why),
        }
    }
}

/// Without the password that is in the URI.
impl fmt::Debug for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspection").field("address", &self.address()).finish_non_exhaustive()
    }
}
