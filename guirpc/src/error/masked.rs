//! Texts that may have a URI with a password in them, typed where it does not belong.

/// What is shown in place of a password.
const MASK: &str = "***";

/// The text without the passwords of the URIs in it, nor of what may have been meant for one.
pub fn masked(text: &str) -> String {
    // A password may have quotes and commas in it, and no space.
    text.split_inclusive(char::is_whitespace).flat_map(masked_word).collect()
}

fn masked_word(word: &str) -> [&str; 5] {
    let unmasked = [word, "", "", "", ""];
    let (scheme, rest) = word.split_at(word.find("//").map_or(0, |slashes| slashes + 2));
    let Some((user, rest)) = rest.split_once(':') else { return unmasked };
    let behind = match rest.rfind('@') {
        Some(at) => &rest[at..],
        // The host may be missing, unless what stands here is its port.
        None if scheme.ends_with("://") && rest.starts_with(char::is_alphabetic) => "",
        None => return unmasked,
    };
    [scheme, user, ":", MASK, behind]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(masked(text), shown);
    }

    #[test]
    fn passwords_are_masked_and_nothing_else() {
        check("error: `amqp://ada:secret@h:1/v`: no number", "error: `amqp://ada:***@h:1/v`: no number");
        check("'amqp://ada:s,'/@et@h' and 'amqps://a:secret@i'", "'amqp://ada:***@h' and 'amqps://a:***@i'");
        check("amqp://ada:secret", "amqp://ada:***");
        check("not `amqp//ada:secret@h`, nor ada:secret@h", "not `amqp//ada:***@h`, nor ada:***@h");
        for plain in ["amqp://ada@h:5672/%2f", "amqp://h:5672?heartbeat=3", "https://docs.rs/x", "amqp://[::1]:1", ""] {
            check(plain, plain);
        }
    }
}
