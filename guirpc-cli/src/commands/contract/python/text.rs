//! Python's text: expressions over several lines, strings and docstrings, as `ruff format` has them.

use std::fmt::Write;

/// How long a line is at most; it stands in the package's `pyproject.toml`, too.
const WIDTH: usize = 120;
const INDENT: usize = 4;

/// An expression that may be spread over lines where it has brackets.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    Atom(String),
    /// What stands before the brackets and the opening one, what is in them, the closing one and what is behind it.
    Brackets(String, Vec<Expr>, String),
}

impl Expr {
    pub(super) fn atom(text: impl Into<String>) -> Self {
        Expr::Atom(text.into())
    }

    /// A call, of which `head` is what stands before the arguments.
    pub(super) fn call(head: &str, arguments: impl IntoIterator<Item = Expr>) -> Self {
        Expr::Brackets(format!("{head}("), arguments.into_iter().collect(), ")".to_owned())
    }

    pub(super) fn brackets(open: &str, items: impl IntoIterator<Item = Expr>, close: &str) -> Self {
        Expr::Brackets(open.to_owned(), items.into_iter().collect(), close.to_owned())
    }

    /// A tuple, of one element too.
    pub(super) fn tuple(head: &str, items: Vec<Expr>) -> Self {
        let close = if items.len() == 1 { ",)" } else { ")" };
        Expr::Brackets(format!("{head}("), items, close.to_owned())
    }

    /// The same, after this text.
    pub(super) fn after(self, text: &str) -> Self {
        match self {
            Expr::Atom(atom) => Expr::Atom(format!("{text}{atom}")),
            Expr::Brackets(open, items, close) => Expr::Brackets(format!("{text}{open}"), items, close),
        }
    }

    /// On one line.
    pub(super) fn flat(&self) -> String {
        match self {
            Expr::Atom(text) => text.clone(),
            Expr::Brackets(open, items, close) => {
                let items: Vec<String> = items.iter().map(Expr::flat).collect();
                format!("{open}{}{close}", items.join(", "))
            }
        }
    }

    /// Indented by so many steps, on one line if it fits with `behind` characters after it, else with a line for each
    /// item; ruff leaves them so, since the last one has a comma.
    pub(super) fn laid_out(&self, indent: usize, behind: usize) -> String {
        let flat = self.flat();
        if indent * INDENT + flat.chars().count() + behind <= WIDTH {
            return flat;
        }
        match self {
            Expr::Brackets(open, items, close) if !items.is_empty() => {
                let mut text = format!("{open}\n");
                for item in items {
                    let _ = writeln!(text, "{}{},", spaces(indent + 1), item.laid_out(indent + 1, 1));
                }
                text + &spaces(indent) + close.trim_start_matches(',')
            }
            _ => flat,
        }
    }

    /// A line of its own, or several.
    pub(super) fn line(&self, indent: usize) -> String {
        format!("{}{}\n", spaces(indent), self.laid_out(indent, 0))
    }
}

fn spaces(indent: usize) -> String {
    " ".repeat(indent * INDENT)
}

/// A string literal, in the quotation marks that need fewer escapes.
pub(super) fn string(text: &str) -> String {
    let count = |quote| text.chars().filter(|character| *character == quote).count();
    let quote = if count('"') > count('\'') { '\'' } else { '"' };
    let mut literal = String::from(quote);
    for character in text.chars() {
        match character {
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\t' => literal.push_str("\\t"),
            '\r' => literal.push_str("\\r"),
            character if character == quote => literal.extend(['\\', character]),
            character if is_shown(character) => literal.push(character),
            character => literal.push_str(&escaped(character)),
        }
    }
    literal.push(quote);
    literal
}

fn escaped(character: char) -> String {
    match u32::from(character) {
        code @ 0..=0xFF => format!("\\x{code:02x}"),
        code @ 0x100..=0xFFFF => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

/// Whether a character stands for itself: no control character, nor one that turns the direction of a text.
fn is_shown(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A docstring.
pub(super) fn docstring(docs: &str, indent: usize) -> String {
    let lines: Vec<String> = docs.trim().lines().map(doc_line).collect();
    let [first, rest @ ..] = &lines[..] else { return String::new() };
    let space = if first.starts_with('"') { " " } else { "" };
    if rest.is_empty() {
        let end = if first.ends_with('"') { " " } else { "" };
        return format!("{}\"\"\"{space}{first}{end}\"\"\"\n", spaces(indent));
    }
    let mut text = format!("{}\"\"\"{space}{first}\n", spaces(indent));
    let indents = rest.iter().filter(|line| !line.is_empty()).map(|line| line.len() - line.trim_start().len());
    let common = indents.min().unwrap_or_default();
    for line in rest {
        let line = line.get(common..).unwrap_or_default();
        let line = if line.is_empty() { String::new() } else { spaces(indent) + line };
        text += &line;
        text.push('\n');
    }
    format!("{text}{}\"\"\"\n", spaces(indent))
}

/// A line of a docstring, in which nothing ends it.
fn doc_line(line: &str) -> String {
    let shown: String = line.replace('\t', "    ").chars().filter(|character| is_shown(*character)).collect();
    shown.replace('\\', "\\\\").replace("\"\"\"", "'''").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_the_quotes_that_need_fewer_escapes() {
        assert_eq!(string("a"), "\"a\"");
        assert_eq!(string("say \"a\""), "'say \"a\"'");
        assert_eq!(string("it's \"a\""), "'it\\'s \"a\"'");
        assert_eq!(string("\u{1b}\n\u{202e}\\"), "\"\\x1b\\n\\u202e\\\\\"");
    }

    #[test]
    fn what_is_too_long_has_a_line_for_each_item() {
        let long = Expr::atom("x".repeat(60));
        let call = Expr::call("Call", [long.clone(), Expr::tuple("y=", vec![Expr::atom("z")]), long]);
        let x = "x".repeat(60);
        assert_eq!(call.laid_out(1, 0), format!("Call(\n        {x},\n        y=(z,),\n        {x},\n    )"));
        assert_eq!(Expr::tuple("", vec![Expr::atom("z")]).flat(), "(z,)");
    }

    #[test]
    fn nothing_in_a_docstring_ends_it() {
        assert_eq!(docstring("a \"\"\" b\\", 1), "    \"\"\"a ''' b\\\\\"\"\"\n");
        assert_eq!(docstring("\"a\"", 0), "\"\"\" \"a\" \"\"\"\n");
        assert_eq!(docstring("a\n\n  b \n    c", 1), "    \"\"\"a\n\n    b\n      c\n    \"\"\"\n");
        assert_eq!(docstring("  ", 1), "");
    }
}
