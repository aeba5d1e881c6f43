//! A file of the Python original, read as its `configparser` reads it.
//!
//! Such a file means the dialect of the original, unless it says otherwise.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;

use configparser::ini::{Ini, IniDefault};

use super::errors::{invalid, no_section, unknown_name};
use super::layer::Layer;
use crate::config::{Kind, Setting, Side};
use crate::error::Error;

mod connection;
mod interpolation;

/// Keys of the original that set nothing here, named as those of settings are.
const UNUSED: &[&str] = &[
    "verbose_name",
    "root",
    "options.response_consumer",
    // A client of the original may have them, and does not use them either.
    "amqp_entities.queue",
    "amqp_entities.exchange_type",
];

/// Where keys stand that are shared by all sections, as in Python.
const DEFAULTS: &str = "default";

/// The settings of one side in the text.
pub(super) fn layer(text: &str, file: &dyn Display, side: Side) -> Result<Layer, Error> {
    let ini = Sections::read(text, file)?;
    for section in ini.0.keys().filter(|section| *section != DEFAULTS) {
        check(section, &ini.0[section], file)?;
    }
    let is_of = |section: &String, side: Side| section.split('.').next() == Some(side.section());
    if !ini.0.keys().any(|section| is_of(section, side)) {
        return if ini.0.is_empty() { Ok(Layer::default()) } else { Err(no_section(side, file)) };
    }
    let mut layer = Layer::default();
    for setting in side.settings() {
        match setting.kind {
            Kind::Uri => connection::set(&mut layer, setting, &ini, file, side)?,
            _ => set(&mut layer, setting, &ini, file, side)?,
        }
    }
    let dialect = side.setting("dialect").expect("there is a setting of this name");
    layer.set(dialect, "python", &format!("{file}, which is an INI file"));
    Ok(layer)
}

/// Takes the setting from the first of its keys that is there; two that differ are a mistake.
fn set(layer: &mut Layer, setting: &Setting, ini: &Sections, file: &dyn Display, side: Side) -> Result<(), Error> {
    let mut taken: Option<String> = None;
    for name in setting.ini {
        let (section, key) = side.ini_key(name);
        let Some(value) = ini.value(&section, key, file)? else { continue };
        // An empty routing key is one; everything else that is empty is as good as left out.
        if value.is_empty() && !matches!(setting.kind, Kind::Text) {
            continue;
        }
        let origin = format!("`{key}` in [{section}] of {file}");
        if taken.as_ref().is_some_and(|taken| *taken != value) {
            let other = layer.entry(setting.name).map_or("another", |entry| entry.origin.as_str());
            return Err(invalid(format!("{origin} is not what {other} is, and they mean the same: leave one out")));
        }
        layer.set(setting, &value, &origin);
        taken = Some(value);
    }
    Ok(())
}

/// Every key is one that we or the original know.
fn check(section: &str, keys: &HashMap<String, Option<String>>, file: &dyn Display) -> Result<(), Error> {
    let known = |side: Side| {
        let settings = side.settings().iter().flat_map(|setting| setting.ini);
        settings.chain(UNUSED).map(move |name| side.ini_key(name))
    };
    let known: Vec<(String, &str)> = known(Side::Server).chain(known(Side::Client)).collect();
    if known.iter().all(|(name, _)| name != section) {
        let mut names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        return Err(unknown_name("section", section, names.into_iter(), &file.to_string()));
    }
    let mut here: Vec<&str> = known.iter().filter(|(name, _)| name == section).map(|(_, key)| *key).collect();
    here.sort_unstable();
    here.dedup();
    match keys.keys().filter(|key| !here.contains(&key.as_str())).min() {
        None => Ok(()),
        Some(key) => Err(unknown_name("key", key, here.into_iter(), &format!("[{section}] of {file}"))),
    }
}

/// A section or a key that is there twice is an error, as in Python: which of the two is meant nobody knows.
fn refuse_duplicates(text: &str, file: &dyn Display) -> Result<(), Error> {
    let mut section = String::new();
    let mut sections = HashSet::new();
    let mut keys = HashSet::new();
    for (line, number) in text.lines().zip(1..) {
        let is_continued = line.starts_with([' ', '\t']) && !keys.is_empty();
        let line = line.trim();
        if is_continued || line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            section = name.0.to_lowercase();
            if !sections.insert(section.clone()) && section != DEFAULTS {
                return Err(invalid(format!("[{}] is in {file} a second time, in line {number}: join them", name.0)));
            }
            keys.retain(|(of, _): &(String, String)| *of == section);
            continue;
        }
        let key = line.split(['=', ':']).next().unwrap_or_default().trim().to_lowercase();
        if !keys.insert((section.clone(), key.clone())) {
            let message =
                format!("`{key}` in [{section}] of {file} is there a second time, in line {number}: leave one out");
            return Err(invalid(message));
        }
    }
    Ok(())
}

/// The sections of a file, with their keys and values as they stand there.
pub(super) struct Sections(HashMap<String, HashMap<String, Option<String>>>);

impl Sections {
    pub(super) fn read(text: &str, file: &dyn Display) -> Result<Self, Error> {
        refuse_duplicates(text, file)?;
        let mut rules = IniDefault::default();
        // Where keys go that stand before the first section.
        rules.default_section = String::new();
        rules.multiline = true;
        rules.enable_inline_comments = false;
        let sections = Ini::new_from_defaults(rules).read(text.to_owned());
        let mut sections = sections.map_err(|why| invalid(format!("{file} cannot be read as INI: {why}")))?;
        if let Some(key) = sections.remove("").and_then(|keys| keys.into_keys().min()) {
            return Err(invalid(format!("`{key}` in {file} stands before the first section, such as `[server]`")));
        }
        Ok(Sections(sections))
    }

    /// What the key is set to; a key without a value is set to nothing.
    pub(super) fn value(&self, section: &str, key: &str, file: &dyn Display) -> Result<Option<String>, Error> {
        let Some(keys) = self.0.get(section) else { return Ok(None) };
        let lookup = |key: &str| keys.get(key).or_else(|| self.0.get(DEFAULTS)?.get(key)).map(Option::as_deref);
        let Some(value) = lookup(key) else { return Ok(None) };
        let value = interpolation::expand(value.unwrap_or_default(), &|key| lookup(key).map(Option::unwrap_or_default));
        value.map(Some).map_err(|why| invalid(format!("`{key}` in [{section}] of {file}: {why}")))
    }
}
