//! For the fuzz targets: frames of a broker, messages in them, URIs.

use std::time::SystemTime;

use amiquip::AmqpProperties;
use amq_protocol::frame::{AMQPFrame, parse_frame};

use super::connection::{Limits, sanitized};
use super::dead_queue::identity;
use super::{Addresses, ReplyTo, wire};
use crate::message::dead::Death;
use crate::message::{EncodedReply, Request};

/// What is handed to amiquip of these bytes is what its parser takes.
pub(crate) fn frames(bytes: &[u8]) {
    let Some((size, bytes)) = bytes.split_first() else { return };
    let handed_out = sanitized(bytes, usize::from(*size) + 1);
    let mut rest = &handed_out[..];
    while let Some(size) = rest.get(3..7) {
        let size = u32::from_be_bytes(size.try_into().expect("they are four")) as usize;
        let Some((frame, next)) = rest.split_at_checked(size + 8) else { break };
        // What ends a frame is amiquip's own affair: it takes none that ends in another way.
        let is_ended = frame.last() == Some(&0xCE);
        assert_eq!(matches!(parse_frame(frame), Ok(([], _))), is_ended, "{frame:?}");
        rest = next;
    }
}

/// The properties in a content header, as the sanitizer and amiquip's parser leave them, and what follows it.
fn message(bytes: &[u8]) -> Option<(AmqpProperties, Vec<u8>)> {
    let (size, rest) = bytes.split_first_chunk()?;
    let (properties, body) = rest.split_at_checked(u16::from_be_bytes(*size).into())?;
    let payload = [&[0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], properties].concat();
    let size = u32::try_from(payload.len()).ok()?.to_be_bytes();
    let frame = sanitized(&[&[2, 0, 1], &size[..], &payload, &[0xCE]].concat(), 1 << 17);
    match parse_frame(&frame) {
        Ok(([], AMQPFrame::Header(_, _, header))) => Some((header.properties, body.to_vec())),
        _ => None,
    }
}

/// A request off the wire, which is also published again in every way that there is.
pub(crate) fn request(bytes: &[u8]) -> Option<Request> {
    let (properties, body) = message(bytes)?;
    let request = wire::request(&properties, body, true);
    let _ = request.reply_address().map(ReplyTo::parse);
    let _ = (request.deadline(), request.timeout(), identity::of(&properties, &request.body));
    let (queue, message, time) = ("math", "no".to_owned(), SystemTime::UNIX_EPOCH);
    let death = Death { reason: "failed", queue, time, status: Some(500), message, attempts: 1, dropped: None };
    for again in [
        wire::as_attempt(&properties, 2, SystemTime::UNIX_EPOCH),
        wire::as_dead_letter(&properties, &death, Limits::default()),
    ] {
        let _ = wire::check_frame(&again, Limits::default());
    }
    Some(request)
}

/// A reply off the wire.
pub(crate) fn reply(bytes: &[u8]) -> Option<EncodedReply> {
    message(bytes).map(|(properties, body)| wire::reply(&properties, body))
}

/// The URIs of brokers; whatever is wrong with them, no password is shown.
pub(crate) fn uris(text: &str) {
    const PASSWORD: &str = "Xq7sEcRet";
    // The fuzzer learns what it is compared with, and would write it where no password stands.
    if text.contains(PASSWORD) {
        return;
    }
    for text in [text.to_owned(), text.replacen('@', &format!("{PASSWORD}@"), 1)] {
        let said = match Addresses::parse(&text) {
            Ok(addresses) => format!("{addresses} {addresses:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        // Without a colon before it, it belongs to the user.
        let is_password = text.split_once(PASSWORD).is_some_and(|(before, _)| {
            before
                .strip_prefix("amqp://")
                .is_some_and(|login| login.contains(':') && !login.contains(['/', '@', '?', '#']))
        });
        assert!(!is_password || !said.contains(PASSWORD), "{said}");
    }
}
