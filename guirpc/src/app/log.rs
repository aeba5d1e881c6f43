//! The log of a service, on the standard error output.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal};

use tracing::Dispatch;
use tracing::Event;
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use super::output::Output;
use crate::config::LogFormat;
use crate::scope::Scope;
use crate::trace::TARGET;

/// A log that writes what passes the filter, beside what takes up spans.
pub(super) fn of(filter: &str, format: LogFormat, exporter: Option<BoxedLayer>) -> Dispatch {
    let log = tracing_subscriber::fmt::layer().with_ansi(is_coloured()).with_writer(Output::new(io::stderr()));
    let log = match format {
        LogFormat::Json => log.json().flatten_event(true).map_event_format(WithTrace).boxed(),
        LogFormat::Text => log.boxed(),
    };
    let layers: Vec<BoxedLayer> = exporter.into_iter().chain([log.with_filter(targets(filter)).boxed()]).collect();
    tracing_subscriber::registry().with(layers).into()
}

pub(super) type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Lines in JSON, with the ids of the trace that they belong to and of the span in it: that of the function's run if it is
/// exported, else that of its caller.
struct WithTrace<F>(F);

impl<S, N, F> FormatEvent<S, N> for WithTrace<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let scope = Scope::current();
        let Some((trace, span)) = scope.trace().ids() else { return self.0.format_event(context, to, event) };
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        match line.trim_end().strip_suffix('}') {
            Some(object) => writeln!(to, "{object},\"trace_id\":\"{trace}\",\"span_id\":\"{span}\"}}"),
            None => to.write_str(&line),
        }
    }
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
    let names_spans = filter.split(',').any(|part| part.starts_with(TARGET));
    // The spans of calls are for exporters: they cost nothing if nothing is exported.
    let targets = if names_spans { targets } else { targets.with_target(TARGET, LevelFilter::OFF) };
    targets.with_target(CLIENT_LIBRARY, LevelFilter::OFF)
}

/// It logs what we say better ourselves, at a higher level than it deserves, and the password at the lowest.
pub(super) const CLIENT_LIBRARY: &str = "amiquip";

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
    fn spans_of_calls_are_there_for_a_filter_that_names_them_only() {
        for filter in ["trace", "info,guirpc=trace"] {
            assert!(!targets(filter).would_enable(TARGET, &Level::INFO), "{filter}");
        }
        assert!(targets("info,guirpc::trace=info").would_enable(TARGET, &Level::INFO));
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
