//! Base64 as Python's `encodebytes` writes it, and `decodebytes` reads it.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{GeneralPurposeConfig, STANDARD as WRITER};

/// Python cares neither for padding nor for the bits that it leaves over.
const READER: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);
/// So many bytes become one line of 76 characters.
const BYTES_OF_A_LINE: usize = 57;

/// Lines of 76 characters, a line feed behind each, also behind the last.
pub(super) fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut lines = String::with_capacity(bytes.len().div_ceil(BYTES_OF_A_LINE) * 77);
    for line in bytes.chunks(BYTES_OF_A_LINE) {
        WRITER.encode_string(line, &mut lines);
        lines.push('\n');
    }
    lines.into_bytes()
}

/// Characters outside the alphabet are skipped, and so is everything after the padding.
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut digits = Vec::with_capacity(text.len());
    let mut padding = 0;
    for &byte in text {
        match byte {
            b'=' if digits.len() % 4 >= 2 => {
                padding += 1;
                if digits.len() % 4 + padding >= 4 {
                    return Ok(decoded(&digits));
                }
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {
                padding = 0;
                digits.push(byte);
            }
            _ => {}
        }
    }
    match digits.len() % 4 {
        0 => Ok(decoded(&digits)),
        1 => Err(format!(
            "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a multiple of 4",
            digits.len()
        )),
        _ => Err("Incorrect padding".to_owned()),
    }
}

fn decoded(digits: &[u8]) -> Vec<u8> {
    READER.decode(digits).expect("only digits are left, and no single one at the end")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{decode, encode};

    #[test]
    fn lines_have_76_characters_and_an_end() {
        assert_eq!(encode(b""), b"");
        assert_eq!(encode(b"{\"result\": 3}"), b"eyJyZXN1bHQiOiAzfQ==\n");
        let lines = String::from_utf8(encode(&[0; 100])).unwrap();
        assert_eq!(lines.split('\n').map(str::len).collect::<Vec<_>>(), [76, 60, 0]);
    }

    #[test]
    fn reading_is_as_lenient_as_pythons() {
        for (text, expected) in [
            ("YQ==", "a"),
            ("YQ==\r\n", "a"),
            ("Y Q = =", "a"),
            ("Y!Q==", "a"),
            ("YWI=", "ab"),
            ("=YWI=", "ab"),
            ("YQ==YWI=", "a"),
            ("YR==", "a"),
            ("!!!", ""),
            ("", ""),
        ] {
            assert_eq!(decode(text.as_bytes()).as_deref(), Ok(expected.as_bytes()), "{text}");
        }
        for text in ["YQ", "YQ=", "YWI"] {
            assert_eq!(decode(text.as_bytes()), Err("Incorrect padding".to_owned()), "{text}");
        }
        assert!(decode(b"abcde").unwrap_err().contains("number of data characters (5)"));
    }

    proptest! {
        #[test]
        fn every_byte_comes_back(bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(decode(&encode(&bytes)), Ok(bytes));
        }

        #[test]
        fn anything_can_be_read(text in any::<Vec<u8>>()) {
            let _ = decode(&text);
        }
    }
}
