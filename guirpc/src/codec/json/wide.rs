//! Integers of more than 64 bits, which `serde_json` makes floats of where the type does not ask for so many.

/// The shortest of them has so many digits.
const DIGITS: usize = 19;

/// The integers of more than 64 bits in a body, as floats; where it is no JSON, any.
pub(super) fn integers(body: &[u8]) -> Vec<f64> {
    if !has_long_number(body) {
        return Vec::new();
    }
    let mut integers = Vec::new();
    let mut rest = body;
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'"' => after_string(after),
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let (number, after) = rest.split_at(rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len()));
                integers.extend(std::str::from_utf8(number).ok().and_then(wide));
                after
            }
            _ => after,
        };
    }
    integers
}

/// Whether there are so many digits one after the other, of which every so-manieth is looked at.
fn has_long_number(body: &[u8]) -> bool {
    let mut at = DIGITS - 1;
    while at < body.len() {
        if body[at].is_ascii_digit() {
            let before = body[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            let after = body[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            if before + after >= DIGITS {
                return true;
            }
            at += after;
        }
        at += DIGITS;
    }
    false
}

fn after_string(mut rest: &[u8]) -> &[u8] {
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'"' => return after,
            b'\\' => after.get(1..).unwrap_or_default(),
            _ => after,
        };
    }
    rest
}

fn wide(number: &str) -> Option<f64> {
    let is_integer = number.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    let fits = number.parse::<u64>().is_ok() || number.parse::<i64>().is_ok();
    if is_integer && !fits { number.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::integers;

    #[test]
    fn integers_of_more_than_64_bits_are_found_wherever_they_stand() {
        let none: [&str; 7] = [
            "18446744073709551615",
            "-9223372036854775808",
            r#"["\"99999999999999999999", "\\"]"#,
            "[99999999999999999999.5, 99999999999999999999e1, 0.99999999999999999999]",
            "1234567890123456789",
            "",
            r#""9999999999999999999999"#,
        ];
        for body in none {
            assert!(integers(body.as_bytes()).is_empty(), "{body}");
        }
        for spaces in 0..40 {
            let body = format!("{}[18446744073709551616,1,-9223372036854775809]", " ".repeat(spaces));
            assert_eq!(
                integers(body.as_bytes()),
                [18_446_744_073_709_551_616.0, -9_223_372_036_854_775_809.0],
                "{body}"
            );
        }
    }
}
