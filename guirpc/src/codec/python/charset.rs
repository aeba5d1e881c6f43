//! Texts as bytes, in the three encodings that a function may choose.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::PythonTextCodec;

impl PythonTextCodec {
    fn holds(self, character: char) -> bool {
        match self {
            PythonTextCodec::Ascii => character.is_ascii(),
            PythonTextCodec::Latin1 => u32::from(character) < 0x100,
            PythonTextCodec::Utf8 => true,
        }
    }

    /// The bytes of a text.
    pub(super) fn encode(self, text: &str) -> Result<Vec<u8>, String> {
        if let Some(foreign) = text.chars().find(|character| !self.holds(*character)) {
            return Err(format!("{foreign:?} is not in {}", self.name()));
        }
        Ok(match self {
            PythonTextCodec::Latin1 => text.chars().filter_map(|character| u8::try_from(character).ok()).collect(),
            PythonTextCodec::Ascii | PythonTextCodec::Utf8 => text.as_bytes().to_vec(),
        })
    }

    /// The text of bytes, if they are one.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            PythonTextCodec::Ascii if !bytes.is_ascii() => None,
            PythonTextCodec::Ascii | PythonTextCodec::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            PythonTextCodec::Latin1 => Some(Cow::Owned(bytes.iter().copied().map(char::from).collect())),
        }
    }
}

/// A text in ASCII, in which other characters are escaped as Python does.
pub(super) fn ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() * 2);
    for character in text.chars() {
        match u32::from(character) {
            0..0x80 => escaped.push(character),
            code @ 0x80..0x100 => append(&mut escaped, format_args!("\\x{code:02x}")),
            code @ 0x100..0x1_0000 => append(&mut escaped, format_args!("\\u{code:04x}")),
            code => append(&mut escaped, format_args!("\\U{code:08x}")),
        }
    }
    Cow::Owned(escaped)
}

/// Bytes as Python shows them: `b'…'`.
pub(super) fn bytes_literal(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut shown = format!("b{quote}");
    for &byte in bytes {
        match byte {
            b'\\' => shown.push_str("\\\\"),
            b'\t' => shown.push_str("\\t"),
            b'\n' => shown.push_str("\\n"),
            b'\r' => shown.push_str("\\r"),
            byte if char::from(byte) == quote => shown.push_str("\\'"),
            b' '..=b'~' => shown.push(char::from(byte)),
            byte => append(&mut shown, format_args!("\\x{byte:02x}")),
        }
    }
    shown.push(quote);
    shown
}

fn append(text: &mut String, more: fmt::Arguments<'_>) {
    text.write_fmt(more).expect("a String takes everything");
}

#[cfg(test)]
mod tests {
    use super::{PythonTextCodec, ascii, bytes_literal};

    #[test]
    fn a_codec_holds_its_characters_only() {
        for (codec, text, bytes) in [
            (PythonTextCodec::Ascii, "a", Some(&b"a"[..])),
            (PythonTextCodec::Ascii, "ñ", None),
            (PythonTextCodec::Latin1, "ñ", Some(b"\xf1")),
            (PythonTextCodec::Latin1, "€", None),
            (PythonTextCodec::Utf8, "€", Some(b"\xe2\x82\xac")),
        ] {
            assert_eq!(codec.encode(text).ok().as_deref(), bytes, "{text} in {}", codec.name());
            if let Some(bytes) = bytes {
                assert_eq!(codec.decode(bytes).as_deref(), Some(text));
            }
        }
        assert_eq!(PythonTextCodec::Ascii.decode(b"\xc3\xb1"), None);
        assert_eq!(PythonTextCodec::Utf8.decode(b"\xf1"), None);
    }

    #[test]
    fn what_is_not_ascii_is_escaped() {
        assert_eq!(ascii("niño € 😀"), "ni\\xf1o \\u20ac \\U0001f600");
    }

    #[test]
    fn bytes_are_shown_as_python_shows_them() {
        assert_eq!(bytes_literal(b"~\x8a5m\n"), "b'~\\x8a5m\\n'");
        assert_eq!(bytes_literal(b"it's"), "b\"it's\"");
        assert_eq!(bytes_literal(b"'\""), "b'\\'\"'");
    }
}
