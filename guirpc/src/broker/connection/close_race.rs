//! The close race: the broker closes a connection while we ask something of it, which amiquip does not survive.
//!
//! Its thread panics when it finds both at once: that the broker closes the connection, and that somebody asks for
//! something that concerns the connection as a whole, which is to close it, to open a channel or to hear of alarms.
//! So the [`Sanitizer`] knows while a request may be open, and then ends the stream where the broker closes it;
//! amiquip takes that as a connection that was lost, and so does the one who asked.

use std::io::{Read, Write};
use std::mem;

use amiquip::{ConnectionBlockedNotification, ConnectionOptions, ConnectionTuning, Result};
use crossbeam_channel::Receiver;
use mio::Evented;

use super::handshake::Heard;
use super::login::{Login, Plain};
use super::requests::Requests;
use super::sanitizer::Sanitizer;
use super::written::{WrittenCount, WrittenCounts, WrittenFrames};

/// A connection of amiquip's whose sanitizer knows what is asked of it.
#[derive(Debug)]
pub(super) struct CloseRaceGuard {
    /// Dropped before the connection, which closes it.
    last: ClosingRequest,
    connection: amiquip::Connection,
    /// Whether anything was answered, and so the request before it, too.
    answered: bool,
    written: WrittenCounts,
    heard: Heard,
}

/// To close is the last request, and never over.
#[derive(Debug)]
struct ClosingRequest(Requests);

impl Drop for ClosingRequest {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl CloseRaceGuard {
    /// Logs in; also gives where the broker says that it takes no messages.
    ///
    /// What is heard meanwhile is noted, also if it fails.
    pub(super) fn open<S: Read + Write + Evented + Send + 'static>(
        stream: S,
        who: (&str, Login),
        heard: &Heard,
        options: ConnectionOptions<Plain>,
        tuning: ConnectionTuning,
    ) -> Result<(Self, Receiver<ConnectionBlockedNotification>)> {
        let requests = Requests::default();
        let written = WrittenCounts::default();
        let frames = WrittenFrames::new(written.clone());
        let stream = Sanitizer::new(stream, who, requests.clone(), heard.clone(), frames);
        // Why the broker refuses is still to be heard.
        let connection = amiquip::Connection::insecure_open_stream(stream, options, tuning)?;
        let last = ClosingRequest(requests);
        let mut guard = CloseRaceGuard { last, connection, answered: false, written, heard: heard.clone() };
        // It returns at once, before the I/O thread has got it.
        guard.last.0.begin();
        let blocked = guard.connection.listen_for_connection_blocked()?;
        Ok((guard, blocked))
    }

    pub(super) fn open_channel(&mut self) -> Result<amiquip::Channel> {
        self.last.0.begin();
        let channel = self.connection.open_channel(None);
        self.last.0.end();
        if channel.is_ok() && !mem::replace(&mut self.answered, true) {
            self.last.0.end();
        }
        channel
    }

    /// Has consumers live as long as their channels: that they are dropped cancels none.
    pub(super) fn keep_consumers(&self) {
        self.last.0.keep_consumers();
    }

    /// What the broker says of itself.
    pub(super) fn server_properties(&self) -> &amiquip::FieldTable {
        self.connection.server_properties()
    }

    /// What was heard that amiquip does not tell.
    pub(super) fn heard(&self) -> &Heard {
        &self.heard
    }

    /// Counts the messages of a channel that was opened here.
    pub(super) fn count_written(&self, channel: &amiquip::Channel) -> WrittenCount {
        self.written.count(channel.channel_id())
    }

    pub(super) fn close(self) -> Result<()> {
        drop(self.last);
        self.connection.close()
    }
}
