//! Opening channels on a connection, from any thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};

use super::close_race::CloseRaceGuard;
use super::consumer_ends::ClosedEnds;
use super::{Channel, WrittenCount, explain};
use crate::error::{Error, ErrorKind};

/// Opens channels on a connection that belongs to somebody else.
///
/// Opening one waits for the broker, and whoever closes the connection meanwhile waits for that:
/// so both are done in an [`Attempt`](crate::broker::Attempt), and whoever gives up cuts the socket.
#[derive(Clone, Debug)]
pub(in crate::broker) struct Opener {
    connection: Arc<Mutex<Option<CloseRaceGuard>>>,
    /// Holds one message while nobody has the turn.
    turns: (Sender<()>, Receiver<()>),
    ends: ClosedEnds,
}

/// The turn of one of those who might wait for the broker without an end.
#[derive(Debug)]
pub(in crate::broker) struct Turn(Sender<()>);

impl Drop for Turn {
    fn drop(&mut self) {
        let _ = self.0.try_send(());
    }
}

impl Opener {
    pub(super) fn new(connection: CloseRaceGuard) -> Self {
        let turns = crossbeam_channel::bounded(1);
        drop(Turn(turns.0.clone()));
        Opener { connection: Arc::new(Mutex::new(Some(connection))), turns, ends: ClosedEnds::default() }
    }

    /// Waits for a turn: one waits for the broker at a time, so that few do where it answers nothing.
    pub(in crate::broker) fn turn(&self, bound: Duration) -> Option<Turn> {
        self.turns.1.recv_timeout(bound).ok().map(|()| Turn(self.turns.0.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, Option<CloseRaceGuard>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::broker) fn open_channel(&self) -> Result<Channel, Error> {
        let mut connection = self.lock();
        let Some(connection) = connection.as_mut() else {
            return Err(Error::new(ErrorKind::Unreachable, "the connection is closed"));
        };
        let dropped = connection.heard().dropped_bodies().clone();
        let channel = |channel: amiquip::Channel| {
            let bodies = dropped.of(channel.channel_id());
            Channel(channel, bodies, self.ends.of_channel())
        };
        connection.open_channel().map(channel).map_err(|error| match connection.heard().reason() {
            // That it closed the connection meanwhile is kept from amiquip.
            Some(reason) => Error::new(ErrorKind::Unreachable, reason),
            None => explain(&error),
        })
    }

    /// Opens a channel, and counts the messages of it that are written.
    pub(in crate::broker) fn open_counted_channel(&self) -> Result<(Channel, WrittenCount), Error> {
        let channel = self.open_channel()?;
        let written = self.lock().as_ref().map(|connection| connection.count_written(&channel.0)).unwrap_or_default();
        Ok((channel, written))
    }

    /// What the broker says of itself; nothing once the connection is closed.
    pub(super) fn server_properties(&self) -> amiquip::FieldTable {
        self.lock().as_ref().map(|connection| connection.server_properties().clone()).unwrap_or_default()
    }

    /// Has consumers live as long as their channels, on all of the connection.
    pub(in crate::broker) fn keep_consumers(&self) {
        if let Some(connection) = self.lock().as_ref() {
            connection.keep_consumers();
        }
    }

    /// Whether the connection has been taken out; if somebody opens a channel on it at the moment, it has not.
    pub(super) fn is_taken(&self) -> bool {
        self.connection.try_lock().is_ok_and(|connection| connection.is_none())
    }

    /// The connection, to be closed.
    pub(super) fn take(&self) -> Option<CloseRaceGuard> {
        self.lock().take()
    }
}
