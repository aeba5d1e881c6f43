//! One place that sets something: a file, the environment, a command line.

use std::collections::BTreeMap;
use std::fmt;

use crate::config::Setting;

/// What one place sets, by the names of the settings.
#[derive(Default)]
pub(super) struct Layer(BTreeMap<&'static str, Entry>);

/// A value as it stands there, and where that is.
pub(super) struct Entry {
    pub(super) text: String,
    pub(super) origin: String,
}

impl Layer {
    /// Sets it, unless it is set already.
    pub(super) fn set(&mut self, setting: &Setting, text: &str, origin: &str) {
        let entry = || Entry { text: text.to_owned(), origin: origin.to_owned() };
        self.0.entry(setting.name).or_insert_with(entry);
    }

    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.0.get(name)
    }

    /// Puts a stronger layer over this one.
    pub(super) fn override_with(&mut self, stronger: Layer) {
        self.0.extend(stronger.0);
    }
}

/// The names only: a value may hold a password.
impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
