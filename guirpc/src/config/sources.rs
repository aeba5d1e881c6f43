//! Where settings come from, one over the other, and what comes out on top.

use std::fmt;
use std::path::PathBuf;

use super::{Kind, Side, Value};
use crate::error::{Error, masked};

mod environment;
mod errors;
mod file;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod ini;
mod layer;
mod own;
mod package;

pub(crate) use environment::Environment;
use errors::invalid;
use layer::{Entry, Layer};
pub(crate) use own::OwnSection;
pub use package::package_of;

/// Where settings come from, from the weakest to the strongest; defaults are weaker still.
pub(crate) struct Layers<'a> {
    pub(crate) side: Side,
    /// Else the environment may name one.
    pub(crate) file: Option<PathBuf>,
    pub(crate) environment: &'a Environment,
    /// The names of settings and what the command line gives them.
    pub(crate) flags: &'a [(&'static str, String)],
}

impl Layers<'_> {
    /// Puts the layers together.
    pub(crate) fn read(self) -> Result<Settings, Error> {
        let Layers { side, file, environment, flags } = self;
        let (mut values, own) = match file.or_else(|| environment.file(side)) {
            None => Default::default(),
            Some(path) => file::read(&path, side)?,
        };
        let mut line = Layer::default();
        for (name, value) in flags {
            let setting = side.setting(name).expect("flags are made of the settings");
            line.set(setting, value, &format!("`--{}`", setting.flag()));
        }
        values.override_with(environment.layer(side)?);
        values.override_with(line);
        Ok(Settings { side, values, own })
    }
}

/// The settings that are set, each by its strongest layer.
pub(crate) struct Settings {
    side: Side,
    values: Layer,
    /// What is not guirpc's.
    pub(crate) own: OwnSection,
}

impl Settings {
    /// The value as it stands there, if it is what the setting takes.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Error> {
        let setting = self.side.setting(name).expect("only settings are asked for");
        let Some(Entry { text, origin }) = self.values.entry(name) else { return Ok(None) };
        if setting.kind.accepts(text) {
            return Ok(Some(text.clone()));
        }
        let found = if matches!(setting.kind, Kind::Uri) { String::new() } else { format!(", not `{}`", masked(text)) };
        Err(invalid(format!("`{name}` is {}{found}: {origin}", setting.kind.expected())))
    }

    /// What the setting is set to, if it is set.
    pub(crate) fn value<T: Value>(&self, name: &str) -> Result<Option<T>, Error> {
        // What the setting's kind accepts can be read as its type.
        Ok(self.text(name)?.and_then(|text| T::read(&text)))
    }
}

/// The names only: a value may hold a password.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.values.fmt(f)
    }
}
