//! One place that sets something: a file, the environment, a command line.

use std::fmt;

use config::{ConfigError, Map, Source, Value};

use super::settings::Setting;
use crate::error::{Error, ErrorKind};

/// What one place sets: names, and values that know where they are from.
#[derive(Clone, Default)]
pub(super) struct Layer(Map<String, Value>);

impl Layer {
    /// Sets it, unless it is set already.
    pub(super) fn set(&mut self, setting: &Setting, value: &str, origin: &str) {
        let value = Value::new(Some(&origin.to_owned()), value);
        self.0.entry(setting.name.to_owned()).or_insert(value);
    }

    /// Where the setting is set already.
    pub(super) fn origin(&self, setting: &Setting) -> Option<&str> {
        self.0.get(setting.name)?.origin()
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

/// The names only: a value may hold a password.
impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A setting that cannot be used, or cannot be read.
pub(super) fn mistake(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}
