//! The standard output: results go there, and nothing else does.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde_json::Value;

use crate::failure::Failure;
use crate::terminal;

/// Prints a result: spread out for people, on one line for programs.
pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    let json = if io::stdout().is_terminal() { format!("{value:#}\n") } else { format!("{value}\n") };
    print(&terminal::json(&json))
}

/// Prints what a function gave, which is JSON: digit for digit, or as the text that it is.
pub(crate) fn print_output(json: &str, is_text: bool) -> Result<(), Failure> {
    if is_text && let Ok(text) = serde_json::from_str::<String>(json) {
        return print_text(&text);
    }
    print(&terminal::json(&format!("{}\n", arranged(json, io::stdout().is_terminal()))))
}

/// JSON, spread out over lines or on one line; nothing in it is read as a number, which might change it.
fn arranged(json: &str, spread: bool) -> String {
    let mut arranged = String::new();
    let mut depth = 0_usize;
    let mut characters = json.chars().peekable();
    let line = |arranged: &mut String, depth: usize| {
        if spread {
            arranged.push('\n');
            arranged.extend(std::iter::repeat_n("  ", depth));
        }
    };
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                arranged.push('"');
                while let Some(character) = characters.next() {
                    arranged.push(character);
                    match character {
                        '\\' => arranged.extend(characters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '{' | '[' => {
                arranged.push(character);
                while characters.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    arranged.push(end);
                } else {
                    depth += 1;
                    line(&mut arranged, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut arranged, depth);
                arranged.push(character);
            }
            ',' => {
                arranged.push(',');
                line(&mut arranged, depth);
            }
            ':' => arranged.push_str(if spread { ": " } else { ":" }),
            space if space.is_ascii_whitespace() => {}
            other => arranged.push(other),
        }
    }
    arranged
}

/// Prints a function's text: as it is for programs; on a terminal, which it could steer, without control characters.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    if io::stdout().is_terminal() { print(&terminal::lines(&format!("{text}\n"))) } else { print(&format!("{text}\n")) }
}

/// Prints a warning, which may hold text from a remote, beside the results.
pub(crate) fn warn(text: &str) {
    // If this fails, there is nowhere left to report it.
    let _ = writeln!(io::stderr(), "warning: {}", terminal::line(text, usize::MAX));
}

/// How many characters of a text are shown: no more than these on a terminal, all of them elsewhere.
pub(crate) fn most(on_a_terminal: usize) -> usize {
    if io::stdout().is_terminal() { on_a_terminal } else { usize::MAX }
}

/// Prints a text as it is.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The reader has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::other(format!("cannot write to the standard output: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn json_is_arranged_as_serde_json_does() {
        let value = json!({"a": [1, {"b": [], "c": {}}, "x: [\"\\"], "d": null, "e": -1.5});
        for json in [value.to_string(), format!("{value:#}")] {
            assert_eq!(arranged(&json, false), value.to_string());
            assert_eq!(arranged(&json, true), format!("{value:#}"));
        }
        assert_eq!(serde_json::from_str::<Value>(&arranged(" [ ] ", true)).unwrap(), json!([]));
        let wide = "340282366920938463463374607431768211455";
        assert_eq!(arranged(&format!("[ {wide} ]"), false), format!("[{wide}]"));
    }
}
