//! What a setting is set to: read from a text, and shown as one.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{ExchangeType, LogFormat, QueueType, UnknownArguments};
use crate::message::Dialect;

/// A century is as good as for ever, and no clock overflows when it is added.
pub(crate) const LONGEST_TIME: Duration = Duration::from_hours(100 * 365 * 24);

/// The type of a setting.
pub(crate) trait Value: Sized {
    /// Reads what the setting's kind accepts.
    fn read(text: &str) -> Option<Self>;

    /// As it would be written; nothing if it is not set.
    fn show(&self) -> String;
}

macro_rules! written_as_displayed {
    ($($ty:ty),+) => {
        $(impl Value for $ty {
            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn show(&self) -> String {
                self.to_string()
            }
        })+
    };
}

written_as_displayed!(String, bool, usize, u8, u16, u32);

impl Value for Duration {
    fn read(text: &str) -> Option<Self> {
        Some(Duration::from(text.parse::<humantime::Duration>().ok()?).min(LONGEST_TIME))
    }

    fn show(&self) -> String {
        humantime::format_duration(*self).to_string()
    }
}

impl<T: Value> Value for Option<T> {
    fn read(text: &str) -> Option<Self> {
        T::read(text).map(Some)
    }

    fn show(&self) -> String {
        self.as_ref().map(T::show).unwrap_or_default()
    }
}

/// Several, with commas between them.
impl Value for Vec<String> {
    fn read(text: &str) -> Option<Self> {
        Some(text.split(',').map(str::to_owned).collect())
    }

    fn show(&self) -> String {
        self.join(",")
    }
}

/// Several by name, as `a=1,b=2`.
impl<T: Value> Value for BTreeMap<String, T> {
    fn read(text: &str) -> Option<Self> {
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=')?;
            Some((name.to_owned(), T::read(value)?))
        };
        text.split(',').map(pair).collect()
    }

    fn show(&self) -> String {
        self.iter().map(|(name, value)| format!("{name}={}", value.show())).collect::<Vec<_>>().join(",")
    }
}

/// A value that is one of few.
pub(crate) trait Choice: Copy + PartialEq + 'static {
    /// How they are written.
    const NAMES: &'static [&'static str];
    /// What they are, in the same order.
    const VALUES: &'static [Self];
}

macro_rules! choices {
    ($ty:ident: $($name:literal = $variant:ident),+) => {
        impl Choice for $ty {
            const NAMES: &'static [&'static str] = &[$($name),+];
            const VALUES: &'static [Self] = &[$($ty::$variant),+];
        }

        impl Value for $ty {
            fn read(text: &str) -> Option<Self> {
                let position = Self::NAMES.iter().position(|name| *name == text)?;
                Some(Self::VALUES[position])
            }

            fn show(&self) -> String {
                let position = Self::VALUES.iter().position(|value| value == self);
                position.map(|position| Self::NAMES[position].to_owned()).unwrap_or_default()
            }
        }
    };
}

choices!(Dialect: "native" = Native, "python" = Python);
choices!(ExchangeType: "direct" = Direct, "fanout" = Fanout, "topic" = Topic);
choices!(QueueType: "classic" = Classic, "quorum" = Quorum);
choices!(UnknownArguments: "ignore" = Ignore, "refuse" = Refuse);
choices!(LogFormat: "text" = Text, "json" = Json);
