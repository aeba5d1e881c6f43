//! The methods that a broker sends, and what they are made of.
//!
//! amiquip parses all that AMQP has, those that only clients send as well, and then closes the connection in a way
//! that its own thread may not survive: so no other method reaches it.

use super::super::frames::{
    CANCEL, CANCEL_OK, CHANNEL_CLOSE, CHANNEL_OPEN_OK, CLOSE, CLOSE_OK, CONSUME_OK, DELIVER, GET_OK, MethodId, id,
};
use super::parts::Part::{self, Bytes, Long, Short, Table};

/// The class of what concerns a connection as a whole, and belongs on channel 0.
pub(super) const CONNECTION: u8 = 10;

/// Each method that a broker sends, with its arguments.
pub(super) const SENT_BY_BROKERS: &[(MethodId, &[Part])] = &[
    // Nearly all that comes are these.
    (DELIVER, &[Short, Bytes(9), Short, Short]),
    (id(60, 80), &[Bytes(9)]),
    (id(60, 50), &[Bytes(2), Short, Short, Short]),
    // connection
    (id(10, 10), &[Bytes(2), Table, Long, Long]),
    (id(10, 20), &[Long]),
    (id(10, 30), &[Bytes(8)]),
    (id(10, 41), &[Short]),
    (CLOSE, &[Bytes(2), Short, Bytes(4)]),
    (CLOSE_OK, &[]),
    (id(10, 60), &[Short]),
    (id(10, 61), &[]),
    // channel
    (CHANNEL_OPEN_OK, &[Long]),
    (CHANNEL_CLOSE, &[Bytes(2), Short, Bytes(4)]),
    (id(20, 41), &[]),
    // exchange
    (id(40, 11), &[]),
    (id(40, 21), &[]),
    (id(40, 31), &[]),
    (id(40, 51), &[]),
    // queue
    (id(50, 11), &[Short, Bytes(8)]),
    (id(50, 21), &[]),
    (id(50, 31), &[Bytes(4)]),
    (id(50, 41), &[Bytes(4)]),
    (id(50, 51), &[]),
    // basic
    (id(60, 11), &[]),
    (CONSUME_OK, &[Short]),
    (CANCEL, &[Short, Bytes(1)]),
    (CANCEL_OK, &[Short]),
    (GET_OK, &[Bytes(9), Short, Short, Bytes(4)]),
    (id(60, 72), &[Short]),
    (id(60, 111), &[]),
    (id(60, 120), &[Bytes(9)]),
    // confirm
    (id(85, 11), &[]),
];

/// Sanitizes the arguments of a method; none if no broker sends it so.
pub(super) fn sanitize_method(method: MethodId, arguments: &mut [u8]) -> Option<()> {
    let (_, parts) = SENT_BY_BROKERS.iter().find(|(id, _)| *id == method)?;
    parts.iter().try_fold(arguments, |rest, part| part.sanitize(rest)).map(drop)
}

/// Gives a consumer another tag, where a method is about one: the same for each of them.
///
/// So a consumer that is dropped cancels one that there is not, and amiquip forgets one that there is not.
pub(super) fn rename_consumer(method: MethodId, arguments: &mut [u8]) {
    if let CONSUME_OK | CANCEL | CANCEL_OK | DELIVER = method
        && let [length, first, ..] = arguments
        && *length > 0
        && first.is_ascii()
    {
        *first ^= 1;
    }
}
