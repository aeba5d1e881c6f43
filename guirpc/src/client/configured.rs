//! A client as a file and the environment have it.

use std::path::Path;

use super::Client;
use crate::config::ClientConfig;
use crate::error::Error;

impl Client {
    /// Connects as the file says, TOML or INI, and the environment, which counts for more.
    ///
    /// What can be set is described with [`configuration`](crate::configuration).
    ///
    /// # Errors
    /// What [`ClientConfig::from_file`] and [`Client::connect`] say.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        Client::configured(&ClientConfig::from_file(path)?)
    }

    /// Connects as the environment says, and the file that it names, if any.
    ///
    /// # Errors
    /// What [`ClientConfig::from_env`] and [`Client::connect`] say.
    pub fn from_env() -> Result<Self, Error> {
        Client::configured(&ClientConfig::from_env()?)
    }

    /// Connects with these settings.
    ///
    /// # Errors
    /// What [`Client::connect`] says.
    pub fn configured(config: &ClientConfig) -> Result<Self, Error> {
        let mut client = Client::connect(&config.uri)?.with_max_body(config.max_body);
        // There are no copies yet that take more.
        client.connected.core.body_limit.set(config.max_body);
        client = client.coalescing_as(config.coalescing, config.coalescing_figures());
        if let Some(timeout) = config.timeout {
            client = client.with_timeout(timeout);
        }
        if let Some(app_id) = &config.app_id {
            client = client.with_app_id(app_id);
        }
        if let Some(dialect) = config.dialect {
            client = client.with_dialect(dialect);
        }
        if let Some(exchange) = &config.exchange {
            client = client.with_exchange(exchange);
        }
        if let Some(routing_key) = &config.routing_key {
            client = client.with_routing_key(routing_key);
        }
        Ok(client)
    }
}
