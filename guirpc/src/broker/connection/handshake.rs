//! What is said while a connection is opened, where amiquip has no say or keeps it to itself.
//!
//! The client names itself, so that an operator finds the connection, logs in, and asks to be told why it is refused;
//! the broker's heartbeat is not taken for "none", which it may suggest; and what was agreed on is noted.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

use super::body_limit::DroppedBodies;
use super::frames::{method_arguments, method_id};
use super::login::Login;
use crate::broker::refusal;

/// Class and method of what is said, in order.
const START_OK: [u8; 4] = [0, 10, 0, 11];
const TUNE: [u8; 4] = [0, 10, 0, 30];
const TUNE_OK: [u8; 4] = [0, 10, 0, 31];
/// Type, channel and size.
const HEAD: usize = 7;
/// What follows the payload.
const END: usize = 1;
/// What every frame has beside its payload.
pub(super) const FRAME_OVERHEAD: usize = HEAD + END;
/// How the client's capabilities begin among its properties.
const CAPABILITIES: &[u8] = b"\x0ccapabilitiesF";
/// Has the broker say that it refuses a user, and not just hang up.
const SAY_REFUSAL: &[u8] = b"\x1cauthentication_failure_closet\x01";
const NAME: &[u8] = b"\x0fconnection_nameS";

/// What a connection may carry, as both sides agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The largest payload of a frame: all properties of a message are in one.
    pub(crate) frame: usize,
    pub(crate) channels: u16,
    /// In seconds; 0 is none.
    pub(crate) heartbeat: u16,
}

impl Default for Limits {
    /// What RabbitMQ and amiquip agree on unless an administrator has set less.
    fn default() -> Self {
        Limits { frame: (128 << 10) - FRAME_OVERHEAD, channels: 2047, heartbeat: 0 }
    }
}

/// What the broker said when it closed the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: u16,
    pub(super) text: String,
}

/// What was heard of a connection that amiquip does not tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard(Arc<Notes>);

#[derive(Debug, Default)]
struct Notes {
    limits: OnceLock<Limits>,
    close: OnceLock<Close>,
    violation: OnceLock<String>,
    dropped_bodies: DroppedBodies,
    certificate: OnceLock<Vec<u8>>,
}

impl Heard {
    /// The certificate that the broker has shown, in DER, if it has shown one.
    pub(super) fn certificate(&self) -> Option<&[u8]> {
        self.0.certificate.get().map(Vec::as_slice)
    }

    #[cfg(feature = "tls")]
    pub(super) fn note_certificate(&self, der: &[u8]) {
        let _ = self.0.certificate.set(der.to_owned());
    }

    /// The bodies of deliveries that were too large.
    pub(super) fn dropped_bodies(&self) -> &DroppedBodies {
        &self.0.dropped_bodies
    }

    pub(super) fn limits(&self) -> Limits {
        self.0.limits.get().copied().unwrap_or_default()
    }

    /// Why the broker has closed the connection, if it has.
    pub(super) fn close(&self) -> Option<&Close> {
        self.0.close.get()
    }

    /// What came that no broker sends, if anything did.
    pub(super) fn violation(&self) -> Option<&str> {
        self.0.violation.get().map(String::as_str)
    }

    /// Why nothing more comes, in words for users, if it was heard.
    pub(super) fn reason(&self) -> Option<String> {
        let close = self.close().map(|close| refusal::explain(close.code, &close.text).1);
        close.or_else(|| self.violation().map(|what| format!("it sends {what}, which is no AMQP 0-9-1")))
    }

    pub(super) fn note_violation(&self, what: String) {
        let _ = self.0.violation.set(what);
    }

    /// Notes the frame with which the broker closes the connection.
    pub(super) fn note_close(&self, frame: &[u8]) {
        if let Some(close) = method_arguments(frame).and_then(close) {
            let _ = self.0.close.set(close);
        }
    }

    fn note_limits(&self, arguments: &[u8]) {
        if let Some(limits) = limits(arguments) {
            let _ = self.0.limits.set(limits);
        }
    }
}

fn close(arguments: &[u8]) -> Option<Close> {
    let (code, rest) = arguments.split_first_chunk()?;
    let (length, rest) = rest.split_first()?;
    let text = rest.get(..usize::from(*length))?;
    Some(Close { code: u16::from_be_bytes(*code), text: String::from_utf8_lossy(text).into_owned() })
}

fn limits(arguments: &[u8]) -> Option<Limits> {
    let (channels, rest) = arguments.split_first_chunk()?;
    let (frame, rest) = rest.split_first_chunk()?;
    let heartbeat = u16::from_be_bytes(*rest.first_chunk()?);
    let frame = (u32::from_be_bytes(*frame) as usize).checked_sub(FRAME_OVERHEAD)?;
    Some(Limits { frame, channels: u16::from_be_bytes(*channels), heartbeat })
}

/// Has a frame of the broker's not suggest to do without a heartbeat, if it is about that.
///
/// amiquip takes the smaller of two, and none for the smallest; RabbitMQ goes by what the client says in any case.
pub(super) fn keep_heartbeat(frame: &mut [u8]) {
    let end = frame.len().saturating_sub(END);
    if method_id(frame) == Some(TUNE)
        && let Some(heartbeat) = frame.get_mut(..end).and_then(|frame| frame.last_chunk_mut())
        && *heartbeat == [0, 0]
    {
        *heartbeat = [0xff, 0xff];
    }
}

/// What amiquip writes while a connection is opened, on its way to the socket.
#[derive(Debug)]
pub(super) struct Introduction {
    /// What the broker shows the connection under.
    name: String,
    login: Login,
    heard: Heard,
    /// What is written instead of a frame, as far as it is not yet, and the length of that frame.
    instead: Vec<u8>,
    length: usize,
    is_over: bool,
}

impl Introduction {
    pub(super) fn new(name: &str, login: Login, heard: Heard) -> Self {
        Introduction { name: name.to_owned(), login, heard, instead: Vec::new(), length: 0, is_over: false }
    }

    /// Writes to the socket; gives how much of what amiquip has to write is done.
    pub(super) fn write(&mut self, stream: &mut impl Write, bytes: &[u8]) -> io::Result<usize> {
        if self.is_over {
            return stream.write(bytes);
        }
        if self.instead.is_empty() {
            // amiquip offers whole frames, and the next ones only when the broker has answered.
            let Some(frame) = first_frame(bytes) else { return stream.write(bytes) };
            match method_id(frame) {
                Some(START_OK) => {
                    self.length = frame.len();
                    self.instead = introduced(frame, &self.name, &self.login).unwrap_or_else(|| frame.to_vec());
                }
                Some(TUNE_OK) => {
                    self.heard.note_limits(method_arguments(frame).unwrap_or_default());
                    self.is_over = true;
                    return stream.write(bytes);
                }
                _ => return stream.write(bytes),
            }
        }
        while !self.instead.is_empty() {
            let written = stream.write(&self.instead)?;
            if written == 0 {
                return Ok(0);
            }
            self.instead.drain(..written);
        }
        Ok(self.length)
    }
}

/// The frame that these bytes begin with, if it is whole.
fn first_frame(bytes: &[u8]) -> Option<&[u8]> {
    let &[1, _, _, a, b, c, d] = bytes.first_chunk::<HEAD>()? else { return None };
    bytes.get(..(u32::from_be_bytes([a, b, c, d]) as usize).checked_add(FRAME_OVERHEAD)?)
}

/// The client's `start-ok` with a name for the connection, the wish to be told why it is refused, and the login.
fn introduced(frame: &[u8], name: &str, login: &Login) -> Option<Vec<u8>> {
    let (length, rest) = method_arguments(frame)?.split_first_chunk()?;
    let (properties, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let at = properties.windows(CAPABILITIES.len()).position(|part| part == CAPABILITIES)? + CAPABILITIES.len();
    let (before, after) = properties.split_at(at);
    let (length, after) = after.split_first_chunk()?;
    let (capabilities, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let capabilities = long(&[capabilities, SAY_REFUSAL].concat())?;
    let properties = long(&[before, &capabilities, after, NAME, &long(name.as_bytes())?].concat())?;
    let (mechanism, rest) = rest.split_at_checked(1 + usize::from(*rest.first()?))?;
    // amiquip's own response is empty.
    let (_, locale) = rest.split_first_chunk::<4>()?;
    let payload = long(&[&START_OK[..], &properties, mechanism, &long(login.response())?, locale].concat())?;
    Some([&frame[..3], &payload, &frame[frame.len() - END..]].concat())
}

/// Bytes with their length before them.
fn long(bytes: &[u8]) -> Option<Vec<u8>> {
    Some([&u32::try_from(bytes.len()).ok()?.to_be_bytes(), bytes].concat())
}

#[cfg(test)]
mod tests {
    use amq_protocol::frame::{AMQPFrame, parse_frame};
    use amq_protocol::protocol::AMQPClass;
    use amq_protocol::protocol::connection::AMQPMethod;
    use amq_protocol::types::AMQPValue;

    use super::*;
    use crate::broker::Address;

    fn frame(method: [u8; 4], arguments: &[u8]) -> Vec<u8> {
        [&[1, 0, 0], &long(&[&method, arguments].concat()).unwrap()[..], &[0xce]].concat()
    }

    fn start_ok() -> Vec<u8> {
        // The inner table is one of two entries, of 21 and of 7 bytes.
        let properties = b"\x0ccapabilitiesF\0\0\0\x1c\x12connection.blockedt\x01\x04ourst\x01\x07productS\0\0\0\x01a";
        frame(START_OK, &[&long(properties).unwrap()[..], b"\x05PLAIN\0\0\0\0\x05en_US"].concat())
    }

    /// Takes so many bytes at a time, and every other time none.
    struct Socket {
        written: Vec<u8>,
        at_a_time: usize,
        is_full: bool,
    }

    impl Write for Socket {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.is_full = !self.is_full;
            if self.is_full {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let length = bytes.len().min(self.at_a_time);
            self.written.extend_from_slice(&bytes[..length]);
            Ok(length)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_connection_is_named_and_logged_in_and_refusals_are_asked_for() {
        for at_a_time in [1, 10, 1000] {
            let mut socket = Socket { written: Vec::new(), at_a_time, is_full: false };
            let login = Login::new(&Address::parse("amqp://ada:secret@h").unwrap());
            let mut introduction = Introduction::new("math: server", login, Heard::default());
            let frames = [b"AMQP\0\0\x09\x01".to_vec(), start_ok()];
            for frame in &frames {
                let mut rest = &frame[..];
                while !rest.is_empty() {
                    match introduction.write(&mut socket, rest) {
                        Ok(length) => rest = &rest[length..],
                        Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
                    }
                }
            }
            let Ok(([], AMQPFrame::Method(0, AMQPClass::Connection(AMQPMethod::StartOk(start_ok))))) =
                parse_frame(&socket.written[8..])
            else {
                panic!("{:?}", socket.written);
            };
            let text = AMQPValue::LongString("math: server".to_owned());
            assert_eq!(start_ok.client_properties["connection_name"], text);
            let AMQPValue::FieldTable(capabilities) = &start_ok.client_properties["capabilities"] else { panic!() };
            assert_eq!(capabilities["authentication_failure_close"], AMQPValue::Boolean(true));
            assert_eq!(capabilities["connection.blocked"], AMQPValue::Boolean(true));
            assert_eq!((start_ok.response.as_str(), start_ok.locale.as_str()), ("\0ada\0secret", "en_US"));
        }
    }

    #[test]
    fn what_was_agreed_is_noted() {
        let heard = Heard::default();
        assert_eq!(heard.limits(), Limits::default());
        let tune_ok = frame(TUNE_OK, &[0, 7, 0, 0, 0x10, 0, 0, 10]);
        let mut introduction = Introduction::new("", Login::default(), heard.clone());
        let mut written = Vec::new();
        assert_eq!(introduction.write(&mut written, &tune_ok).unwrap(), tune_ok.len());
        assert_eq!(written, tune_ok);
        assert_eq!(heard.limits(), Limits { frame: 4096 - 8, channels: 7, heartbeat: 10 });
    }

    #[test]
    fn a_broker_without_a_heartbeat_leaves_ours_alone() {
        for (suggested, kept) in [([0, 0], [0xff, 0xff]), ([0, 60], [0, 60])] {
            let tune = |heartbeat: [u8; 2]| frame(TUNE, &[&[7, 0xff, 0, 2, 0, 0][..], &heartbeat].concat());
            let mut sanitized = tune(suggested);
            keep_heartbeat(&mut sanitized);
            assert_eq!(sanitized, tune(kept));
        }
    }

    #[test]
    fn the_brokers_reason_is_noted() {
        let heard = Heard::default();
        heard.note_close(&frame([0, 10, 0, 50], b"\x01\x40\x04gone\0\0\0\0"));
        assert_eq!(heard.close(), Some(&Close { code: 320, text: "gone".to_owned() }));
    }
}
