//! Moments and bytes as text.

use std::fmt::Write;
use std::time::SystemTime;

/// The moment as RFC 3339 has it, if it has it.
pub(super) fn moment(time: SystemTime) -> Option<String> {
    let mut text = String::new();
    // It fails for years that have more than four digits.
    write!(text, "{}", humantime::format_rfc3339_millis(time)).ok()?;
    Some(text)
}

/// Bytes as a text: two digits for each, of so many at most.
pub(super) fn hex(bytes: &[u8], most: usize) -> String {
    let mut text = String::new();
    for byte in &bytes[..bytes.len().min(most)] {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    if bytes.len() > most {
        let _ = write!(text, "… ({} bytes)", bytes.len());
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_moment_that_cannot_be_written_is_none() {
        let at = |milliseconds| SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds);
        assert_eq!(moment(at(1_700_000_000_123)).as_deref(), Some("2023-11-14T22:13:20.123Z"));
        assert_eq!(moment(at(u64::MAX / 2)), None);
    }

    #[test]
    fn long_bytes_are_cut() {
        assert_eq!(hex(b"\x00\xff", 2), "00ff");
        assert_eq!(hex(b"\x00\xff", 1), "00… (2 bytes)");
    }
}
