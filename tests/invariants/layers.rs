//! Arrows point down only: what the modules of the library may name.

use crate::source::{Source, sources};

/// Each module, and those that it may name beside itself.
const LAYERS: [(&str, &[&str]); 16] = [
    ("app", &["client", "config", "embedded", "error", "registry", "server"]),
    ("testing", &["client", "dispatch", "embedded", "error", "function", "registry", "server"]),
    ("server", &["broker", "codec", "config", "context", "dispatch", "error", "health", "message", "registry"]),
    ("client", &["broker", "codec", "config", "context", "error", "function", "health", "message"]),
    ("dead_letters", &["broker", "codec", "config", "error", "message"]),
    ("embedded", &["broker", "error"]),
    ("broker", &["codec", "config", "error", "message"]),
    ("dispatch", &["codec", "context", "error", "function", "message", "registry"]),
    // A stub returns what the client gives it.
    ("function", &["client", "codec", "error", "message", "registry"]),
    // A function's entry holds what dispatch calls.
    ("registry", &["codec", "context", "dispatch", "error"]),
    ("codec", &["error", "function", "message"]),
    ("context", &["message"]),
    ("config", &["error", "message"]),
    ("health", &[]),
    ("error", &["message"]),
    // A fault takes the fault out of a call's error.
    ("message", &["error"]),
];

/// The modules that a file names, by paths that begin with `crate`.
fn named(source: &Source) -> impl Iterator<Item = &str> {
    let tokens = source.tokens.as_slice();
    let starts = (0..tokens.len()).filter(|at| tokens[*at..].starts_with(&["crate", ":", ":"].map(str::to_owned)));
    starts.map(|start| tokens[start + 3].as_str())
}

#[test]
fn a_module_names_only_what_lies_below_it() {
    let modules = LAYERS.map(|(module, _)| module);
    let sources = sources("guirpc/src");
    for (module, may_name) in LAYERS {
        let inside: Vec<&Source> =
            sources.iter().filter(|source| source.is_in(&format!("guirpc/src/{module}"))).collect();
        assert!(!inside.is_empty(), "there is no module {module}");
        for source in inside {
            for name in named(source).filter(|name| *name != module && modules.contains(name)) {
                assert!(may_name.contains(&name), "{} names `crate::{name}`", source.path);
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
    let modules = LAYERS.map(|(module, _)| module);
    for source in sources("guirpc/src").iter().filter(|source| source.path.matches('/').count() == 2) {
        let module = source.path.trim_start_matches("guirpc/src/").trim_end_matches(".rs");
        assert!(["lib", "private"].contains(&module) || modules.contains(&module), "{} has none", source.path);
    }
}
