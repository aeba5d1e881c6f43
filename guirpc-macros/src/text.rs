//! Tokens as people write them, on one line.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// Words and numbers, which need a space between them.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    Nothing,
    Word,
    Opened,
    Other,
}

/// A type, or a part of a signature, as text.
///
/// The compiler's own printing depends on where the tokens come from; this does not.
pub(crate) fn written(tokens: impl ToTokens) -> String {
    let mut text = String::new();
    write(tokens.to_token_stream(), &mut text, &mut Last::Nothing);
    text
}

fn write(tokens: TokenStream, text: &mut String, last: &mut Last) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                *last = if open.is_empty() { *last } else { Last::Opened };
                write(group.stream(), text, last);
                text.push_str(close);
                *last = if close.is_empty() { *last } else { Last::Other };
            }
            TokenTree::Punct(punct) => {
                let mut operator = punct.as_char().to_string();
                let mut spacing = punct.spacing();
                while let (Spacing::Joint, Some(TokenTree::Punct(next))) = (spacing, tokens.peek()) {
                    if !continues(&operator, next.as_char()) {
                        break;
                    }
                    operator.push(next.as_char());
                    spacing = next.spacing();
                    tokens.next();
                }
                write_operator(&operator, text, last, tokens.peek().is_none());
            }
            word @ (TokenTree::Ident(_) | TokenTree::Literal(_)) => {
                let word = word.to_string();
                // `<Vec<u8> as IntoIterator>` has the one word that follows an operator.
                if *last == Last::Word || word == "as" {
                    text.push(' ');
                }
                text.push_str(&word);
                *last = Last::Word;
            }
        }
    }
}

/// Whether a character belongs to the operator before it: `->`, `::`, `...`, but not the `>>` of two lists.
fn continues(operator: &str, next: char) -> bool {
    matches!((operator, next), ("-", '>') | (":", ':') | ("." | "..", '.'))
}

fn write_operator(operator: &str, text: &mut String, last: &mut Last, is_end: bool) {
    match operator {
        "," | ";" | ":" if is_end && operator == "," => {}
        "," | ";" | ":" => {
            text.push_str(operator);
            text.push(' ');
        }
        "->" | "+" | "=" => {
            text.push(' ');
            text.push_str(operator);
            text.push(' ');
        }
        // A lifetime's quote is followed by its name at once, but may follow a word.
        "'" => {
            if *last == Last::Word {
                text.push(' ');
            }
            text.push('\'');
        }
        _ => text.push_str(operator),
    }
    *last = Last::Other;
}

#[cfg(test)]
mod tests {
    use super::written;

    #[track_caller]
    fn check(expected: &str) {
        let tokens: proc_macro2::TokenStream = expected.parse().expect("a test writes tokens");
        assert_eq!(written(tokens), expected);
    }

    #[test]
    fn types_are_written_as_people_write_them() {
        check("i64");
        check("Vec<(String, u8)>");
        check("Result<HashMap<String, Vec<u8>>, std::io::Error>");
        check("&[u8]");
        check("[f64; 3]");
        check("Box<dyn Fn(i64) -> i64 + Send + 'static>");
        check("<Vec<u8> as IntoIterator>::Item");
        check("Option<&'static str>");
    }

    #[test]
    fn line_breaks_and_trailing_commas_are_left_out() {
        let tokens: proc_macro2::TokenStream = "(\n  String,\n  u8,\n)".parse().expect("tokens");
        assert_eq!(written(tokens), "(String, u8)");
    }
}
