//! Source text as rustfmt leaves it.

use std::fmt::Write;

/// How wide a line may be.
pub(super) const WIDTH: usize = 100;
/// How wide what is in an attribute may be if it is to stand on one line.
const ATTRIBUTE: usize = 70;

/// A doc comment.
pub(super) fn docs(text: &str, indent: &str) -> String {
    let mut docs = String::new();
    // A carriage return alone ends no line, and may not stand in a comment.
    for line in text.trim_end().replace('\r', "\n").lines() {
        let line = line.trim_end();
        let space = if line.is_empty() { "" } else { " " };
        let _ = writeln!(docs, "{indent}///{space}{line}");
    }
    docs
}

/// An attribute with what stands in its parentheses.
pub(super) fn attribute(name: &str, arguments: &[String], indent: &str) -> String {
    let one_line = arguments.join(", ");
    if one_line.chars().count() <= ATTRIBUTE {
        return format!("{indent}#[{name}({one_line})]\n");
    }
    let lines: Vec<String> = arguments.iter().map(|argument| format!("{indent}    {argument}")).collect();
    format!("{indent}#[{name}(\n{}\n{indent})]\n", lines.join(",\n"))
}

/// A text as a literal.
pub(super) fn literal(text: &str) -> String {
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docs_are_comments_whatever_is_in_them() {
        assert_eq!(
            docs("One.\n\n  two  \r\nthree\rfour", "    "),
            "    /// One.\n    ///\n    ///   two\n    ///\n    /// three\n    /// four\n"
        );
        assert_eq!(docs("", ""), "");
    }

    #[test]
    fn a_long_attribute_has_a_line_for_each_argument() {
        let argument = |length| vec!["a".repeat(length), "b".to_owned()];
        assert_eq!(attribute("serde", &argument(67), "").lines().count(), 1);
        assert_eq!(attribute("serde", &argument(68), "  ").lines().nth(2), Some("      b"));
    }
}
