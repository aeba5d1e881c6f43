//! What a module imports: of what there is, that which it names.

use super::text::Expr;

/// `from MODULE import …` of those names that stand in the code; nothing if none does.
pub(super) fn of(module: &str, names: &[&str], code: &str) -> String {
    let mut used: Vec<&str> = names.iter().copied().filter(|name| is_named(name, code)).collect();
    if used.is_empty() {
        return String::new();
    }
    // As ruff sorts them: classes before functions.
    used.sort_by_key(|name| (name.starts_with(|c: char| c.is_ascii_lowercase()), *name));
    let line = format!("from {module} import {}\n", used.join(", "));
    if line.trim_end().chars().count() <= 120 {
        return line;
    }
    Expr::brackets(&format!("from {module} import ("), used.into_iter().map(Expr::atom), ")").line(0)
}

/// Imports of modules of the package itself, under these names.
pub(super) fn modules(names: &[&str], code: &str) -> String {
    let used = names.iter().filter(|name| is_named(&format!("_{name}"), code));
    let lines: Vec<String> = used.map(|name| format!("from . import {name} as _{name}\n")).collect();
    lines.concat()
}

/// Whether a name stands in the code as a word.
fn is_named(name: &str, code: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let code = without_strings(code);
    code.match_indices(name).any(|(at, _)| {
        let (before, behind) = (&code[..at], &code[at + name.len()..]);
        !before.ends_with(is_part) && !behind.starts_with(is_part)
    })
}

/// The code without what stands in strings, which may be somebody's words.
fn without_strings(code: &str) -> String {
    let mut rest = code;
    let mut text = String::new();
    while let Some(start) = rest.find(['"', '\'']) {
        text.push_str(&rest[..start]);
        let quotes = ["\"\"\"", "\"", "'"].into_iter().find(|quotes| rest[start..].starts_with(quotes)).unwrap_or("'");
        let inside = &rest[start + quotes.len()..];
        let mut is_escaped = false;
        let end = inside.char_indices().find(|(at, character)| {
            let ends = !is_escaped && inside[*at..].starts_with(quotes);
            is_escaped = !is_escaped && *character == '\\';
            ends
        });
        rest = end.map_or("", |(at, _)| &inside[at + quotes.len()..]);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_is_imported() {
        assert_eq!(of("typing", &["Any", "Literal"], "x: Any\nLiterals()"), "from typing import Any\n");
        assert_eq!(of("typing", &["Any"], "Anything()"), "");
        let strings = r#"x("Any", 'Any', "a\" Any")  """Any "of" it""" y"#;
        assert_eq!(of("typing", &["Any"], strings), "");
        assert_eq!(without_strings(strings), "x(, , )   y");
        assert_eq!(modules(&["types", "errors"], "_types.A"), "from . import types as _types\n");
    }
}
