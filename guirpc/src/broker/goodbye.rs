//! Saying goodbye while the broker does, which amiquip does not survive.
//!
//! Its thread panics when it finds both at once: that the broker closes the connection, and that somebody asks for
//! something that concerns the connection as a whole, which is to close it, to open a channel or to hear of alarms.
//! So the [`Guard`] is told while somebody may be asking, and then ends the stream where the broker says goodbye;
//! amiquip takes that as a connection that was lost, and so does whoever asked.

use std::io::{Read, Write};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use amiquip::{ConnectionOptions, ConnectionTuning, Result, Sasl};
use crossbeam_channel::Receiver;
use mio::Evented;

use super::connection::BlockedNote;
use super::guard::Guard;

/// How many requests there may be that concern a connection as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests(Arc<AtomicUsize>);

impl Requests {
    pub(super) fn begin(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn end(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn may_be(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

/// A connection of amiquip's whose guard knows what is asked of it.
#[derive(Debug)]
pub(super) struct Polite {
    /// Dropped before the connection, which closes it.
    last: LastRequest,
    connection: amiquip::Connection,
    /// Whether anything was answered, and so what was asked before has been heard.
    answered: bool,
}

/// To close is the last request, and never over.
#[derive(Debug)]
struct LastRequest(Requests);

impl Drop for LastRequest {
    fn drop(&mut self) {
        self.0.begin();
    }
}

impl Polite {
    /// Logs in; also gives where the broker says that it takes no messages.
    pub(super) fn open<S: Read + Write + Evented + Send + 'static, Auth: Sasl>(
        stream: S,
        options: ConnectionOptions<Auth>,
        tuning: ConnectionTuning,
    ) -> Result<(Self, Receiver<BlockedNote>)> {
        let requests = Requests::default();
        let guard = Guard::new(stream, requests.clone());
        // Why the broker refuses is still to be heard.
        let connection = amiquip::Connection::insecure_open_stream(guard, options, tuning)?;
        let mut polite = Polite { last: LastRequest(requests), connection, answered: false };
        // It returns at once, and nobody says when it has been heard.
        polite.last.0.begin();
        let blocked = polite.connection.listen_for_connection_blocked()?;
        Ok((polite, blocked))
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

    pub(super) fn close(self) -> Result<()> {
        drop(self.last);
        self.connection.close()
    }
}
