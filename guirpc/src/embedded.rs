//! An AMQP 0-9-1 broker in memory, in this process: for a first run, for development, and for tests.
//!
//! It is no replacement for RabbitMQ, which guirpc runs on everywhere else:
//! it listens on loopback only, has one user (`guest`) and one virtual host (`/`),
//! and keeps nothing on disk, so that everything is gone with the process.
//! What it has, it does as RabbitMQ does; what it has not is answered with 540 `NOT_IMPLEMENTED`, never ignored.
//!
//! ```standalone_crate
//! # #[guirpc::function] fn add(a: i64, b: i64) -> i64 { a + b }
//! let broker = guirpc::embedded::Broker::start()?;
//! let _server = guirpc::Server::start(guirpc::Setup::new([env!("CARGO_PKG_NAME")]).uri(&broker.uri()))?;
//! let client = guirpc::Client::connect(&broker.uri())?;
//! assert_eq!(add::call(&client, 2, 3)?, 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it is built
//!
//! The `state` is one data structure under one lock: exchanges, queues, channels, and what each method does to them.
//! Two threads serve a client: `connection` reads its frames and applies them to the state,
//! `send_buffer` writes what the state puts in.
//! One more thread, the clock, expires messages and queues.
#![doc = include_str!("embedded/conformance.md")]

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::error::{Error, ErrorKind};

mod arguments;
mod connection;
mod content;
mod exchange;
mod faults;
mod fields;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod handshake;
mod ids;
mod listener;
mod memory;
mod message;
mod methods;
mod properties;
mod queue;
mod refusal;
mod send_buffer;
mod state;
mod wire;

pub use faults::{Connection, HeldReplies, Keep};
use listener::Listener;
use state::BrokerState;

/// A broker that is running in the background, on a loopback port; dropping it ends it.
#[derive(Debug)]
pub struct Broker {
    shared: Arc<Shared>,
    port: u16,
    /// Closed while the broker is down.
    listener: Mutex<Option<Listener>>,
}

/// What all threads of a broker share.
#[derive(Debug)]
struct Shared {
    state: Mutex<BrokerState>,
    /// Notified whenever the state has changed in a way that a thread may wait for.
    changed: Arc<Condvar>,
}

/// A queue at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// All its messages: those that wait and those that are delivered but not acknowledged.
    pub messages: usize,
    /// The consumers on it.
    pub consumers: usize,
    /// The messages that are delivered but not acknowledged.
    pub unacked: usize,
}

impl Broker {
    /// Starts a broker on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// The operating system gives no port or no thread.
    pub fn start() -> Result<Self, Error> {
        Self::start_on(0)
    }

    /// Starts a broker on this port of 127.0.0.1; 5672 is where clients look for RabbitMQ.
    ///
    /// # Errors
    /// The port is taken, or the operating system gives no thread.
    pub fn start_on(port: u16) -> Result<Self, Error> {
        let changed = Arc::new(Condvar::new());
        let state = Mutex::new(BrokerState::new(Arc::clone(&changed)));
        let shared = Arc::new(Shared { state, changed });
        let listener = listen(&shared, port)?;
        let clock = Arc::clone(&shared);
        thread::Builder::new()
            .name("guirpc-broker-clock".to_owned())
            .spawn(move || clock.run_clock())
            .map_err(|error| Error::no_thread("for the embedded broker", error))?;
        Ok(Broker { shared, port: listener.port(), listener: Mutex::new(Some(listener)) })
    }

    /// Where clients find it: `amqp://guest:guest@127.0.0.1:PORT/%2f`.
    pub fn uri(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The queue of that name, if there is one.
    pub fn queue(&self, name: &str) -> Option<Queue> {
        self.shared.state().queue(name)
    }

    /// Deletes a queue and cancels its consumers, as an operator would; false if there is none.
    pub fn delete_queue(&self, name: &str) -> bool {
        self.shared.state().delete(name)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
        self.shared.state().end();
    }
}

fn listen(shared: &Arc<Shared>, port: u16) -> Result<Listener, Error> {
    Listener::open(shared, port).map_err(|error| {
        let what = if port == 0 { "a free port".to_owned() } else { format!("port {port}") };
        let message = format!("the embedded broker cannot listen on {what} of 127.0.0.1: {error}");
        Error::new(ErrorKind::System, message).with_source(error)
    })
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, BrokerState> {
        // A panic is a bug in one operation, and no reason to fail every other client.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, once the condition no longer holds.
    fn wait_while(&self, condition: impl Fn(&BrokerState) -> bool) -> MutexGuard<'_, BrokerState> {
        self.changed.wait_while(self.state(), |state| condition(state)).unwrap_or_else(PoisonError::into_inner)
    }

    /// The clock: expires what is due, until the broker ends.
    fn run_clock(&self) {
        let mut state = self.state();
        while !state.has_ended() {
            let now = Instant::now();
            state = match state.expire(now) {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(due) => {
                    let left = due.saturating_duration_since(now);
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}
