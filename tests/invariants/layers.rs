//! Arrows point down only: what the modules of the library may name.

use crate::source::{Source, sources};

/// The modules of the library from the ground up: each names only those before it.
const ORDER: [&str; 29] = [
    // What is said and what goes wrong.
    "log",
    "message",
    "error",
    "health",
    "trace",
    "scope",
    "context",
    // From arguments to bytes, and what the attribute makes of a function.
    "arguments",
    "codec",
    "function",
    "invocation",
    "registry",
    "contract",
    "dispatch",
    // Settings, and what is counted.
    "config",
    "metrics",
    "statistics",
    // The broker, and the two sides of it.
    "broker",
    "client",
    "dead_letters",
    "control",
    "inspect",
    "server",
    "embedded",
    // What programs run.
    "exit",
    "testing",
    "app",
    "private",
    // What the fuzz targets take apart.
    "fuzzing",
];

/// The modules that a file names, by paths that begin with `crate`.
fn named(source: &Source) -> impl Iterator<Item = &str> {
    let tokens = source.tokens.as_slice();
    let starts = (0..tokens.len()).filter(|at| tokens[*at..].starts_with(&["crate", ":", ":"].map(str::to_owned)));
    starts.map(|start| tokens[start + 3].as_str())
}

#[test]
fn a_module_names_only_what_lies_below_it() {
    let sources = sources("guirpc/src");
    for (place, module) in ORDER.iter().enumerate() {
        let inside: Vec<&Source> =
            sources.iter().filter(|source| source.is_in(&format!("guirpc/src/{module}"))).collect();
        assert!(!inside.is_empty(), "there is no module {module}");
        for source in inside {
            for name in named(source).filter(|name| name != module && ORDER.contains(name)) {
                assert!(ORDER[..place].contains(&name), "{} names `crate::{name}`, which lies above it", source.path);
            }
            assert!(
                !source.contains("use crate : : {"),
                "{}: one `use` for each module, so that it is seen",
                source.path
            );
        }
    }
}

#[test]
fn every_module_has_its_place() {
    for source in sources("guirpc/src").iter().filter(|source| source.path.matches('/').count() == 2) {
        let module = source.path.trim_start_matches("guirpc/src/").trim_end_matches(".rs");
        assert!(module == "lib" || ORDER.contains(&module), "{} has none", source.path);
    }
}
