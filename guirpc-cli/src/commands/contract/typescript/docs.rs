//! Doc comments, which hold words of strangers.

/// A doc comment, with what is to be said of deprecation.
pub(super) fn comment(docs: &str, deprecated: Option<&str>, indent: &str) -> String {
    let mut lines: Vec<String> = docs.trim().lines().map(inert).collect();
    if let Some(reason) = deprecated {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(format!("@deprecated {}", one_line(reason)).trim_end().to_owned());
    }
    match lines.as_slice() {
        [] => String::new(),
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let body: String =
                lines.iter().map(|line| format!("{indent} * {line}").trim_end().to_owned() + "\n").collect();
            format!("{indent}/**\n{body}{indent} */\n")
        }
    }
}

/// A line that ends no comment.
fn inert(line: &str) -> String {
    line.trim_end().replace("*/", "*\\/")
}

/// A text for a comment of one line.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    inert(&words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_ends_where_it_is_to_end() {
        assert_eq!(comment("Evil */ alert()", None, ""), "/** Evil *\\/ alert() */\n");
        assert_eq!(
            comment("a\n\nb", Some("use\n`c`"), "  "),
            "  /**\n   * a\n   *\n   * b\n   *\n   * @deprecated use `c`\n   */\n"
        );
        assert_eq!(comment("", Some(""), ""), "/** @deprecated */\n");
        assert_eq!(comment("", None, ""), "");
        assert_eq!(one_line("a\nb\u{2028}c"), "a b c");
    }
}
