//! Writes MessagePack for the bodies of coalesced calls and replies.

use super::TIMESTAMP;
use crate::message::{HeaderValue, Headers};

/// Writes into memory, which cannot fail.
pub(super) struct Writer(Vec<u8>);

const IN_MEMORY: &str = "memory takes everything";

impl Writer {
    /// For values of no more than these sizes.
    pub(super) fn of(sizes: impl Iterator<Item = usize>) -> Self {
        Writer(Vec::with_capacity(sizes.sum::<usize>() + 5))
    }

    pub(super) fn into_body(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn list(&mut self, count: usize) {
        rmp::encode::write_array_len(&mut self.0, length(count)).expect(IN_MEMORY);
    }

    fn map(&mut self, count: usize) {
        rmp::encode::write_map_len(&mut self.0, length(count)).expect(IN_MEMORY);
    }

    pub(super) fn text(&mut self, text: &str) {
        rmp::encode::write_str(&mut self.0, text).expect(IN_MEMORY);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        rmp::encode::write_bin(&mut self.0, bytes).expect(IN_MEMORY);
    }

    pub(super) fn integer(&mut self, integer: i64) {
        rmp::encode::write_sint(&mut self.0, integer).expect(IN_MEMORY);
    }

    fn nil(&mut self) {
        rmp::encode::write_nil(&mut self.0).expect(IN_MEMORY);
    }

    pub(super) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.nil(),
        }
    }

    pub(super) fn headers(&mut self, headers: &Headers) {
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
