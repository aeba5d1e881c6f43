//! The thread of a client that keeps it connected: one link after another, for as long as the client lives.

use std::convert::Infallible;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, after, at, bounded, never, select};

use super::core::Core;
use super::events::{Channels, End, Events, REASON_TIMEOUT};
use crate::broker::{self, Addresses, Attempt, Backoff, Connection, Failure, Scope, request_channels};
use crate::error::Error;
use crate::log::{Reminder, info, warn};

/// For a connection whose channel was closed to open others.
const CHANNEL_TIMEOUT: Duration = Duration::from_secs(5);

/// Keeps a client connected.
pub(super) struct Driver {
    pub(super) addresses: Addresses,
    pub(super) core: Arc<Core>,
    /// Disconnected when the last copy of the client is dropped.
    pub(super) dropped: Receiver<Infallible>,
}

/// What the first attempt to connect means.
pub(super) enum FirstAttempt {
    /// If it fails, so does the client; its outcome is told here.
    Decides(oneshot::Sender<Result<(), Error>>),
    /// Others follow until one succeeds.
    OneOfMany,
}

/// The client was dropped.
struct Dropped;

/// A connection with the channels that a client needs.
type Opened = (Connection, Channels);

impl Driver {
    pub(super) fn spawn(self, first: FirstAttempt) -> Result<(), Error> {
        let spawned = thread::Builder::new().name("guirpc-client".to_owned()).spawn(move || {
            self.drive(first);
            self.core.close("the client was closed");
        });
        spawned.map(drop).map_err(|error| Error::no_thread("for the client", error))
    }

    fn drive(&self, first: FirstAttempt) {
        let mut backoff = Backoff::new();
        let mut decided = None;
        let mut opened = match first {
            FirstAttempt::OneOfMany => self.connect(&mut backoff),
            FirstAttempt::Decides(told) => match self.open() {
                Ok(Err(error)) => return drop(told.send(Err(error))),
                Ok(Ok(opened)) => {
                    decided = Some(told);
                    Ok(opened)
                }
                Err(dropped) => Err(dropped),
            },
        };
        let mut blocked = None;
        while let Ok((connection, channels)) = opened {
            let since = Instant::now();
            let ended = Events::begin(&self.core, &connection, channels, blocked.take());
            if let Some(told) = decided.take() {
                let _ = told.send(Ok(()));
            }
            let failure = match ended.map_or_else(End::Failed, |events| events.run(&self.dropped)) {
                End::Dropped => return,
                End::Failed(failure) => failure,
            };
            backoff.after_connection(since.elapsed());
            opened = match failure.scope {
                Scope::Channel => {
                    blocked = self.core.blocked();
                    self.go_on(connection, &failure, &mut backoff)
                }
                Scope::Connection => self.go_back(connection, failure, &mut backoff),
            };
        }
    }

    /// Opens other channels on a connection that lives; another connection, if it does not after all.
    fn go_on(&self, connection: Connection, failure: &Failure, backoff: &mut Backoff) -> Result<Opened, Dropped> {
        warn!("{} closed a channel: {failure}; calls go on with a new one", self.addresses);
        self.core.lose(failure);
        // Whoever has one channel after another closed is slowed down.
        self.wait(&after(backoff.next_delay(Instant::now())), None)?;
        let (attempt, open) = (Attempt::default(), request_channels(&connection));
        attempt.hold(connection.socket());
        match self.run(&attempt, CHANNEL_TIMEOUT, open)? {
            Some(Ok(channels)) => return Ok((connection, channels)),
            Some(Err(error)) => warn!("{error}"),
            None => warn!("{} does not open another channel: connecting again", self.addresses),
        }
        self.connect(backoff)
    }

    /// Connects again.
    fn go_back(&self, connection: Connection, failure: Failure, backoff: &mut Backoff) -> Result<Opened, Dropped> {
        let known = Some(failure).filter(|failure| *failure != Failure::silent());
        let known = known.or_else(|| connection.reason().map(Failure::connection));
        let asked = || connection.close(REASON_TIMEOUT).err().map_or_else(Failure::silent, Failure::connection);
        let failure = known.unwrap_or_else(asked);
        warn!("lost {}: {failure}", self.addresses);
        self.core.lose(&failure);
        self.wait(&after(backoff.next_delay(Instant::now())), None)?;
        self.connect(backoff)
    }

    /// Tries until it succeeds.
    fn connect(&self, backoff: &mut Backoff) -> Result<Opened, Dropped> {
        let mut reminder = Reminder::default();
        loop {
            match self.open()? {
                Ok(opened) => {
                    info!("connected to {}", self.addresses);
                    return Ok(opened);
                }
                Err(error) => {
                    let error = error.to_string();
                    if let Some(line) = reminder.line(&error, Instant::now()) {
                        warn!("{line}");
                    }
                    self.core.set_down(&error);
                }
            }
            self.wait(&after(backoff.next_delay(Instant::now())), None)?;
        }
    }

    fn open(&self) -> Result<Result<Opened, Error>, Dropped> {
        let (to, attempt) = (self.addresses.clone(), Attempt::default());
        let (held, body_limit) = (attempt.clone(), self.core.body_limit.clone());
        let open = move || {
            let connection = Connection::open(&to, &broker::program(), "client")?;
            held.hold(connection.socket());
            connection.limit_bodies(&body_limit);
            let channels = request_channels(&connection)()?;
            Ok((connection, channels))
        };
        // Past the handshake amiquip knows no timeouts.
        let opened = self.run(&attempt, broker::OPEN_TIMEOUT, open)?;
        Ok(opened.unwrap_or_else(|| Err(broker::no_answer(&self.addresses))))
    }

    /// Does what waits for the broker on a thread of its own, and gives up on it after `bound`.
    fn run<T: Send + 'static>(
        &self,
        attempt: &Attempt,
        bound: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, Dropped> {
        let (done, result) = bounded(1);
        let spawned = thread::Builder::new().name("guirpc-bounded".to_owned()).spawn(move || done.send(work()));
        if spawned.is_err() {
            return Ok(None);
        }
        let result = self.wait(&result, Some(bound));
        if !matches!(result, Ok(Some(_))) {
            attempt.give_up();
        }
        result
    }

    /// Waits for something, and keeps the deadlines of calls meanwhile; `None` if it does not come.
    fn wait<T>(&self, wanted: &Receiver<T>, bound: Option<Duration>) -> Result<Option<T>, Dropped> {
        let end = bound.map_or_else(never, after);
        loop {
            let deadline = self.core.next_look().map_or_else(never, at);
            select! {
                recv(wanted) -> wanted => return Ok(wanted.ok()),
                recv(end) -> _ => return Ok(None),
                recv(self.dropped) -> _ => return Err(Dropped),
                recv(self.core.wakes) -> _ => {}
                recv(deadline) -> _ => self.core.expired(),
            }
        }
    }
}
