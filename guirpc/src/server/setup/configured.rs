//! A setup as a file and the environment have it.

use std::path::{Path, PathBuf};

use super::{OwnSettings, Setup};
use crate::config::{Config, Environment, Layers, Side};
use crate::error::Error;

impl Setup {
    /// Serves as the file says, TOML or INI, and the environment, which counts for more.
    ///
    /// The services are those that the settings name, or else these.
    /// What can be set is described with [`configuration`](crate::configuration);
    /// a program with [`main!`](crate::main!) reads it all by itself.
    ///
    /// ```no_run
    /// let setup = guirpc::Setup::from_file([env!("CARGO_PKG_NAME")], "/etc/math.toml")?;
    /// let server = guirpc::Server::start(setup.workers(8))?;
    /// # Ok::<(), guirpc::Error>(())
    /// ```
    ///
    /// # Errors
    /// The file cannot be read, or something in it or in the environment is no setting or not what a setting takes.
    pub fn from_file<S: Into<String>>(
        services: impl IntoIterator<Item = S>,
        path: impl AsRef<Path>,
    ) -> Result<Self, Error> {
        Setup::read(services, Some(path.as_ref().to_owned()), &Environment::of_the_process())
    }

    /// Serves as the environment says, and the file that it names with `GUIRPC_CONFIG`, `CONSUMER_CONFIG` or
    /// `CONSUMER_CONFIG_FILEPATH`.
    ///
    /// # Errors
    /// As [`from_file`](Setup::from_file) has them.
    pub fn from_env<S: Into<String>>(services: impl IntoIterator<Item = S>) -> Result<Self, Error> {
        Setup::read(services, None, &Environment::of_the_process())
    }

    fn read<S: Into<String>>(
        services: impl IntoIterator<Item = S>,
        file: Option<PathBuf>,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let settings = Layers { side: Side::Server, file, environment, flags: &[] }.read()?;
        let mut config = Config::new(&settings)?;
        let own = || services.into_iter().map(Into::into).collect();
        let setup = Setup::with_config(config.service.take().unwrap_or_else(own), config);
        Ok(setup.with_own(OwnSettings {
            section: settings.own,
            #[cfg(feature = "main")]
            arguments: Vec::new(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_counts_for_more_than_the_file() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/interop/files/consumer.ini");
        let read = |environment: &Environment| Setup::read(["own"], Some(file.into()), environment).unwrap();
        let setup = read(&Environment::default());
        assert_eq!(setup.services, ["own"]);
        assert_eq!(setup.config.queue.as_deref(), Some("my_queue"));
        let variables = [("GUIRPC_QUEUE", "another"), ("GUIRPC_SERVICE", "math,users")];
        let setup = read(&variables.map(|(name, value)| (name.into(), value.into())).into_iter().collect());
        assert_eq!(setup.services, ["math", "users"]);
        assert_eq!(setup.config.queue.as_deref(), Some("another"));
    }
}
