//! Text from a remote, made safe for a terminal: control characters are escaped, and so is what turns the direction.

use std::fmt::Write;

/// The text on one line, cut to so many characters.
pub(crate) fn line(text: &str, most: usize) -> String {
    let mut line = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == most {
            line.push('…');
            break;
        }
        push(&mut line, character);
    }
    line
}

/// The text with its lines and tabs.
pub(crate) fn lines(text: &str) -> String {
    let mut lines = String::new();
    for character in text.chars() {
        if matches!(character, '\n' | '\t') { lines.push(character) } else { push(&mut lines, character) }
    }
    lines
}

/// JSON that still means the same: what JSON allows in a string unescaped, and a terminal would obey, is escaped.
pub(crate) fn json(text: &str) -> String {
    let mut json = String::new();
    for character in text.chars() {
        if is_plain(character) || character == '\n' {
            json.push(character);
        } else {
            // Writing to a text does not fail; none of these needs a surrogate.
            let _ = write!(json, "\\u{:04x}", u32::from(character));
        }
    }
    json
}

fn push(text: &mut String, character: char) {
    if is_plain(character) {
        text.push(character);
    } else {
        text.extend(character.escape_default());
    }
}

/// No control character, nor one that turns the direction of what follows.
fn is_plain(character: char) -> bool {
    let turns = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    !character.is_control() && !turns && !matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const HOSTILE: &str = "a\u{1b}[2J\nü\u{202e}\t\u{9b}1m";

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(line(HOSTILE, 99), "a\\u{1b}[2J\\nü\\u{202e}\\t\\u{9b}1m");
        assert_eq!(lines(HOSTILE), "a\\u{1b}[2J\nü\\u{202e}\t\\u{9b}1m");
    }

    #[test]
    fn a_long_line_is_cut() {
        assert_eq!(line("abc", 2), "ab…");
        assert_eq!(line("abc", 3), "abc");
    }

    #[test]
    fn json_means_the_same() {
        let value = Value::from(HOSTILE);
        let safe = json(&format!("{value}\n"));
        assert!(safe.trim_end().chars().all(is_plain), "{safe}");
        assert_eq!(serde_json::from_str::<Value>(&safe).unwrap(), value);
    }
}
