//! What the library's code does not name.

use crate::source::{Source, sources};

/// The library's files that lie in none of these modules and are such.
fn elsewhere(modules: &[&str], is_such: impl Fn(&Source) -> bool) -> Vec<String> {
    let sources = sources("guirpc/src");
    for module in modules {
        assert!(sources.iter().any(|source| source.is_in(module)), "there is no {module}");
    }
    let elsewhere = sources.into_iter().filter(|source| !modules.iter().any(|module| source.is_in(module)));
    elsewhere.filter(is_such).map(|source| source.path).collect()
}

/// Files of the library that name a crate of which nothing may show.
fn that_name(token: &str) -> Vec<Source> {
    let sources: Vec<Source> = sources("guirpc/src").into_iter().filter(|source| source.contains(token)).collect();
    assert!(!sources.is_empty(), "nothing names {token}: the test looks for the wrong thing");
    sources
}

const NONE: [&str; 0] = [];

#[test]
fn only_broker_names_amiquip() {
    assert_eq!(elsewhere(&["guirpc/src/broker"], |source| source.contains("amiquip")), NONE);
}

#[test]
fn only_codec_names_rmp_serde() {
    let names = |source: &Source| source.contains("rmp_serde") || source.contains("rmp");
    assert_eq!(elsewhere(&["guirpc/src/codec"], names), NONE);
}

/// By what it is called after `pub(crate) use amiquip::X as`, and where nothing public may be declared.
fn alias(tokens: &[String]) -> Option<&str> {
    match tokens {
        [public, open, reach, close, using, krate, _, _, _, renamed, alias, ..]
            if [public, open, reach, close, using, krate] == ["pub", "(", "crate", ")", "use", "amiquip"]
                && renamed == "as" =>
        {
            Some(alias)
        }
        _ => None,
    }
}

#[test]
fn neither_shows_in_a_public_signature() {
    let mut with_their_types: Vec<Source> = that_name("amiquip");
    let aliases: Vec<String> = with_their_types
        .iter()
        .flat_map(|source| source.tokens.windows(11).filter_map(alias))
        .map(str::to_owned)
        .collect();
    assert!(!aliases.is_empty(), "the broker passes notes of amiquip's on, under names of its own");
    with_their_types.extend(aliases.iter().flat_map(|alias| that_name(alias)));
    with_their_types.extend(that_name("rmp_serde"));
    for source in with_their_types {
        // Where nothing is public, there is no signature in which it could show …
        assert!(
            !source.has_public_items() || source.path == "guirpc/src/broker.rs",
            "{} has public items",
            source.path
        );
        // … except that of an implementation, which no `pub` precedes, for a type from elsewhere.
        let for_own_type = |header: &&[String]| {
            let name = header.iter().skip_while(|token| *token != "for").nth(1);
            name.is_some_and(|name| source.contains(&format!("struct {name}")))
        };
        let implementations = source.tokens.split(|token| token == "{").filter_map(implementation);
        for header in implementations.filter(|header| !for_own_type(header)) {
            let theirs = |token: &&String| *token == "amiquip" || *token == "rmp_serde" || aliases.contains(token);
            assert_eq!(header.iter().find(theirs), None, "{}: impl {}", source.path, header.join(" "));
        }
    }
}

#[test]
fn opentelemetry_shows_in_no_public_signature() {
    let is_theirs = |token: &String| token.starts_with("opentelemetry") || token.ends_with("_opentelemetry");
    let names = |source: &Source| source.tokens.iter().any(is_theirs);
    assert_eq!(elsewhere(&["guirpc/src/trace", "guirpc/src/app/export"], names), NONE);
    for source in that_name("opentelemetry") {
        assert!(!source.has_public_items(), "{} has public items", source.path);
    }
}

/// What stands between the last `impl` and the brace.
fn implementation(tokens: &[String]) -> Option<&[String]> {
    let start = tokens.iter().rposition(|token| token == "impl")?;
    Some(&tokens[start..])
}

#[test]
fn nothing_in_the_library_names_what_is_there_for_expansions() {
    let is_private = |token: &String| token.starts_with("__private") || token == "private";
    let naming = elsewhere(&["guirpc/src/lib"], |source| source.tokens.iter().any(is_private));
    assert_eq!(naming, NONE);
}

#[test]
fn the_library_ends_no_process() {
    let ends = ["process :: exit", "process :: abort", "process :: ExitCode"].map(|path| path.replace("::", ": :"));
    let app = ["guirpc/src/app", "guirpc/src/exit", "guirpc/src/lib", "guirpc/src/private"];
    assert_eq!(elsewhere(&app, |source| ends.iter().any(|end| source.contains(end))), NONE);
    assert_eq!(elsewhere(&app, |source| source.contains("signal_hook")), NONE);
}

/// Whatever is logged goes the one way on which it is shortened and escaped.
#[test]
fn only_log_writes_to_the_log() {
    let names = |source: &Source| source.contains("tracing");
    assert_eq!(elsewhere(&["guirpc/src/log", "guirpc/src/trace", "guirpc/src/app"], names), NONE);
    // There spans are made, and here the log is installed; nothing is written to it past those macros either.
    let is_other = |source: &&Source| source.is_in("guirpc/src/trace") || source.is_in("guirpc/src/app");
    for source in sources("guirpc/src").iter().filter(is_other) {
        for event in ["event", "error", "warn", "info", "debug", "trace"] {
            assert!(!source.contains(&format!("tracing : : {event} !")), "{} logs by `{event}!`", source.path);
            assert!(!source.contains(&format!("use tracing : : {event}")), "{} uses `{event}!`", source.path);
        }
        assert!(!source.contains("use tracing : : {"), "{}: one by one, so that it is seen", source.path);
    }
}

#[test]
fn the_library_installs_no_logger() {
    let installs = |source: &Source| source.contains("tracing_subscriber") || source.contains("set_global_default");
    assert_eq!(elsewhere(&["guirpc/src/app"], installs), NONE);
}

#[test]
fn there_is_one_clock_outside_dispatch() {
    // It takes the time as an argument, so that deadlines are tested without waiting.
    let dispatch = sources("guirpc/src").into_iter().filter(|source| source.is_in("guirpc/src/dispatch"));
    for source in dispatch {
        assert!(!source.contains("SystemTime : : now") && !source.contains("Instant : : now"), "{}", source.path);
    }
}
