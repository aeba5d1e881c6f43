//! Calls that travel together in one message, and replies that do: the two bodies, in MessagePack.
//!
//! Knows nothing of what is in the body of a call. It borrows where it can: a message holds many calls, and most are small.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::value::Error;
use serde::de::{Error as _, IgnoredAny};

use super::message_pack::{Head, Reader};
use super::{Codec, DecodeError};
use crate::message::{CALLS, EncodedReply, HeaderValue, Headers, ReplyKind};

#[cfg(test)]
mod tests;

/// A message holds no more calls, or replies, than this.
pub(crate) const MOST: usize = 1024;

/// A call, as it is written: an array.
const CALL: usize = 7;
const REPLY: usize = 6;
/// AMQP's short strings: each call may be published again alone.
const LONGEST_SHORT: usize = 255;
/// What a call or a reply takes beside its texts, its headers and its body, at most.
const OVERHEAD: usize = 48;
/// MessagePack's own extension type.
const TIMESTAMP: i8 = -1;

/// One of the calls of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CoalescedCall<'a> {
    /// Its correlation id.
    pub(crate) id: &'a str,
    pub(crate) function: &'a str,
    /// `None` is MessagePack.
    pub(crate) content_type: Option<&'a str>,
    /// As in the header [`DEADLINE`](crate::message::DEADLINE).
    pub(crate) deadline: Option<i64>,
    /// As in the header [`TIMEOUT`](crate::message::TIMEOUT).
    pub(crate) timeout: Option<i64>,
    /// Its own headers, without these two.
    pub(crate) headers: Cow<'a, Headers>,
    pub(crate) body: &'a [u8],
}

/// One of the replies of a message: in the native dialect, so without a content encoding.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CoalescedReply<'a> {
    /// The correlation id of its call.
    pub(crate) id: &'a str,
    pub(crate) reply: Cow<'a, EncodedReply>,
}

impl CoalescedCall<'_> {
    /// No more than this many bytes of the message.
    pub(crate) fn size(&self) -> usize {
        let content_type = self.content_type.unwrap_or_default();
        OVERHEAD
            + [self.id, self.function, content_type].map(str::len).iter().sum::<usize>()
            + headers_size(&self.headers)
            + self.body.len()
    }
}

impl CoalescedReply<'_> {
    /// No more than this many bytes of the message.
    pub(crate) fn size(&self) -> usize {
        let EncodedReply { content_type, headers, body, .. } = &*self.reply;
        OVERHEAD + self.id.len() + content_type.len() + headers_size(headers) + body.len()
    }
}

/// MessagePack has longer names than AMQP, and no value of it is longer than AMQP's.
fn headers_size(headers: &Headers) -> usize {
    if headers.is_empty() { 0 } else { headers.size() + 4 * headers.iter().count() }
}

/// The body of a message of calls.
pub(crate) fn encode_calls(calls: &[CoalescedCall<'_>]) -> Vec<u8> {
    let mut writer = Writer::of(calls.iter().map(CoalescedCall::size));
    writer.list(calls.len());
    for CoalescedCall { id, function, content_type, deadline, timeout, headers, body } in calls {
        writer.list(CALL);
        writer.text(id);
        writer.text(function);
        writer.optional(*content_type, Writer::text);
        writer.optional(*deadline, Writer::integer);
        writer.optional(*timeout, Writer::integer);
        writer.headers(headers);
        writer.bytes(body);
    }
    writer.0
}

/// The calls of a message.
///
/// # Errors
/// It is no list of calls, or holds none or too many: none of them is to be run.
pub(crate) fn decode_calls(body: &[u8]) -> Result<Vec<CoalescedCall<'_>>, DecodeError> {
    decode(body, "call", CALL, |reader| {
        Ok(CoalescedCall {
            id: short(reader, "id")?,
            function: function(reader)?,
            content_type: optional_short(reader, "content type")?,
            deadline: optional_integer(reader, "deadline")?,
            timeout: optional_integer(reader, "timeout")?,
            headers: Cow::Owned(headers(reader)?),
            body: bytes(reader)?,
        })
    })
}

/// The body of a message of replies.
pub(crate) fn encode_replies(replies: &[CoalescedReply<'_>]) -> Vec<u8> {
    let mut writer = Writer::of(replies.iter().map(CoalescedReply::size));
    writer.list(replies.len());
    for CoalescedReply { id, reply } in replies {
        writer.list(REPLY);
        writer.text(id);
        writer.optional(reply.kind.map(ReplyKind::as_str), Writer::text);
        writer.integer(reply.status.into());
        writer.optional(Some(&*reply.content_type).filter(|text| !text.is_empty()), Writer::text);
        writer.headers(&reply.headers);
        writer.bytes(&reply.body);
    }
    writer.0
}

/// The replies of a message.
///
/// # Errors
/// It is no list of replies, or holds none or too many.
pub(crate) fn decode_replies(body: &[u8]) -> Result<Vec<CoalescedReply<'_>>, DecodeError> {
    decode(body, "reply", REPLY, |reader| {
        let id = short(reader, "id")?;
        let kind = optional_short(reader, "kind")?.and_then(ReplyKind::from_name);
        // Out of range is not a status.
        let status = optional_integer(reader, "status")?.and_then(|status| u16::try_from(status).ok());
        let content_type = optional_short(reader, "content type")?.unwrap_or_default();
        let reply = EncodedReply {
            kind,
            status: status.unwrap_or_default(),
            content_type: match Codec::from_content_type(content_type) {
                Some(codec) => codec.content_type().into(),
                None => content_type.to_owned().into(),
            },
            content_encoding: None,
            headers: headers(reader)?,
            body: bytes(reader)?.to_owned(),
        };
        Ok(CoalescedReply { id, reply: Cow::Owned(reply) })
    })
}

/// Writes into memory, which cannot fail.
struct Writer(Vec<u8>);

const IN_MEMORY: &str = "memory takes everything";

impl Writer {
    fn of(sizes: impl Iterator<Item = usize>) -> Self {
        Writer(Vec::with_capacity(sizes.sum::<usize>() + 5))
    }

    fn list(&mut self, count: usize) {
        rmp::encode::write_array_len(&mut self.0, length(count)).expect(IN_MEMORY);
    }

    fn map(&mut self, count: usize) {
        rmp::encode::write_map_len(&mut self.0, length(count)).expect(IN_MEMORY);
    }

    fn text(&mut self, text: &str) {
        rmp::encode::write_str(&mut self.0, text).expect(IN_MEMORY);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        rmp::encode::write_bin(&mut self.0, bytes).expect(IN_MEMORY);
    }

    fn integer(&mut self, integer: i64) {
        rmp::encode::write_sint(&mut self.0, integer).expect(IN_MEMORY);
    }

    fn nil(&mut self) {
        rmp::encode::write_nil(&mut self.0).expect(IN_MEMORY);
    }

    fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.nil(),
        }
    }

    fn headers(&mut self, headers: &Headers) {
        if headers.is_empty() { self.nil() } else { self.table(headers) }
    }

    fn table(&mut self, headers: &Headers) {
        self.map(headers.iter().count());
        for (name, value) in headers.iter() {
            self.text(name);
            self.header(value);
        }
    }

    fn header(&mut self, value: &HeaderValue) {
        match value {
            HeaderValue::Bool(value) => rmp::encode::write_bool(&mut self.0, *value).expect(IN_MEMORY),
            HeaderValue::Integer(integer) => self.integer(*integer),
            HeaderValue::Float(number) => rmp::encode::write_f64(&mut self.0, *number).expect(IN_MEMORY),
            HeaderValue::Text(text) => self.text(text),
            HeaderValue::Bytes(bytes) => self.bytes(bytes),
            HeaderValue::Timestamp(seconds) => self.timestamp(*seconds),
            HeaderValue::Void => self.nil(),
            HeaderValue::List(values) => {
                self.list(values.len());
                for value in values {
                    self.header(value);
                }
            }
            HeaderValue::Table(headers) => self.table(headers),
        }
    }

    fn timestamp(&mut self, seconds: u64) {
        let mut extension = |bytes: &[u8]| {
            rmp::encode::write_ext_meta(&mut self.0, length(bytes.len()), TIMESTAMP).expect(IN_MEMORY);
            self.0.extend(bytes);
        };
        match u32::try_from(seconds) {
            Ok(seconds) => extension(&seconds.to_be_bytes()),
            // Behind the nanoseconds.
            Err(_) => extension(&[[0; 4].as_slice(), &seconds.to_be_bytes()].concat()),
        }
    }
}

fn length(length: usize) -> u32 {
    u32::try_from(length).expect("a message is shorter than 4 GiB")
}

/// A list of as many as there may be, each an array that begins with so many elements; others may follow them.
fn decode<'de, T>(
    body: &'de [u8],
    what: &str,
    elements: usize,
    read: impl Fn(&mut Reader<'de>) -> Result<T, Error>,
) -> Result<Vec<T>, DecodeError> {
    let mut reader = Reader::new(body);
    let all = decode_all(&mut reader, what, elements, read);
    all.and_then(|all| reader.end().map(|()| all)).map_err(|error| DecodeError::Invalid(error.to_string()))
}

fn decode_all<'de, T>(
    reader: &mut Reader<'de>,
    what: &str,
    elements: usize,
    read: impl Fn(&mut Reader<'de>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let count = match reader.head()? {
        Head::List(count) => count,
        head => return Err(Error::invalid_type(head.unexpected(), &"a list")),
    };
    if !(1..=MOST).contains(&count) {
        return Err(Error::custom(format_args!("a message holds from 1 to {MOST}, this one {count}")));
    }
    reader.nested(|reader| {
        let one = |number: usize| {
            let one = read_one(reader, elements, &read);
            one.map_err(|error| Error::custom(format_args!("{what} {}: {error}", number + 1)))
        };
        (0..count).map(one).collect()
    })
}

fn read_one<'de, T>(
    reader: &mut Reader<'de>,
    elements: usize,
    read: impl Fn(&mut Reader<'de>) -> Result<T, Error>,
) -> Result<T, Error> {
    let further = match reader.head()? {
        Head::List(count) => count.checked_sub(elements),
        head => return Err(Error::invalid_type(head.unexpected(), &"a list")),
    };
    let Some(further) = further else {
        return Err(Error::custom(format_args!("it has less than {elements} elements")));
    };
    reader.nested(|reader| {
        let one = read(reader)?;
        for _ in 0..further {
            IgnoredAny::deserialize(&mut *reader)?;
        }
        Ok(one)
    })
}

fn wrong(head: Head<'_>, what: &str, expected: &str) -> Error {
    Error::custom(format_args!("the {what}: {}", Error::invalid_type(head.unexpected(), &expected)))
}

fn short<'de>(reader: &mut Reader<'de>, what: &str) -> Result<&'de str, Error> {
    optional_short(reader, what)?.ok_or_else(|| wrong(Head::Nil, what, "a text"))
}

/// A message in a message could be as deep as somebody likes.
fn function<'de>(reader: &mut Reader<'de>) -> Result<&'de str, Error> {
    match short(reader, "function")? {
        CALLS => Err(Error::custom("a message of calls in a message of calls")),
        function => Ok(function),
    }
}

fn optional_short<'de>(reader: &mut Reader<'de>, what: &str) -> Result<Option<&'de str>, Error> {
    match reader.head()? {
        Head::Nil => Ok(None),
        Head::Text(text) if text.len() <= LONGEST_SHORT => Ok(Some(text)),
        Head::Text(text) => {
            Err(Error::custom(format_args!("the {what} has {} bytes, AMQP allows {LONGEST_SHORT}", text.len())))
        }
        head => Err(wrong(head, what, "a text")),
    }
}

fn optional_integer(reader: &mut Reader<'_>, what: &str) -> Result<Option<i64>, Error> {
    match reader.head()? {
        Head::Nil => Ok(None),
        head => integer(head).map(Some).ok_or_else(|| wrong(head, what, "an integer of 64 bits")),
    }
}

fn integer(head: Head<'_>) -> Option<i64> {
    match head {
        Head::Signed(integer) => Some(integer),
        Head::Unsigned(integer) => i64::try_from(integer).ok(),
        _ => None,
    }
}

fn bytes<'de>(reader: &mut Reader<'de>) -> Result<&'de [u8], Error> {
    match reader.head()? {
        Head::Bytes(bytes) => Ok(bytes),
        head => Err(wrong(head, "body", "bytes")),
    }
}

fn headers(reader: &mut Reader<'_>) -> Result<Headers, Error> {
    match reader.head()? {
        Head::Nil => Ok(Headers::new()),
        Head::Map(count) => table(reader, count),
        head => Err(wrong(head, "headers", "a map")),
    }
}

fn table(reader: &mut Reader<'_>, count: usize) -> Result<Headers, Error> {
    let header = |reader: &mut Reader<'_>| {
        let name = short(reader, "name of a header")?;
        let value = header(reader).map_err(|error| Error::custom(format_args!("header `{name}`: {error}")))?;
        Ok((name.to_owned(), value))
    };
    let headers: Headers = reader.nested(|reader| (0..count).map(|_| header(reader)).collect::<Result<_, Error>>())?;
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| name).collect();
    // A list that is searched for each would take too long if a stranger makes it long.
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(twice) => Err(Error::custom(format_args!("header `{}` is there twice", twice[0]))),
        None => Ok(headers),
    }
}

fn header(reader: &mut Reader<'_>) -> Result<HeaderValue, Error> {
    reader.count()?;
    Ok(match reader.head()? {
        Head::Nil => HeaderValue::Void,
        Head::Bool(value) => HeaderValue::Bool(value),
        head @ (Head::Unsigned(_) | Head::Signed(_)) => HeaderValue::Integer(
            integer(head).ok_or_else(|| Error::invalid_value(head.unexpected(), &"an integer of 64 bits"))?,
        ),
        Head::F32(number) => HeaderValue::Float(number.into()),
        Head::F64(number) => HeaderValue::Float(number),
        Head::Text(text) => HeaderValue::Text(text.to_owned()),
        Head::Bytes(bytes) => HeaderValue::Bytes(bytes.to_owned()),
        Head::List(count) => reader
            .nested(|reader| (0..count).map(|_| header(reader)).collect::<Result<_, Error>>())
            .map(HeaderValue::List)?,
        Head::Map(count) => HeaderValue::Table(table(reader, count)?),
        Head::Extension(kind, bytes) => HeaderValue::Timestamp(
            timestamp(kind, bytes).ok_or_else(|| Error::custom("an extension type that is no timestamp"))?,
        ),
    })
}

/// The seconds of a timestamp, in any of its three forms.
fn timestamp(kind: i8, bytes: &[u8]) -> Option<u64> {
    if kind != TIMESTAMP {
        return None;
    }
    let number = |bytes: &[u8]| bytes.try_into().map(u64::from_be_bytes).ok();
    match bytes.len() {
        4 => bytes.try_into().map(u32::from_be_bytes).map(u64::from).ok(),
        // The nanoseconds are in the upper 30 bits.
        8 => number(bytes).map(|both| both & ((1 << 34) - 1)),
        12 => number(&bytes[4..]),
        _ => None,
    }
}

/// For the fuzz target: whatever can be read is the same when it has been written and read again.
#[cfg(fuzzing)]
pub(crate) fn fuzz(body: &[u8]) {
    if let Ok(calls) = decode_calls(body) {
        let written = encode_calls(&calls);
        let again = decode_calls(&written).expect("what is written can be read");
        assert_eq!(encode_calls(&again), written);
    }
    if let Ok(replies) = decode_replies(body) {
        let written = encode_replies(&replies);
        let again = decode_replies(&written).expect("what is written can be read");
        assert_eq!(encode_replies(&again), written);
    }
}
