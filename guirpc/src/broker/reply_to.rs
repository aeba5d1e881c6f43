//! Reply addresses, which come from strangers.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) use crate::message::NO_REPLY as NOBODY;
use crate::message::Request;

/// How RabbitMQ names the pseudo-queues of direct reply-to.
const DIRECT_PREFIX: &str = "amq.rabbitmq.reply-to.";
/// Erlang's external term format: version, then a process identifier with a two-byte atom length.
const PID_START: [u8; 2] = [131, 88];
const ATOM: u8 = 118;
/// Of AMQP's short strings, in bytes.
const LONGEST: usize = 255;
/// Serial, number and creation of the process: four bytes each.
const PID_END: usize = 12;

/// An address that can be published to without doing harm.
///
/// RabbitMQ 3.10 and 4.0 answer a malformed direct reply-to address with 541 and close the whole connection,
/// so a hostile caller could disconnect every server that it sends a request to.
/// Ordinary queue names are all harmless: an unknown one loses the reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReplyTo {
    address: Arc<str>,
    /// Of a direct reply-to address: the number of the broker's node.
    node: Option<u64>,
}

impl ReplyTo {
    /// Takes the address that a request names, if it wants a reply.
    ///
    /// # Errors
    /// It is malformed; says so in words.
    pub(crate) fn of(request: &Request) -> Result<Option<Self>, String> {
        request.reply_address().map(ReplyTo::parse).transpose()
    }

    pub(crate) fn parse(address: &str) -> Result<Self, String> {
        match kind(address) {
            Some(Kind::Queue) => Ok(ReplyTo { address: address.into(), node: None }),
            Some(Kind::Direct { node }) => Ok(ReplyTo { address: address.into(), node: Some(node) }),
            None => Err(format!("the reply address `{address:.80}` is malformed")),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.address
    }

    /// The node that it is on, if it is a direct one.
    pub(crate) fn node(&self) -> Option<u64> {
        self.node
    }

    /// An address on the same node that is never in use.
    pub(super) fn unclaimed(&self) -> String {
        let process = self.address.rsplit_once('.').map_or(&*self.address, |(process, _)| process);
        format!("{process}.unclaimed")
    }
}

/// What kind of address it is, if it can be published to without doing harm by its form.
enum Kind {
    Queue,
    Direct { node: u64 },
}

fn kind(address: &str) -> Option<Kind> {
    if address.is_empty() || address.len() > LONGEST {
        return None;
    }
    if !address.starts_with("amq.rabbitmq.reply-to") {
        return Some(Kind::Queue);
    }
    let (process, key) = address.strip_prefix(DIRECT_PREFIX)?.split_once('.')?;
    // RabbitMQ takes several dots for one.
    let is_key = !key.is_empty() && !key.contains('.');
    process_node(process).filter(|_| is_key).map(|node| Kind::Direct { node })
}

/// The node of an encoded process identifier; RabbitMQ names nodes for this purpose `reply@` and a number.
fn process_node(encoded: &str) -> Option<u64> {
    let mut bytes = [0; LONGEST];
    let length = STANDARD.decode_slice(encoded, &mut bytes).ok()?;
    let [ATOM, rest @ ..] = bytes[..length].strip_prefix(&PID_START)? else { return None };
    let [high, low, rest @ ..] = rest else { return None };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let (node, rest) = rest.split_at_checked(length)?;
    let digits = str::from_utf8(node.strip_prefix(b"reply@")?).ok()?;
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number && rest.len() == PID_END)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_publishable(address: &str) -> bool {
        ReplyTo::parse(address).is_ok()
    }

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
        assert!(!is_publishable(&direct("reply@+1", &[0; 12])));
        assert!(!is_publishable(&direct("reply@99999999999999999999999", &[0; 12])));
    }

    #[test]
    fn the_node_of_a_direct_address_is_known() {
        let address = ReplyTo::parse(&direct("reply@25863394", &[1; 12])).unwrap();
        assert_eq!(address.node(), Some(25_863_394));
        let unclaimed = ReplyTo::parse(&address.unclaimed()).unwrap();
        assert_eq!(unclaimed.node(), address.node());
        assert_ne!(unclaimed.as_str(), address.as_str());
        assert_eq!(ReplyTo::parse("replies").unwrap().node(), None);
    }
}
