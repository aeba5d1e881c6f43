//! The log of a service, on the standard error output.

use std::env;
use std::io::{self, IsTerminal};

use tracing::Dispatch;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;

use super::output::Output;
use crate::config::LogFormat;

/// A log that writes what passes the filter.
pub(super) fn of(filter: &str, format: LogFormat) -> Dispatch {
    let log = tracing_subscriber::fmt::layer().with_ansi(is_coloured()).with_writer(Output::new(io::stderr()));
    let log = match format {
        LogFormat::Json => log.json().flatten_event(true).boxed(),
        LogFormat::Text => log.boxed(),
    };
    tracing_subscriber::registry().with(log.with_filter(targets(filter))).into()
}

/// Colours are for terminals, unless the user wants none (<https://no-color.org>).
fn is_coloured() -> bool {
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !no_color && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The targets and levels of a filter that the setting `log` accepts.
fn targets(filter: &str) -> Targets {
    let level = |text: &str| text.parse().unwrap_or(LevelFilter::INFO);
    let targets = filter.split(',').fold(Targets::new(), |targets, part| match part.split_once('=') {
        Some((target, _)) if target.starts_with(CLIENT_LIBRARY) => targets,
        Some((target, text)) => targets.with_target(target, level(text)),
        None => targets.with_default(level(part)),
    });
    targets.with_target(CLIENT_LIBRARY, LevelFilter::OFF)
}

/// It logs what we say better ourselves, at a higher level than it deserves, and the password at the lowest.
const CLIENT_LIBRARY: &str = "amiquip";

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_target_has_a_level_of_its_own() {
        let targets = targets("warn,my_crate=debug,my_crate::noisy=off");
        assert!(targets.would_enable("elsewhere", &Level::WARN) && !targets.would_enable("elsewhere", &Level::INFO));
        assert!(targets.would_enable("my_crate::module", &Level::DEBUG));
        assert!(!targets.would_enable("my_crate::noisy", &Level::ERROR));
    }

    #[test]
    fn without_a_level_for_the_rest_the_rest_is_silent() {
        assert!(!targets("my_crate=info").would_enable("elsewhere", &Level::ERROR));
    }

    #[test]
    fn the_client_library_which_logs_passwords_is_silent_whatever_the_filter_says() {
        for filter in ["trace", "amiquip=trace", "amiquip::handshake_state=debug,info"] {
            assert!(!targets(filter).would_enable("amiquip::handshake_state", &Level::ERROR), "{filter}");
        }
    }
}
