//! What comes from the broker, made safe for amiquip's parser.
//!
//! The broker hands on what publishers send, and amiquip's parser breaks on some of it:
//! it recurses into nested tables on a stack that nobody can size, so that a few thousand levels end the process,
//! and a text that is not UTF-8 costs it the connection.
//! The message would return to its queue each time, and break the next server.
//! What a broker sends itself, or what answers in its place, breaks it as well: it takes the memory that a frame or a
//! message announces before that comes, and panics on some of what no broker sends.
//!
//! So a [`Sanitizer`] stands between the socket and amiquip.
//! It follows the frames, passes bodies as they come, and has the rest sanitized in place, where every length stays as
//! it is; but a content header that is too large to be kept is made one without properties.
//! What no broker sends ends the stream, with the reason.
//! It follows what is written, too, see [`super::written`].
//! It ends the stream where the broker closes it while amiquip is asked something, see [`super::close_race`],
//! and puts in a word while the connection is opened, see [`super::handshake`].
//! It drops bodies that are too large, see [`super::body_limit`].
//! And it drops what closes a channel that is closed: RabbitMQ 3 says so twice where an acknowledgement is overdue,
//! and amiquip takes the second for the end of the connection.

mod fields;
mod frame;
#[cfg(fuzzing)]
pub(super) mod fuzzing;
mod methods;
mod parts;

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::mem;

use mio::{Evented, Poll, PollOpt, Ready, Token};

#[cfg(feature = "embedded")]
pub(crate) use self::fields::sanitize_table;
use self::frame::{Frame, Rest, closed_channel, sanitize};
use super::body_limit::IncomingBodies;
use super::frames::{CLOSE, CLOSE_OK, method_id};
use super::handshake::{Heard, Introduction, keep_heartbeat};
use super::login::Login;
use super::requests::Requests;
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
    /// What of the present frame is still to come.
    rest: Rest,
    /// The start of a frame that has to be sanitized before it is handed out, if a read did not bring all of it.
    held: Vec<u8>,
    /// How much of what is held is sanitized and handed out; nothing unless it is whole.
    handed_out: usize,
    requests: Requests,
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
    pub(super) fn new(
        stream: S,
        (name, login): (&str, Login),
        requests: Requests,
        heard: Heard,
        written: WrittenFrames,
    ) -> Self {
        Self {
            stream,
            rest: Rest::Passes(0),
            held: Vec::new(),
            handed_out: 0,
            requests,
            introduction: Introduction::new(name, login, heard.clone()),
            bodies: IncomingBodies::new(heard.dropped_bodies().clone()),
            heard,
            written,
            closed: BTreeSet::new(),
            over: false,
        }
    }

    /// Makes the start of a frame safe, as much of it as is checked at once.
    fn sanitize(&mut self, start: &mut [u8]) -> Incoming {
        if let Err(violation) = sanitize(start, self.requests.keeps_consumers()) {
            self.heard.note_violation(violation);
            return Incoming::End;
        }
        keep_heartbeat(start);
        match method_id(start) {
            Some(CLOSE) => {
                self.heard.note_close(start);
                if self.requests.may_be_open() {
                    return Incoming::End;
                }
            }
            Some(CLOSE_OK) if !self.requests.is_closing() => {
                self.heard.note_violation("the answer to a close that nobody asked for".to_owned());
                return Incoming::End;
            }
            _ => {}
        }
        match closed_channel(start) {
            Some(channel) if !self.closed.insert(channel) => Incoming::Drop,
            _ if self.bodies.drops(start) => Incoming::Drop,
            _ => Incoming::Pass,
        }
    }

    /// Sanitizes the frames in what was read, and holds back the last one where it is incomplete.
    ///
    /// Returns the length of what may be handed out.
    fn sanitize_read(&mut self, read: &mut [u8]) -> usize {
        // What is safe is moved up over what is dropped.
        let (mut safe, mut at) = (0, 0);
        loop {
            let left = read.len() - at;
            let passed = match &mut self.rest {
                Rest::Passes(rest) => {
                    let passed = left.min(*rest);
                    *rest -= passed;
                    passed
                }
                Rest::Skipped(rest) => {
                    let skipped = left.min(*rest);
                    *rest -= skipped;
                    at += skipped;
                    0
                }
            };
            move_up(read, &mut at, &mut safe, passed);
            let mut frame = Frame::starting_with(&read[at..]);
            let Some(start) = read[at..].get_mut(..frame.checked_at_once) else {
                self.held.extend_from_slice(&read[at..]);
                return safe;
            };
            match self.sanitize(start) {
                Incoming::Pass => move_up(read, &mut at, &mut safe, frame.checked_at_once),
                Incoming::Drop => {
                    at += frame.checked_at_once;
                    frame.rest = frame.rest.skipped();
                }
                Incoming::End => {
                    self.over = true;
                    return safe;
                }
            }
            self.rest = frame.rest;
        }
    }
}

/// Moves as many bytes up to where those before them end.
fn move_up(bytes: &mut [u8], from: &mut usize, to: &mut usize, length: usize) {
    if from != to {
        bytes.copy_within(*from..*from + length, *to);
    }
    *from += length;
    *to += length;
}

impl<S: Read> Sanitizer<S> {
    /// Completes what is held, and sanitizes it; false at the end of the stream.
    fn complete(&mut self) -> io::Result<bool> {
        loop {
            let mut frame = Frame::starting_with(&self.held);
            let Some(missing @ 1..) = frame.checked_at_once.checked_sub(self.held.len()) else {
                let mut held = mem::take(&mut self.held);
                match self.sanitize(&mut held) {
                    Incoming::Pass => self.held = held,
                    Incoming::Drop => frame.rest = frame.rest.skipped(),
                    Incoming::End => self.over = true,
                }
                self.rest = frame.rest;
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
                let why = self.heard.reason().unwrap_or_else(|| "the broker has closed the connection".to_owned());
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
