//! The lines that guirpc logs: each is one line and has an end, whatever a stranger has put into it.
//!
//! Names, ids and messages in them come from callers, services and brokers. So everything that is logged goes through
//! these macros, which have the syntax of those of `tracing` as far as it is needed here: fields and a text, escaped and
//! shortened. It is independent of who writes the log.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use tracing::field::{DebugValue, DisplayValue};

#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "lanes are a server's"))]
mod lane;
mod reminder;

#[cfg_attr(not(feature = "server"), allow(unused_imports, reason = "lanes are a server's"))]
pub(crate) use lane::{Lane, in_same_lane};
pub(crate) use reminder::Reminder;

/// How much is shown of a field, and of a text with all that is in it, in bytes.
const LONGEST_FIELD: usize = 1024;
const LONGEST_TEXT: usize = 4096;

/// One line of the log: `event!(WARN [] function, status = 4, "failed: {why}")`.
///
/// What OpenTelemetry has a name for is written by that; the lane of the thread stands in each line.
macro_rules! event {
    ($level:ident [$($fields:tt)*] $text:literal $($arguments:tt)*) => {
        tracing::event!(
            tracing::Level::$level,
            $($fields)*
            lane = $crate::log::Field::logged(&$crate::log::Lane::current()),
            "{}",
            $crate::log::text(format_args!($text $($arguments)*))
        )
    };
    ($level:ident [$($fields:tt)*] $name:ident = $value:expr, $($rest:tt)*) => {
        $crate::log::event!(@as $name $level [$($fields)*] ($value) $($rest)*)
    };
    ($level:ident [$($fields:tt)*] $name:ident, $($rest:tt)*) => {
        $crate::log::event!(@as $name $level [$($fields)*] ($name) $($rest)*)
    };
    (@as correlation_id $($line:tt)*) => { $crate::log::event!(@field (messaging.message.conversation_id) $($line)*) };
    (@as status $level:ident [$($fields:tt)*] ($value:expr) $($rest:tt)*) => {
        $crate::log::event!(@field (rpc.response.status_code) $level [$($fields)*] ($crate::log::Code::code(&$value)) $($rest)*)
    };
    (@as thread $($line:tt)*) => { $crate::log::event!(@field (thread.name) $($line)*) };
    (@as $name:ident $($line:tt)*) => { $crate::log::event!(@field ($name) $($line)*) };
    (@field ($($name:tt)+) $level:ident [$($fields:tt)*] ($value:expr) $($rest:tt)*) => {
        $crate::log::event!($level [$($fields)* $($name)+ = $crate::log::Field::logged(&$value),] $($rest)*)
    };
}

macro_rules! levels {
    ($dollar:tt $($name:ident as $exported:ident $level:ident,)*) => {
        $(
            #[allow(unused_macros, reason = "not every level is needed with every feature")]
            macro_rules! $name {
                ($dollar($dollar line:tt)*) => { $crate::log::event!($level [] $dollar($dollar line)*) };
            }
            #[allow(unused_imports, reason = "not every level is needed with every feature")]
            pub(crate) use $name as $exported;
        )*
    };
}

levels! { $ log_debug as debug DEBUG, log_info as info INFO, log_warn as warn WARN, log_error as error ERROR, }
pub(crate) use event;

/// Whether anybody may want lines of the level DEBUG.
#[cfg(feature = "server")]
pub(crate) fn is_debugged() -> bool {
    tracing::level_enabled!(tracing::Level::DEBUG)
}

/// What may be a field, as it is logged.
pub(crate) trait Field {
    type Logged: tracing::Value;

    fn logged(&self) -> Self::Logged;
}

macro_rules! plain {
    ($($type:ty)*) => {
        $(impl Field for $type {
            type Logged = $type;

            fn logged(&self) -> $type {
                *self
            }
        })*
    };
}

plain! { bool u16 u32 u64 usize }

impl Field for str {
    type Logged = String;

    fn logged(&self) -> String {
        Shortened { of: format_args!("{self}"), longest: LONGEST_FIELD }.to_string()
    }
}

impl Field for String {
    type Logged = String;

    fn logged(&self) -> String {
        self.as_str().logged()
    }
}

/// Without quotation marks.
impl Field for fmt::Arguments<'_> {
    type Logged = DisplayValue<String>;

    fn logged(&self) -> Self::Logged {
        tracing::field::display(self.to_string().logged())
    }
}

impl Field for Duration {
    type Logged = DebugValue<Duration>;

    fn logged(&self) -> Self::Logged {
        tracing::field::debug(*self)
    }
}

impl<T: Field + ?Sized> Field for &T {
    type Logged = T::Logged;

    fn logged(&self) -> T::Logged {
        (**self).logged()
    }
}

impl<T: Field> Field for Option<T> {
    type Logged = Option<T::Logged>;

    fn logged(&self) -> Self::Logged {
        self.as_ref().map(Field::logged)
    }
}

/// A status, which is a text for OpenTelemetry.
#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "replies are a server's"))]
pub(crate) trait Code {
    fn code(&self) -> Option<String>;
}

impl Code for u16 {
    fn code(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Code for Option<u16> {
    fn code(&self) -> Option<String> {
        self.as_ref().map(ToString::to_string)
    }
}

impl<T: Code> Code for &T {
    fn code(&self) -> Option<String> {
        (**self).code()
    }
}

/// The text of a line.
pub(crate) fn text(of: fmt::Arguments<'_>) -> impl Display {
    Shortened { of, longest: LONGEST_TEXT }
}

/// What is formatted, without what would end the line or steer a terminal, and not much longer than this.
struct Shortened<'a> {
    of: fmt::Arguments<'a>,
    longest: usize,
}

impl Display for Shortened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = Shortening { to: f, left: self.longest, omitted: 0 };
        writer.write_fmt(self.of)?;
        match writer.omitted {
            0 => Ok(()),
            omitted => write!(f, "… ({omitted} more bytes)"),
        }
    }
}

struct Shortening<'f, 'b> {
    to: &'f mut fmt::Formatter<'b>,
    left: usize,
    omitted: usize,
}

impl Write for Shortening<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let shown = if self.omitted == 0 { text.floor_char_boundary(self.left) } else { 0 };
        let (shown, rest) = text.split_at(shown);
        self.left -= shown.len();
        self.omitted += rest.len();
        shown.chars().try_for_each(|character| {
            if steers(character) {
                write!(self.to, "{}", character.escape_default())
            } else {
                self.to.write_char(character)
            }
        })
    }
}

/// Whether a character does something else than to be seen: ends a line, moves a cursor, turns the direction of a text.
pub(crate) fn steers(character: char) -> bool {
    let turns = '\u{202a}'..='\u{202e}';
    let isolates = '\u{2066}'..='\u{2069}';
    character.is_control()
        || turns.contains(&character)
        || isolates.contains(&character)
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field as Recorded, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;

    /// What was logged, field by field.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<(String, String)>>>);

    impl Visit for Lines {
        fn record_debug(&mut self, field: &Recorded, value: &dyn fmt::Debug) {
            self.0.lock().unwrap().push((field.to_string(), format!("{value:?}")));
        }

        fn record_str(&mut self, field: &Recorded, value: &str) {
            self.0.lock().unwrap().push((field.to_string(), value.to_owned()));
        }
    }

    impl Subscriber for Lines {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            event.record(&mut self.clone());
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn whatever_a_line_holds_it_is_one_line_and_has_an_end() {
        let lines = Lines::default();
        let forged = format!("a\n2026-01-01 ERROR all is lost\u{202e}{}", "ü".repeat(1 << 20));
        let (function, correlation_id, status) = (&forged, Some(forged.clone()), Some(422_u16));
        tracing::subscriber::with_default(lines.clone(), || {
            warn!(function, correlation_id, status, size = None::<u64>, "failed: {}: {forged}", function);
        });
        let logged = lines.0.lock().unwrap();
        let fields: Vec<&str> = logged.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(fields, ["message", "function", "messaging.message.conversation_id", "rpc.response.status_code"]);
        for (name, value) in logged.iter() {
            assert!(value.len() < LONGEST_TEXT + 200 && !value.chars().any(steers), "{name}: {value}");
        }
        assert!(logged[1].1.starts_with(r"a\n2026-01-01 ERROR all is lost\u{202e}üü"), "{logged:?}");
        assert!(logged[1].1.ends_with(" more bytes)") && logged[1].1.len() < LONGEST_FIELD + 50, "{logged:?}");
        assert_eq!(logged[3].1, "422");
    }

    #[test]
    fn what_is_short_and_plain_stays_as_it_is() {
        assert_eq!("tea ü 茶".logged(), "tea ü 茶");
        assert_eq!(text(format_args!("{}-{}", "a", 1)).to_string(), "a-1");
        let longest = "x".repeat(LONGEST_FIELD);
        assert_eq!(longest.logged(), longest);
        assert_eq!(format!("{longest}ü").logged(), format!("{longest}… (2 more bytes)"));
    }
}
