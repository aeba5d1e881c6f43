//! Addresses for replies, of which RabbitMQ closes the connection for some.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::message::{Fate, Message};
use crate::service::SERVICE;

/// An address of direct replies, with this as the process.
fn direct(process: &[u8], after: &str) -> Vec<u8> {
    format!("amq.rabbitmq.reply-to.{}{after}", STANDARD.encode(process)).into_bytes()
}

/// A process as RabbitMQ writes it.
fn process(version: u8, kind: u8, atom: u8, node: &[u8], end: &[u8]) -> Vec<u8> {
    let length = u16::try_from(node.len()).expect("it is short").to_be_bytes();
    [&[version, kind, atom], &length[..], node, end].concat()
}

/// Nothing may be sent to these.
fn malformed() -> Vec<(String, Vec<u8>)> {
    let whole = process(131, 88, 118, b"reply@25863394", &[0; 12]);
    let mut addresses: Vec<(String, Vec<u8>)> = [
        ("nothing", &b""[..]),
        ("without a process", b"amq.rabbitmq.reply-to."),
        ("only dots", b"amq.rabbitmq.reply-to..."),
        ("longer by a letter", b"amq.rabbitmq.reply-tox"),
        ("no base64", b"amq.rabbitmq.reply-to.abc.def"),
        ("base64 of nothing", b"amq.rabbitmq.reply-to..key"),
        ("base64 that is padded wrongly", b"amq.rabbitmq.reply-to.g1h===.key"),
        ("base64 for addresses of pages", b"amq.rabbitmq.reply-to.g1h-_w==.key"),
        ("not UTF-8", b"amq.rabbitmq.reply-to.\xff\xfe.key"),
        ("zeros", b"amq.rabbitmq.reply-to.\0\0\0\0.key"),
        ("line breaks", b"amq.rabbitmq.reply-to.g1h2\r\nAA5y.key"),
    ]
    .map(|(name, address)| (name.to_owned(), address.to_vec()))
    .into();
    for (name, process) in [
        ("another version", process(130, 88, 118, b"reply@1", &[0; 12])),
        ("a list for a process", process(131, 108, 118, b"reply@1", &[0; 12])),
        ("a process of old", process(131, 103, 118, b"reply@1", &[0; 12])),
        ("a port", process(131, 89, 118, b"reply@1", &[0; 12])),
        ("a number for a node", process(131, 88, 97, b"reply@1", &[0; 12])),
        ("the broker's own node", process(131, 88, 118, b"rabbit@localhost", &[0; 12])),
        ("a node of letters", process(131, 88, 118, b"reply@abc", &[0; 12])),
        ("a node of no digits", process(131, 88, 118, b"reply@", &[0; 12])),
        ("a node that is not UTF-8", process(131, 88, 118, b"reply@\xff", &[0; 12])),
        ("a process cut short", process(131, 88, 118, b"reply@1", &[0; 11])),
        ("a process with more behind it", process(131, 88, 118, b"reply@1", &[0; 13])),
        ("a compressed term", vec![131, 80, 0, 0, 0xff, 0xff, 0x78, 0x9c]),
        ("a huge binary", vec![131, 109, 0xff, 0xff, 0xff, 0xff]),
        ("a huge tuple", vec![131, 105, 0xff, 0xff, 0xff, 0xff]),
        ("a function", vec![131, 112, 0, 0, 0, 1]),
        ("only a version", vec![131]),
    ] {
        addresses.push((name.to_owned(), direct(&process, ".key")));
    }
    addresses.push(("a process with a key of dots".to_owned(), direct(&whole, ".....")));
    addresses.push(("a process without a key".to_owned(), direct(&whole, "")));
    addresses.push(("a process with an empty key".to_owned(), direct(&whole, ".")));
    addresses.push((
        "a space in the process".to_owned(),
        direct(&whole, "")[..40].iter().chain(b" .key").copied().collect(),
    ));
    addresses
}

/// Something may be sent to these, and nobody is there.
fn vain() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a queue that is not there", b"no-such-queue".to_vec()),
        ("a queue of the longest name", vec![b'q'; 255]),
        ("a queue that is not UTF-8", vec![0xff; 255]),
        ("a queue of zeros", vec![0; 255]),
        ("a queue of spaces", b"   ".to_vec()),
        ("another's direct replies", b"amq.broker.reply-to.nonsense".to_vec()),
        ("direct replies in capitals", b"AMQ.RABBITMQ.REPLY-TO.abc.def".to_vec()),
        ("nobody", b"guirpc.nobody".to_vec()),
        ("a query", b"'; drop table users; --".to_vec()),
        ("an address of another broker", b"amqp://guest:guest@localhost/".to_vec()),
        // RabbitMQ closes the connection of whoever sends anything there.
        ("a node that the broker has never had", direct(&process(131, 88, 118, b"reply@1", &[0xff; 12]), ".key")),
        ("another one", direct(&process(131, 88, 118, b"reply@25863394", &[0; 12]), ".qm0kL6BLUl3pPhMUvDeHqw==")),
        // Its answer is a request of its own, which asks for no answer.
        ("the service itself", SERVICE.as_bytes().to_vec()),
    ]
}

pub(super) fn messages() -> Vec<Message> {
    let malformed = malformed()
        .into_iter()
        .map(|(name, address)| Message::new(format!("reply to: {name}")).reply_to(&address).fate(Fate::Unanswerable));
    let vain = vain()
        .into_iter()
        .map(|(name, address)| Message::new(format!("reply to: {name}")).reply_to(&address).fate(Fate::Silent));
    let of_python = [Message::python("reply to: the service itself, from Python", b"add", None, b"e30=".to_vec())
        .reply_to(SERVICE.as_bytes())
        .fate(Fate::Silent)];
    // The broker refuses it where nobody consumes from it.
    let pseudo = [Message::new("reply to: direct replies without a consumer")
        .reply_to(b"amq.rabbitmq.reply-to")
        .fate(Fate::Perhaps)];
    malformed.chain(vain).chain(of_python).chain(pseudo).collect()
}
