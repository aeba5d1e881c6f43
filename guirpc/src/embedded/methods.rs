//! Methods as bytes: read and written with the codec that amiquip uses, which is kept from what it cannot do.

use std::borrow::Cow;
use std::ops::Range;

use amq_protocol::frame::generation::gen_method_frame;
use amq_protocol::protocol::basic::AMQPMethod as Basic;
use amq_protocol::protocol::exchange::AMQPMethod as Exchange;
use amq_protocol::protocol::queue::AMQPMethod as Queue;
use amq_protocol::protocol::{AMQPClass, parse_class};

use super::refusal::{Code, MethodId, Refusal, octets};
use crate::broker::is_sound_table;

/// The class and the method that a payload names; zeros if it is too short for that.
pub(super) fn method_id(payload: &[u8]) -> MethodId {
    match payload.first_chunk() {
        Some(&[a, b, c, d]) => (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
        None => (0, 0),
    }
}

/// Why a method cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// There is no such method, on which RabbitMQ hangs up without a word.
    Unknown,
    /// The client is sent this reason, about this method.
    Refused(Refusal, MethodId),
}

/// Reads a method.
///
/// # Errors
/// It is malformed, unknown, or has a table that the codec could not read.
pub(super) fn parse_method(payload: &[u8]) -> Result<AMQPClass, Unreadable> {
    let id = method_id(payload);
    let refused = |code, text: &str| Err(Unreadable::Refused(Refusal::new(code, text), id));
    // The codec recurses into nested tables, on a stack that ends, and takes only UTF-8.
    if table(payload).is_some_and(|table| !is_sound_table(table)) {
        let text = "the embedded broker cannot read this table: it may nest 32 deep, with types that RabbitMQ knows, and texts in UTF-8";
        return refused(Code::NotImplemented, text);
    }
    match parse_class(&with_readable_key(payload)) {
        Ok(([], method)) => Ok(with_flags(method, payload)),
        Err(_) if UNKNOWN_TO_THE_CODEC.contains(&id) => {
            refused(Code::NotImplemented, "the embedded broker has no connection.update-secret")
        }
        Err(_) if !is_known(id) => Err(Unreadable::Unknown),
        Err(_) if has_text_that_is_not_utf_8(payload) => {
            let refusal = Refusal::new(Code::FrameError, "Malformed UTF-8 in shortstr");
            Err(Unreadable::Refused(refusal, (0, 0)))
        }
        _ => refused(Code::FrameError, &format!("cannot decode {}", octets(&payload[4..]))),
    }
}

/// `connection.update-secret`, which RabbitMQ has and the codec has not, and its answer.
const UNKNOWN_TO_THE_CODEC: [MethodId; 2] = [(10, 70), (10, 71)];

/// Whether the codec has the method; its arguments are not looked at.
fn is_known((class, method): MethodId) -> bool {
    let methods: &[u16] = match class {
        10 => &[10, 11, 20, 21, 30, 31, 40, 41, 50, 51, 60, 61],
        20 => &[10, 11, 20, 21, 40, 41],
        30 | 85 => &[10, 11],
        40 => &[10, 11, 20, 21, 30, 31, 40, 51],
        50 => &[10, 11, 20, 21, 30, 31, 40, 41, 50, 51],
        60 => &[10, 11, 20, 21, 30, 31, 40, 50, 60, 70, 71, 72, 80, 90, 100, 110, 111, 120],
        90 => &[10, 11, 20, 21, 30, 31],
        _ => &[],
    };
    methods.contains(&method)
}

/// Whether one of the texts that follow the ticket in a client's methods is whole, and still unreadable.
fn has_text_that_is_not_utf_8(payload: &[u8]) -> bool {
    let texts = [&[Bytes(2)][..], &[Bytes(2), ShortText], &[Bytes(2), ShortText, ShortText]];
    texts.into_iter().any(|before| {
        let text = behind(payload, before).and_then(|rest| rest.get(1..=usize::from(*rest.first()?)));
        text.is_some_and(|text| str::from_utf8(text).is_err())
    })
}

/// What stands before the part of a method's arguments that is looked for.
#[derive(Clone, Copy, Debug)]
enum Before {
    Bytes(usize),
    ShortText,
}

use Before::{Bytes, ShortText};

/// The arguments of a method, from behind these on.
fn behind<'a>(payload: &'a [u8], before: &[Before]) -> Option<&'a [u8]> {
    before.iter().try_fold(payload.get(4..)?, |rest, part| {
        rest.get(
            match part {
                Bytes(length) => *length,
                ShortText => 1 + usize::from(*rest.first()?),
            }..,
        )
    })
}

/// The content of the table in a method's arguments, if it has one and that is whole.
fn table(payload: &[u8]) -> Option<&[u8]> {
    let before: &[Before] = match method_id(payload) {
        (10, 11) => &[],
        (40, 10) | (60, 20) => &[Bytes(2), ShortText, ShortText, Bytes(1)],
        (40, 30 | 40) | (50, 20) => &[Bytes(2), ShortText, ShortText, ShortText, Bytes(1)],
        (50, 10) => &[Bytes(2), ShortText, Bytes(1)],
        (50, 50) => &[Bytes(2), ShortText, ShortText, ShortText],
        _ => return None,
    };
    let (length, rest) = behind(payload, before)?.split_first_chunk()?;
    rest.get(..u32::from_be_bytes(*length) as usize)
}

/// Where the routing key of `basic.publish` is in its payload.
fn key_range(payload: &[u8]) -> Option<Range<usize>> {
    let (60, 40) = method_id(payload) else { return None };
    let key = behind(payload, &[Bytes(2), ShortText])?;
    let start = payload.len() - key.len() + 1;
    Some(start..start + usize::from(*key.first()?)).filter(|range| range.end <= payload.len())
}

/// The routing key of `basic.publish`, which may be any bytes.
pub(super) fn routing_key(payload: &[u8]) -> &[u8] {
    key_range(payload).map_or(&[], |range| &payload[range])
}

/// The payload as the codec can read it, which takes only UTF-8.
fn with_readable_key(payload: &[u8]) -> Cow<'_, [u8]> {
    match key_range(payload) {
        Some(range) if str::from_utf8(&payload[range.clone()]).is_err() => {
            let mut readable = payload.to_vec();
            readable[range].fill(b'?');
            readable.into()
        }
        _ => payload.into(),
    }
}

/// Sets the flags whose names have a hyphen, which amq-protocol 1.4 loses: it looks for them under another name.
fn with_flags(mut method: AMQPClass, payload: &[u8]) -> AMQPClass {
    let flag = |texts: usize, bit: u8| {
        let before = &[Bytes(2), ShortText, ShortText][..=texts];
        behind(payload, before).and_then(|rest| rest.first()).is_some_and(|flags| flags & (1 << bit) != 0)
    };
    match &mut method {
        AMQPClass::Exchange(Exchange::Declare(declare)) => declare.auto_delete = flag(2, 2),
        AMQPClass::Exchange(Exchange::Delete(delete)) => delete.if_unused = flag(1, 0),
        AMQPClass::Queue(Queue::Declare(declare)) => declare.auto_delete = flag(1, 3),
        AMQPClass::Queue(Queue::Delete(delete)) => (delete.if_unused, delete.if_empty) = (flag(1, 0), flag(1, 1)),
        AMQPClass::Basic(Basic::Consume(consume)) => (consume.no_local, consume.no_ack) = (flag(2, 0), flag(2, 1)),
        AMQPClass::Basic(Basic::Get(get)) => get.no_ack = flag(1, 0),
        _ => {}
    }
    method
}

/// Writes a method as a frame.
pub(super) fn write_method(to: &mut Vec<u8>, channel: u16, method: &AMQPClass) {
    generate(to, |buffer| gen_method_frame(buffer, channel, method).map(|(_, end)| end));
}

/// Has the codec write to the end of `to`.
///
/// It writes into a slice, and fails only where that is too short.
pub(super) fn generate<E>(to: &mut Vec<u8>, write: impl Fn((&mut [u8], usize)) -> Result<usize, E>) {
    let start = to.len();
    let mut room = 256;
    loop {
        to.resize(start + room, 0);
        match write((to.as_mut_slice(), start)) {
            Ok(end) => return to.truncate(end),
            Err(_) => room *= 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use amq_protocol::protocol::basic::Consume;
    use amq_protocol::protocol::queue::{Declare, Delete};
    use amq_protocol::types::FieldTable;

    use super::*;
    use crate::embedded::wire::OVERHEAD;

    /// Writes a method, and reads it again.
    fn again(method: &AMQPClass) -> Result<AMQPClass, Unreadable> {
        let mut frame = Vec::new();
        write_method(&mut frame, 1, method);
        parse_method(&frame[OVERHEAD - 1..frame.len() - 1])
    }

    #[track_caller]
    fn check(method: &AMQPClass) {
        assert_eq!(again(method).as_ref(), Ok(method));
    }

    #[test]
    fn no_flag_is_lost() {
        for bit in 0..5 {
            let flag = |other| bit == other;
            check(&AMQPClass::Queue(Queue::Declare(Declare {
                ticket: 0,
                queue: "q".to_owned(),
                passive: flag(0),
                durable: flag(1),
                exclusive: flag(2),
                auto_delete: flag(3),
                nowait: flag(4),
                arguments: FieldTable::new(),
            })));
            check(&AMQPClass::Queue(Queue::Delete(Delete {
                ticket: 0,
                queue: String::new(),
                if_unused: flag(0),
                if_empty: flag(1),
                nowait: flag(2),
            })));
            check(&AMQPClass::Basic(Basic::Consume(Consume {
                ticket: 0,
                queue: "q".to_owned(),
                consumer_tag: "tag".to_owned(),
                no_local: flag(0),
                no_ack: flag(1),
                exclusive: flag(2),
                nowait: flag(3),
                arguments: FieldTable::new(),
            })));
        }
    }

    #[test]
    fn a_routing_key_may_be_any_bytes() {
        let publish = b"\0\x3c\0\x28\0\0\x01e\x02\xffk\x01";
        assert_eq!(routing_key(publish), b"\xffk");
        let Ok(AMQPClass::Basic(Basic::Publish(read))) = parse_method(publish) else { panic!("it is one") };
        assert_eq!((read.exchange.as_str(), read.mandatory), ("e", true));
        assert_eq!(routing_key(&publish[..9]), b"");
    }

    #[track_caller]
    fn check_refused(payload: &[u8], code: Code, text: &str) {
        match parse_method(payload) {
            Err(Unreadable::Refused(refusal, _)) => {
                assert_eq!(refusal.code, code);
                assert!(refusal.text.contains(text), "{}", refusal.text);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_method_is_told_apart() {
        check_refused(&[0, 50, 0, 10, 0], Code::FrameError, "cannot decode <<0>>");
        check_refused(b"\0\x32\0\x1e\0\0\x02\xff\xfe\0", Code::FrameError, "UTF-8");
        check_refused(&[0, 10, 0, 70, 0], Code::NotImplemented, "update-secret");
        assert_eq!(parse_method(&[0, 50, 0, 99]), Err(Unreadable::Unknown));
    }

    /// Each level is a table that holds the next; the codec would need a stack of their size.
    #[test]
    fn deep_tables_are_refused() {
        let deep = (0..2000).fold(Vec::new(), |inner, _| {
            let length = u32::try_from(inner.len()).unwrap().to_be_bytes();
            [&b"\x01tF"[..], &length, &inner].concat()
        });
        let length = u32::try_from(deep.len()).unwrap().to_be_bytes();
        let declare = [&b"\0\x32\0\x0a\0\0\x01q\0"[..], &length, &deep].concat();
        check_refused(&declare, Code::NotImplemented, "32 deep");
    }
}
