//! Names that a package, and with it a service, can have.

use std::path::Path;

use crate::failure::Failure;

/// Rust's keywords, also those that are only reserved: Cargo takes no package of such a name.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Names that mean something else where the package would be built.
const TAKEN: &[&str] =
    &["alloc", "build", "core", "deps", "examples", "guirpc", "incremental", "proc_macro", "std", "test"];

/// More makes no package that could ever be published.
const MAX: usize = 64;

/// The name of the package in this folder.
pub(in crate::commands) fn of(folder: &Path) -> Result<&str, Failure> {
    let name = folder.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::usage(format!("`{}` ends in no name", folder.display())))?;
    match mistake(name) {
        None => Ok(name),
        Some(why) => Err(Failure::usage(format!(
            "`{name}` cannot be the name of a package: {why}; \
             a name begins with a letter and has letters, digits, `-` and `_`, such as `my-service`"
        ))),
    }
}

fn mistake(name: &str) -> Option<&'static str> {
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Some("it does not begin with a letter");
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Some("it has a character that does not belong there");
    }
    if name.len() > MAX {
        return Some("it is longer than 64 characters");
    }
    if KEYWORDS.contains(&name) {
        return Some("it is a keyword of Rust");
    }
    TAKEN.contains(&name).then_some("it means something else to Cargo or to this package")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_of_the_path_is_the_name() {
        assert_eq!(of(Path::new("../services/my-service2/")).unwrap(), "my-service2");
        assert!(of(Path::new("..")).is_err());
    }

    #[test]
    fn every_mistake_is_named() {
        for (name, why) in [
            ("2math", "begin with a letter"),
            ("-math", "begin with a letter"),
            ("_math", "begin with a letter"),
            ("", "begin with a letter"),
            ("mäth", "a character"),
            ("math.service", "a character"),
            ("my math", "a character"),
            ("match", "keyword"),
            ("test", "something else"),
            ("guirpc", "something else"),
        ] {
            assert!(mistake(name).is_some_and(|mistake| mistake.contains(why)), "{name}");
        }
        assert_eq!(mistake(&"a".repeat(64)), None);
        assert!(mistake(&"a".repeat(65)).is_some());
    }
}
