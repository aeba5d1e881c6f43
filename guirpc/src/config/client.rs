//! The settings of a client.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{DEFAULT_MAX_BODY, DEFAULT_URI, Environment, Layers, Side};
use crate::error::Error;
use crate::message::Dialect;

/// The settings of a client, from a file and the environment.
///
/// [`Client::from_config`](crate::Client::from_config) and [`Client::from_env`](crate::Client::from_env) use them as
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
pub struct ClientConfig {
    pub(crate) uri: String,
    pub(crate) timeout: Option<Duration>,
    pub(crate) app_id: Option<String>,
    pub(crate) dialect: Option<Dialect>,
    pub(crate) exchange: Option<String>,
    pub(crate) routing_key: Option<String>,
    pub(crate) max_body: usize,
}

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
    pub fn uri(mut self, uri: &str) -> Self {
        uri.clone_into(&mut self.uri);
        self
    }

    /// Who calls, if it is set.
    pub fn app_id(&self) -> Option<&str> {
        self.app_id.as_deref()
    }

    /// How requests are written, if it is set.
    pub fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    pub(crate) fn read(file: Option<PathBuf>, environment: &Environment) -> Result<Self, Error> {
        let settings = Layers { side: Side::Client, file, environment, flags: &[] }.read()?;
        Ok(ClientConfig {
            uri: settings.text("uri")?.unwrap_or_else(|| DEFAULT_URI.to_owned()),
            timeout: settings.time("timeout")?,
            app_id: settings.text("app_id")?,
            dialect: settings.dialect()?,
            exchange: settings.text("exchange")?,
            routing_key: settings.text("routing_key")?,
            max_body: settings.number("max_body")?.unwrap_or(DEFAULT_MAX_BODY),
        })
    }
}

/// Without the URI, which may hold a password.
impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig").finish_non_exhaustive()
    }
}
