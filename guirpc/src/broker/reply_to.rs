//! Reply addresses, which come from strangers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How RabbitMQ names the pseudo-queues of direct reply-to.
const DIRECT_PREFIX: &str = "amq.rabbitmq.reply-to.";
/// Erlang's external term format: version, then a process identifier with a two-byte atom length.
const PID_START: [u8; 2] = [131, 88];
const ATOM: u8 = 118;
/// Serial, number and creation of the process: four bytes each.
const PID_END: usize = 12;

/// An address that can be published to without doing harm.
///
/// RabbitMQ 3.10 and 4.0 answer a malformed direct reply-to address with 541 and close the whole connection,
/// so a hostile caller could disconnect every server that it sends a request to.
/// Ordinary queue names are all harmless: an unknown one loses the reply.
#[derive(Clone, Debug)]
pub(crate) struct ReplyTo(String);

impl ReplyTo {
    /// Takes the address that a request names.
    ///
    /// # Errors
    /// It is malformed; says so in words.
    pub(crate) fn parse(address: &str) -> Result<Self, String> {
        if is_publishable(address) {
            return Ok(ReplyTo(address.to_owned()));
        }
        Err(format!("the reply address `{address:.80}` is malformed"))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_publishable(address: &str) -> bool {
    if address.is_empty() || address.len() > 255 {
        return false;
    }
    if !address.starts_with("amq.rabbitmq.reply-to") {
        return true;
    }
    address
        .strip_prefix(DIRECT_PREFIX)
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(process, key)| is_process(process) && !key.is_empty())
}

/// An encoded process identifier whose node is named as RabbitMQ names it for this purpose: `reply@` and digits.
fn is_process(encoded: &str) -> bool {
    let Ok(bytes) = STANDARD.decode(encoded) else { return false };
    let Some(rest) = bytes.strip_prefix(&PID_START) else { return false };
    let [ATOM, rest @ ..] = rest else { return false };
    let [high, low, rest @ ..] = rest else { return false };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let Some((node, rest)) = rest.split_at_checked(length) else { return false };
    let digits = node.strip_prefix(b"reply@").unwrap_or_default();
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) && rest.len() == PID_END
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(node: &str, tail: &[u8]) -> String {
        let length = u16::try_from(node.len()).unwrap().to_be_bytes();
        let process = [&PID_START[..], &[ATOM], &length, node.as_bytes(), tail].concat();
        format!("{DIRECT_PREFIX}{}.qm0kL6BLUl3pPhMUvDeHqw==", STANDARD.encode(process))
    }

    #[test]
    fn a_direct_reply_to_address_is_publishable() {
        assert!(is_publishable(&direct("reply@25863394", &[0; 12])));
        // Captured from RabbitMQ 3.10.8.
        assert!(is_publishable(
            "amq.rabbitmq.reply-to.g1h2AA5yZXBseUAyMTMxOTczMwAAC7UAAAAAaTh+gQ==.K7+jVz0kZpHPSrLx0lVhUg=="
        ));
    }

    #[test]
    fn a_queue_is_publishable() {
        assert!(is_publishable("amq.gen-Xa2"));
        assert!(is_publishable("replies"));
    }

    #[test]
    fn what_would_kill_the_connection_is_not() {
        for address in ["", "amq.rabbitmq.reply-to", "amq.rabbitmq.reply-to.", "amq.rabbitmq.reply-to.abc.def"] {
            assert!(!is_publishable(address), "{address}");
        }
        assert!(!is_publishable(&"q".repeat(256)));
        assert!(!is_publishable(&direct("reply@", &[0; 12])));
        assert!(!is_publishable(&direct("rabbit@host", &[0; 12])));
        assert!(!is_publishable(&direct("reply@1", &[0; 11])));
        assert!(!is_publishable(&direct("reply@1", &[0; 13])));
    }
}
