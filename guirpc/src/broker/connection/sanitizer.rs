//! What comes from the broker, made safe for amiquip's parser.
//!
//! The broker hands on what publishers send, and amiquip's parser breaks on some of it:
//! it recurses into nested headers on a stack that nobody can size, so that a few thousand levels end the process,
//! and a text that is not UTF-8 costs it the connection.
//! The message would return to its queue each time, and break the next server.
//!
//! So a [`Sanitizer`] stands between the socket and amiquip.
//! It follows the frames, passes what publishers have no say in and all bodies as they come,
//! and has the rest sanitized in place, where every length stays as it is.
//! It follows what is written, too, see [`super::written`].
//! It ends the stream where the broker closes it while amiquip is asked something, see [`super::close_race`],
//! and puts in a word while the connection is opened, see [`super::handshake`].
//! It drops bodies that are too large, see [`super::body_limit`].
//! And it drops what closes a channel that is closed: RabbitMQ 3 says so twice where an acknowledgement is overdue,
//! and amiquip takes the second for the end of the connection.

mod fields;
mod frame;
mod properties;

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::mem;

use mio::{Evented, Poll, PollOpt, Ready, Token};

#[cfg(feature = "embedded")]
pub(crate) use self::fields::sanitize_table;
use self::frame::{Frame, closed_channel, is_close, sanitize};
pub(super) use self::frame::{FrameKind, delivery_tag, frame_head, is_channel_open_ok, method_arguments, method_id};
use super::body_limit::IncomingBodies;
use super::handshake::{Heard, Introduction, keep_heartbeat};
use super::open_requests::OpenRequests;
use super::written::WrittenFrames;

/// Whether the content of a table can be parsed as it is.
#[cfg(feature = "embedded")]
pub(crate) fn is_sound_table(content: &[u8]) -> bool {
    let mut sanitized = content.to_vec();
    sanitize_table(&mut sanitized);
    sanitized == content
}

/// A stream from which amiquip may read.
#[derive(Debug)]
pub(super) struct Sanitizer<S> {
    stream: S,
    /// How much of the present frame is still to come, and passes unseen; or is dropped.
    passing: usize,
    dropping: usize,
    /// The start of a frame that has to be sanitized before it is handed out, if a read did not bring all of it.
    held: Vec<u8>,
    /// How much of what is held is sanitized and handed out; nothing unless it is whole.
    handed_out: usize,
    requests: OpenRequests,
    introduction: Introduction,
    heard: Heard,
    written: WrittenFrames,
    bodies: IncomingBodies,
    /// The channels that the broker has closed, until they are opened again.
    closed: BTreeSet<u16>,
    /// Nothing more is handed out.
    over: bool,
}

/// What becomes of a frame that has come.
#[derive(PartialEq)]
enum Incoming {
    Pass,
    Drop,
    /// Nothing is handed out any more, nor is this.
    End,
}

impl<S> Sanitizer<S> {
    /// `name` is what the broker shows the connection under.
    pub(super) fn new(stream: S, name: &str, requests: OpenRequests, heard: Heard, written: WrittenFrames) -> Self {
        Self {
            stream,
            passing: 0,
            dropping: 0,
            held: Vec::new(),
            handed_out: 0,
            requests,
            introduction: Introduction::new(name, heard.clone()),
            bodies: IncomingBodies::new(heard.dropped_bodies().clone()),
            heard,
            written,
            closed: BTreeSet::new(),
            over: false,
        }
    }

    /// Makes the start of a frame safe, as much of it as is sanitized at once.
    fn sanitize(&mut self, start: &mut [u8]) -> Incoming {
        sanitize(start);
        keep_heartbeat(start);
        if is_close(start) {
            self.heard.note_close(start);
            if self.requests.may_be() {
                return Incoming::End;
            }
        }
        match closed_channel(start) {
            Some(channel) if !self.closed.insert(channel) => Incoming::Drop,
            _ if self.bodies.drops(start) => Incoming::Drop,
            _ => Incoming::Pass,
        }
    }

    /// Mends the frames in what was read, and holds back the last one where it is incomplete.
    ///
    /// Returns the length of what may be handed out.
    fn sanitize_read(&mut self, read: &mut [u8]) -> usize {
        let (mut safe, mut length) = (0, read.len());
        loop {
            let passed = self.passing.min(length - safe);
            self.passing -= passed;
            safe += passed;
            let dropped = self.dropping.min(length - safe);
            if dropped > 0 {
                self.dropping -= dropped;
                read.copy_within(safe + dropped..length, safe);
                length -= dropped;
            }
            let rest = &mut read[safe..length];
            let frame = Frame::starting_with(rest);
            let Some(start) = rest.get_mut(..frame.checked_at_once) else {
                self.held.extend_from_slice(rest);
                return safe;
            };
            match self.sanitize(start) {
                Incoming::Pass => {
                    safe += frame.checked_at_once;
                    self.passing = frame.length - frame.checked_at_once;
                }
                Incoming::Drop => self.dropping = frame.length,
                Incoming::End => {
                    self.over = true;
                    return safe;
                }
            }
        }
    }
}

impl<S: Read> Sanitizer<S> {
    /// Completes what is held, and sanitizes it; false at the end of the stream.
    fn complete(&mut self) -> io::Result<bool> {
        loop {
            let frame = Frame::starting_with(&self.held);
            let Some(missing @ 1..) = frame.checked_at_once.checked_sub(self.held.len()) else {
                let mut held = mem::take(&mut self.held);
                match self.sanitize(&mut held) {
                    Incoming::Pass => {
                        self.held = held;
                        self.passing = frame.length - frame.checked_at_once;
                    }
                    Incoming::Drop => self.dropping = frame.length - frame.checked_at_once,
                    Incoming::End => self.over = true,
                }
                return Ok(true);
            };
            // What was read before an error, such as that there is no more for now, is held.
            if self.stream.by_ref().take(missing as u64).read_to_end(&mut self.held)? == 0 {
                return Ok(false);
            }
        }
    }

    /// Hands out what was held.
    fn hand_out(&mut self, to: &mut [u8]) -> usize {
        let rest = &self.held[self.handed_out..];
        let length = rest.len().min(to.len());
        to[..length].copy_from_slice(&rest[..length]);
        self.handed_out += length;
        if self.handed_out == self.held.len() {
            self.held.clear();
            self.handed_out = 0;
        }
        length
    }
}

/// Says that there is nothing for now only where the socket did, as waiting for an edge demands.
impl<S: Read> Read for Sanitizer<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.over && !self.held.is_empty() {
                let whole = self.handed_out > 0 || self.complete()?;
                if whole && self.held.is_empty() {
                    continue;
                }
                return Ok(if whole { self.hand_out(buffer) } else { 0 });
            }
            if self.over {
                let why = self.heard.close().map_or("the broker has closed the connection", |close| &close.text);
                return Err(io::Error::new(io::ErrorKind::ConnectionAborted, why));
            }
            let length = self.stream.read(buffer)?;
            let safe = self.sanitize_read(&mut buffer[..length]);
            if safe > 0 || length == 0 {
                return Ok(safe);
            }
        }
    }
}

impl<S: Write> Write for Sanitizer<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.introduction.write(&mut self.stream, bytes)?;
        for channel in self.written.wrote(&bytes[..length]) {
            self.closed.remove(&channel);
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl<S: Evented> Evented for Sanitizer<S> {
    fn register(&self, poll: &Poll, token: Token, interest: Ready, opts: PollOpt) -> io::Result<()> {
        self.stream.register(poll, token, interest, opts)
    }

    fn reregister(&self, poll: &Poll, token: Token, interest: Ready, opts: PollOpt) -> io::Result<()> {
        self.stream.reregister(poll, token, interest, opts)
    }

    fn deregister(&self, poll: &Poll) -> io::Result<()> {
        self.stream.deregister(poll)
    }
}

impl<S: Read + Write + Evented + Send + 'static> amiquip::IoStream for Sanitizer<S> {}

#[cfg(test)]
mod tests;
