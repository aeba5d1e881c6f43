//! A file of settings: TOML in our own names, or INI in those of the original.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

use super::errors::{invalid, no_section, unknown_name};
use super::ini;
use super::layer::Layer;
use super::own::{self, OwnSection};
use crate::config::Side;
use crate::error::Error;

/// Reads one side's settings from the file, and the section that is the program's own.
pub(super) fn read(path: &Path, side: Side) -> Result<(Layer, OwnSection), Error> {
    parse(&text(path)?, kind(path)?, &path.display(), side)
}

pub(super) fn parse(text: &str, kind: FileKind, file: &dyn Display, side: Side) -> Result<(Layer, OwnSection), Error> {
    match kind {
        FileKind::Toml => toml(text, file, side),
        FileKind::Ini => Ok((ini::layer(text, file, side)?, OwnSection::default())),
    }
}

pub(super) fn text(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| {
        invalid(format!("cannot read the settings in `{}`: {error}", path.display())).with_source(error)
    })
}

/// How a file is written, by the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Toml,
    Ini,
}

pub(super) fn kind(path: &Path) -> Result<FileKind, Error> {
    let end = path.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
    match end.as_deref() {
        Some("toml") => Ok(FileKind::Toml),
        Some("ini" | "cfg" | "conf") => Ok(FileKind::Ini),
        _ => Err(invalid(format!(
            "`{}` is no file of settings: its name ends in `.toml`, or in `.ini` for one of the Python original",
            path.display()
        ))),
    }
}

fn toml(text: &str, file: &dyn Display, side: Side) -> Result<(Layer, OwnSection), Error> {
    let mut sections = tables(text, file)?;
    for (name, value) in &sections {
        if !value.is_table() {
            let section = [Side::Server, Side::Client].into_iter().find(|side| side.setting(name).is_some());
            let section = section.map_or("server", Side::section);
            return Err(invalid(format!(
                "`{name}` in {file} stands in no section: settings stand below `[{section}]`"
            )));
        }
    }
    let own = OwnSection::take(&mut sections, file);
    let theirs = [Side::Server, Side::Client].map(Side::section);
    if let Some(unknown) = sections.keys().find(|name| !theirs.contains(&name.as_str())) {
        return Err(unknown_name("section", unknown, theirs.into_iter().chain([own::SECTION]), &format!("{file}")));
    }
    let ours = sections.remove(side.section());
    if ours.is_none() && !sections.is_empty() {
        return Err(no_section(side, file));
    }
    let mut layer = Layer::default();
    let Some(Value::Table(settings)) = ours else { return Ok((layer, own)) };
    let place = format!("[{}] of {file}", side.section());
    for (name, value) in settings {
        let setting = side.setting(&name).ok_or_else(|| {
            unknown_name("setting", &name, side.settings().iter().map(|setting| setting.name), &place)
        })?;
        let value = scalar(&value).ok_or_else(|| {
            invalid(format!("`{name}` is {}, not a table or a list: {place}", setting.kind.expected()))
        })?;
        layer.set(setting, &value, &format!("`{name}` in {place}"));
    }
    Ok((layer, own))
}

fn tables(text: &str, file: &dyn Display) -> Result<Table, Error> {
    text.parse().map_err(|error: toml::de::Error| {
        // Its own text shows the line, which may have a password in it.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        invalid(format!("{file} cannot be read as TOML: line {line}: {}", error.message()))
    })
}

/// A value as text; a list of texts with commas between them.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        Value::Datetime(time) => Some(time.to_string()),
        Value::Array(values) => {
            let values: Option<Vec<String>> = values.iter().map(scalar).collect();
            Some(values?.join(","))
        }
        Value::Table(_) => None,
    }
}
