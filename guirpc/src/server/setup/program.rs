//! What a program of its own needs beside its functions: a client, settings, arguments, an end.

use std::fmt;
use std::sync::Arc;

use super::Setup;
use crate::client::Client;
#[cfg(feature = "main")]
use crate::config::Config;
#[cfg(feature = "config")]
use crate::config::OwnSection;
#[cfg(feature = "main")]
use crate::context::StateMap;
use crate::error::Error;
#[cfg(feature = "config")]
use crate::error::ErrorKind;
#[cfg(feature = "metrics")]
use crate::metrics::Metrics;

/// Runs when the server has stopped.
#[derive(Clone)]
pub(in crate::server) struct Hook(Arc<dyn Fn() + Send + Sync>);

impl Hook {
    pub(in crate::server) fn run(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

/// Settings that are not guirpc's.
#[cfg(feature = "config")]
#[derive(Clone, Default)]
pub(crate) struct OwnSettings {
    pub(crate) section: OwnSection,
    /// What stands behind `--` on the command line.
    #[cfg(feature = "main")]
    pub(crate) arguments: Vec<std::ffi::OsString>,
}

/// What a program of its own needs beside its functions.
impl Setup {
    /// A client of the broker that the program serves from, for functions that call others; in `dev` too.
    ///
    /// It connects in the background, so it can be made before the server is started. Call
    /// [`uri`](Setup::uri) before this, if at all.
    ///
    /// ```no_run
    /// # #[guirpc::function(service = "stock")] fn left(article: &str) -> u32;
    /// # #[guirpc::function] fn order(#[state] client: &guirpc::Client, article: &str) -> Result<u32, guirpc::Fault> {
    /// Ok(left::call(client, article)?)
    /// # }
    /// # mod program {
    /// guirpc::main!(|setup| {
    ///     let client = setup.client()?;
    ///     Ok(setup.state(client))
    /// });
    /// # }
    /// ```
    ///
    /// # Errors
    /// The URI cannot be read.
    pub fn client(&self) -> Result<Client, Error> {
        let client = Client::lazy(&self.config.uri)?;
        #[cfg(feature = "metrics")]
        let client = match &self.metrics {
            Some(metrics) => client.with_metrics(metrics),
            None => client,
        };
        Ok(client)
    }

    /// Has the server measured, and the clients that [`client`](Setup::client) makes from now on; see
    /// [`metrics`](crate::metrics).
    ///
    /// The setting `metrics` alone, as in `--metrics 9100`, makes some and serves them; with both, these are served there.
    #[cfg(feature = "metrics")]
    pub fn metrics(mut self, metrics: &Metrics) -> Self {
        metrics.expect_server();
        self.metrics = Some(metrics.clone());
        self
    }

    /// Does this when the server has stopped, however it came to that, before [`Server::wait`](crate::Server::wait)
    /// returns: flush what is buffered, say goodbye to others. Hooks run in the order in which they were added.
    ///
    /// State need not be cleaned up here: with [`main!`](crate::main!) it is dropped before the program ends, unless a
    /// function has not come to its end within the drain time.
    pub fn on_stopped(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.hooks.push(Hook(Arc::new(hook)));
        self
    }

    /// The program's own settings: the section `[program]` of the file with the settings, which is TOML.
    ///
    /// Without a file or a section, this is what the type makes of an empty table: `#[serde(default)]` gives
    /// defaults, `#[serde(deny_unknown_fields)]` refuses what is misspelt.
    ///
    /// ```no_run
    /// #[derive(serde::Deserialize)]
    /// struct Shop {
    ///     database: String,
    /// }
    ///
    /// # struct Db; impl Db { fn open(_: &str) -> std::io::Result<Db> { Ok(Db) } }
    /// guirpc::main!(|setup| {
    ///     let Shop { database } = setup.settings()?;
    ///     Ok(setup.state(Db::open(&database)?))
    /// });
    /// ```
    ///
    /// # Errors
    /// The section is not what the type takes; says where and why.
    #[cfg(feature = "config")]
    pub fn settings<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        self.own.section.read().map_err(|why| Error::new(ErrorKind::Configuration, why))
    }

    /// The program's own arguments: what stands behind `--` on the command line of [`main!`](crate::main!), for
    /// whatever reads command lines, such as clap.
    #[cfg(feature = "main")]
    pub fn arguments(&self) -> &[std::ffi::OsString] {
        &self.own.arguments
    }

    pub(in crate::server) fn hooks(&self) -> Vec<Hook> {
        self.hooks.clone()
    }

    /// The state, to see to it that it is dropped.
    #[cfg(feature = "main")]
    pub(crate) fn state_map(&self) -> StateMap {
        self.state.clone()
    }

    #[cfg(feature = "main")]
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    #[cfg(feature = "config")]
    pub(crate) fn with_own(mut self, own: OwnSettings) -> Self {
        self.own = own;
        self
    }
}
