//! The layers of settings, one over the other, and what comes out on top.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::environment::Environment;
use super::file;
use super::layer::{Entry, Layer, mistake};
use super::settings::Kind;
use super::{ExchangeType, QueueType, Side};
use crate::error::Error;
use crate::message::Dialect;

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
        let file = match file.or_else(|| environment.file(side)) {
            None => Layer::default(),
            Some(path) => file::read(&path, side)?,
        };
        let mut line = Layer::default();
        for (name, value) in flags {
            let setting = side.setting(name).expect("flags are made of the settings");
            line.set(setting, value, &format!("`--{}`", setting.flag()));
        }
        let mut values = file;
        values.override_with(environment.layer(side)?);
        values.override_with(line);
        Ok(Settings { side, values })
    }
}

/// The settings that are set, by whoever is the strongest.
pub(crate) struct Settings {
    side: Side,
    values: Layer,
}

impl Settings {
    /// The value as it stands there, if it is what the setting takes.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Error> {
        let setting = self.side.setting(name).expect("only settings are asked for");
        let Some(Entry { text, origin }) = self.values.entry(name) else { return Ok(None) };
        if setting.kind.accepts(text) {
            return Ok(Some(text.clone()));
        }
        let found = if matches!(setting.kind, Kind::Uri) { String::new() } else { format!(", not `{text}`") };
        Err(mistake(format!("`{name}` is {}{found}: {origin}", setting.kind.expected())))
    }

    fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, Error> {
        // What the setting takes can be parsed.
        Ok(self.text(name)?.and_then(|text| text.parse().ok()))
    }

    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Error> {
        self.parsed(name)
    }

    /// Numbers by name; empty if there are none.
    pub(crate) fn numbers<T: FromStr>(&self, name: &str) -> Result<BTreeMap<String, T>, Error> {
        let numbers = self.text(name)?.unwrap_or_default();
        let number = |pair: &str| {
            let (name, number) = pair.split_once('=')?;
            Some((name.to_owned(), number.parse().ok()?))
        };
        // What the setting takes can be parsed.
        Ok(numbers.split(',').filter_map(number).collect())
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        self.parsed(name)
    }

    pub(crate) fn time(&self, name: &str) -> Result<Option<Duration>, Error> {
        Ok(self.parsed::<humantime::Duration>(name)?.map(Duration::from))
    }

    pub(crate) fn names(&self, name: &str) -> Result<Option<Vec<String>>, Error> {
        Ok(self.text(name)?.map(|names| names.split(',').map(str::to_owned).collect()))
    }

    pub(super) fn dialect(&self) -> Result<Option<Dialect>, Error> {
        let is_python = |text: String| if text == "python" { Dialect::Python } else { Dialect::Native };
        Ok(self.text("dialect")?.map(is_python))
    }

    pub(super) fn queue_type(&self) -> Result<Option<QueueType>, Error> {
        let is_quorum = |text: String| if text == "quorum" { QueueType::Quorum } else { QueueType::Classic };
        Ok(self.text("queue_type")?.map(is_quorum))
    }

    pub(super) fn exchange_type(&self) -> Result<Option<ExchangeType>, Error> {
        Ok(self.text("exchange_type")?.map(|text| match text.as_str() {
            "fanout" => ExchangeType::Fanout,
            "topic" => ExchangeType::Topic,
            _ => ExchangeType::Direct,
        }))
    }
}

/// The names only: a value may hold a password.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.values.fmt(f)
    }
}
