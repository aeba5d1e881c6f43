//! The settings of a client.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::declare::settings;
use super::{CONNECTION, Coalescing, DEFAULT_MAX_BODY, DEFAULT_TIMEOUT, DEFAULT_URI, Kind};
#[cfg(feature = "config")]
use super::{Environment, Layers, Side};
use crate::codec::coalesced::MOST;
use crate::error::{Error, shown};
use crate::message::Dialect;

settings! {
    /// The settings of a client, from a file and the environment.
    ///
    /// [`Client::from_file`](crate::Client::from_file) and [`Client::from_env`](crate::Client::from_env) use them as
    /// they are; a program with flags of its own puts these over them first:
    ///
    /// ```no_run
    /// # let uri_on_the_command_line: Option<&str> = None;
    /// let mut config = guirpc::ClientConfig::from_env()?;
    /// if let Some(uri) = uri_on_the_command_line {
    ///     config = config.uri(uri);
    /// }
    /// let client = guirpc::Client::configured(&config)?;
    /// # Ok::<(), guirpc::Error>(())
    /// ```
    #[derive(Clone)]
    pub struct ClientConfig, listed in CLIENT {
        "Broker" {
            /// The broker, as `amqp://user:password@host:port/vhost?heartbeat=SECONDS`, or several, with commas between
            /// them; with TLS as `amqps://`
            uri: String {
                takes: Kind::Uri,
                default: DEFAULT_URI.to_owned(),
                ini: CONNECTION,
            }
        }
        "Calls" {
            /// How long to wait for a reply
            timeout: Option<Duration> {
                takes: Kind::Time,
                default: None,
                shown: format!("the function's own, or {}", shown(DEFAULT_TIMEOUT)),
                ini: &["options.timeout"],
            }
            /// Who calls
            app_id: Option<String> {
                takes: Kind::Name,
                default: None,
                ini: &["producer_application_id", "options.app_id"],
            }
            /// The largest request to send, and the largest reply to take, in bytes
            max_body: usize {
                takes: Kind::Bytes,
                default: DEFAULT_MAX_BODY,
                ini: &["options.max_body"],
            }
        }
        "Coalescing" {
            /// Whether calls that are made while others are unanswered travel together
            coalescing: Option<bool> {
                takes: Kind::YesNo,
                default: None,
                shown: "the function's own",
                ini: &["options.coalescing"],
            }
            /// So many unanswered messages to a queue let further calls wait for each other
            coalescing_window: usize {
                takes: Kind::Count(u32::MAX as u64),
                default: Coalescing::DEFAULT.window,
                ini: &["options.coalescing_window"],
            }
            /// The most calls in a message
            coalescing_max_calls: usize {
                takes: Kind::Count(MOST as u64),
                default: Coalescing::DEFAULT.max_calls,
                ini: &["options.coalescing_max_calls"],
            }
            /// The most bytes of calls in a message
            coalescing_max_bytes: usize {
                takes: Kind::Bytes,
                default: Coalescing::DEFAULT.max_bytes,
                ini: &["options.coalescing_max_bytes"],
            }
            /// The longest that a call waits for others
            coalescing_linger: Duration {
                takes: Kind::Time,
                default: Coalescing::DEFAULT.linger,
                ini: &["options.coalescing_linger"],
            }
        }
        "For services in Python, and exchanges of one's own" {
            /// How requests are written: guirpc's own way, or the Python original's
            dialect: Option<Dialect> {
                takes: Kind::one_of::<Dialect>(),
                default: None,
                shown: "the function's own, and python with an INI file",
                ini: &["options.dialect"],
            }
            /// The exchange that requests go through
            exchange: Option<String> {
                takes: Kind::Name,
                default: None,
                shown: "`guirpc`, or `rpc_gateway` in the dialect python",
                ini: &["amqp_entities.exchange"],
            }
            /// The routing key of requests
            routing_key: Option<String> {
                takes: Kind::Text,
                default: None,
                shown: "the name of the service",
                ini: &["amqp_entities.routing_key"],
            }
        }
    }
}

#[cfg(feature = "config")]
impl ClientConfig {
    /// Reads the file, TOML or INI, and the environment, which counts for more.
    ///
    /// # Errors
    /// The file cannot be read, or something in it or in the environment is no setting or not what a setting takes.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        ClientConfig::read(Some(path.as_ref().to_owned()), &Environment::of_the_process())
    }

    /// Reads the environment, and the file that it names with `GUIRPC_CONFIG`, `PRODUCER_CONFIG` or
    /// `PRODUCER_CONFIG_FILEPATH`.
    ///
    /// # Errors
    /// As [`from_file`](ClientConfig::from_file) has them.
    pub fn from_env() -> Result<Self, Error> {
        ClientConfig::read(None, &Environment::of_the_process())
    }

    /// Connects to the broker at this AMQP URI instead.
    pub fn uri(mut self, uri: impl Into<String>) -> Self {
        self.uri = uri.into();
        self
    }

    /// Lets calls travel together, or not, whatever their functions say.
    pub fn coalescing(mut self, coalescing: bool) -> Self {
        self.coalescing = Some(coalescing);
        self
    }

    /// Whether calls travel together, unless that is left to their functions.
    pub fn is_coalescing(&self) -> Option<bool> {
        self.coalescing
    }

    /// Who calls, if it is set.
    pub fn app_id(&self) -> Option<&str> {
        self.app_id.as_deref()
    }

    /// How requests are written, if it is set.
    pub fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// How calls travel together, if they do.
    pub(crate) fn coalescing_figures(&self) -> Coalescing {
        Coalescing::DEFAULT
            .window(self.coalescing_window)
            .max_calls(self.coalescing_max_calls)
            .max_bytes(self.coalescing_max_bytes)
            .linger(self.coalescing_linger)
    }

    pub(crate) fn read(file: Option<PathBuf>, environment: &Environment) -> Result<Self, Error> {
        ClientConfig::new(&Layers { side: Side::Client, file, environment, flags: &[] }.read()?)
    }
}

/// Without the URI, which may hold a password.
impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig").finish_non_exhaustive()
    }
}
