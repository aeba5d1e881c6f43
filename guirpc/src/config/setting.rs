//! What is known of a setting, and what it takes.

use std::time::Duration;

use super::Side;
use super::address::listening_address;
use super::client::CLIENT;
use super::server::SERVER;
use super::value::Choice;

/// A setting; its name is that in a TOML file, and with other letters that of its flag and its variable.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    /// Above the group that it stands in.
    pub(crate) heading: &'static str,
    pub(crate) kind: Kind,
    /// Its default as it is shown; empty if nothing stands for it.
    pub(crate) default: fn() -> String,
    /// What it does, as `--help` says it.
    pub(crate) help: &'static str,
    /// Its names in an INI file: the section without `server` or `client`, a dot, and the key.
    pub(crate) ini: &'static [&'static str],
}

/// What a setting takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// An AMQP URI, which may hold a password and is never shown.
    Uri,
    /// Any text, also none.
    Text,
    /// A text; none is as good as left out in an INI file.
    Name,
    /// Names, with commas between them.
    Names,
    /// A number from 1 to this one.
    Count(u64),
    /// Such numbers by name, as `a=1,b=2`.
    Counts(u64),
    /// A number of bytes.
    Bytes,
    /// A duration such as `30s`.
    Time,
    /// `true` or `false`.
    YesNo,
    /// A level of the log, or levels by target.
    LogFilter,
    /// Where to listen: `HOST:PORT`, or a port.
    Address,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// The parts of the broker's URI, as an INI file has them.
pub(super) const CONNECTION: &[&str] = &[
    "connection.host",
    "connection.port",
    "connection.user",
    "connection.password",
    "connection.vhost",
    "connection.virtual_host",
];

impl Setting {
    /// The variable of the environment that sets it.
    pub(crate) fn variable(&self) -> String {
        match self.kind {
            Kind::Uri => "AMQP_URI".to_owned(),
            _ => format!("GUIRPC_{}", self.name.to_ascii_uppercase()),
        }
    }

    /// Its flag, without the dashes in front.
    pub(crate) fn flag(&self) -> String {
        self.name.replace('_', "-")
    }
}

/// The levels of a log, from the quietest.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

impl Kind {
    /// One of the names of these values.
    pub(super) const fn one_of<T: Choice>() -> Self {
        Kind::OneOf(T::NAMES)
    }

    /// Whether this is one.
    pub(crate) fn accepts(self, text: &str) -> bool {
        let is_number = |least, most| text.parse::<u64>().is_ok_and(|number| (least..=most).contains(&number));
        match self {
            Kind::Uri | Kind::Text | Kind::Name => true,
            Kind::Names => text.split(',').all(|name| !name.is_empty()),
            Kind::Count(most) => is_number(1, most),
            Kind::Counts(most) => text.split(',').all(|pair| match pair.split_once('=') {
                Some((name, number)) => !name.is_empty() && Kind::Count(most).accepts(number),
                None => false,
            }),
            Kind::Bytes => is_number(0, usize::MAX as u64),
            Kind::Time => text.parse::<humantime::Duration>().is_ok(),
            Kind::YesNo => matches!(text, "true" | "false"),
            Kind::LogFilter => text.split(',').all(|part| {
                let (target, level) = part.split_once('=').unwrap_or(("any", part));
                let is_path = target.chars().all(|c| c.is_alphanumeric() || "_:-.".contains(c));
                is_path && !target.is_empty() && LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level))
            }),
            Kind::Address => listening_address(text).is_some(),
            Kind::OneOf(choices) => choices.contains(&text),
        }
    }

    /// What is expected, to follow "is".
    pub(crate) fn expected(self) -> String {
        match self {
            Kind::Uri => "the broker's URI".to_owned(),
            Kind::Text | Kind::Name => "a text".to_owned(),
            Kind::Names => "a name, or several".to_owned(),
            Kind::Count(most) => format!("a whole number from 1 to {most}"),
            Kind::Counts(most) => format!("a name and a whole number from 1 to {most}, as `name=1`, or several"),
            Kind::Bytes => "a number of bytes".to_owned(),
            Kind::Time => format!("a time such as `{}`", humantime::format_duration(Duration::from_secs(90))),
            Kind::YesNo => "`true` or `false`".to_owned(),
            Kind::LogFilter => format!(
                "a level (`{}`), or `TARGET=LEVEL`, or several with commas between them, as `info,my_crate=debug`",
                LEVELS.join("`, `")
            ),
            Kind::Address => {
                "an address to listen at, as `0.0.0.0:9100`, or a port, which is one of 127.0.0.1".to_owned()
            }
            Kind::OneOf(choices) => format!("one of `{}`", choices.join("`, `")),
        }
    }
}

impl Side {
    /// What begins the names of its sections.
    pub(crate) fn section(self) -> &'static str {
        match self {
            Side::Server => "server",
            Side::Client => "client",
        }
    }

    pub(crate) fn settings(self) -> &'static [Setting] {
        match self {
            Side::Server => SERVER,
            Side::Client => CLIENT,
        }
    }

    /// The setting of this name.
    pub(crate) fn setting(self, name: &str) -> Option<&'static Setting> {
        self.settings().iter().find(|setting| setting.name == name)
    }

    /// The section and the key that a setting's name in an INI file means.
    pub(super) fn ini_key(self, name: &str) -> (String, &str) {
        match name.split_once('.') {
            Some((section, key)) => (format!("{}.{section}", self.section()), key),
            None => (self.section().to_owned(), name),
        }
    }

    /// The variables that name its file; the first that is set counts.
    pub(crate) fn file_variables(self) -> [&'static str; 3] {
        match self {
            Side::Server => ["GUIRPC_CONFIG", "CONSUMER_CONFIG", "CONSUMER_CONFIG_FILEPATH"],
            Side::Client => ["GUIRPC_CONFIG", "PRODUCER_CONFIG", "PRODUCER_CONFIG_FILEPATH"],
        }
    }
}
