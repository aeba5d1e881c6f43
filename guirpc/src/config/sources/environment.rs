//! The environment, or what stands for it in a test.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use super::errors::invalid;
use super::layer::Layer;
use crate::config::Side;
use crate::error::Error;

/// The variables; one that is empty is as good as none.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    pub(crate) fn of_the_process() -> Self {
        env::vars_os().collect()
    }

    fn variable(&self, name: &str) -> Option<&OsString> {
        self.0.get(OsString::from(name).as_os_str()).filter(|value| !value.is_empty())
    }

    /// The file that it names.
    pub(super) fn file(&self, side: Side) -> Option<PathBuf> {
        side.file_variables().into_iter().find_map(|name| self.variable(name)).map(PathBuf::from)
    }

    /// The settings that it has.
    pub(super) fn layer(&self, side: Side) -> Result<Layer, Error> {
        let mut layer = Layer::default();
        for setting in side.settings() {
            let name = setting.variable();
            if let Some(value) = self.variable(&name) {
                let value = value.to_str().ok_or_else(|| invalid(format!("the variable `{name}` is not UTF-8")))?;
                layer.set(setting, value, &format!("`{name}` in the environment"));
            }
        }
        Ok(layer)
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<T: IntoIterator<Item = (OsString, OsString)>>(variables: T) -> Self {
        Environment(variables.into_iter().collect())
    }
}
