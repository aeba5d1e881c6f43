//! An AMQP 0-9-1 broker in memory, in this process: for a first run, for development, and for tests.
//!
//! It is no replacement for RabbitMQ, which guirpc runs on everywhere else:
//! it listens on loopback only, knows one user (`guest`) and one virtual host (`/`),
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
//! The `world` is one data structure under one lock: exchanges, queues, channels, and what each method does to them.
//! Two threads serve a client: `connection` reads its frames and has the world act on them,
//! `outbox` writes what the world has to tell.
//! One more thread, the clock, does what is due by itself.
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
mod handshake;
mod ids;
mod listener;
mod message;
mod methods;
mod outbox;
mod properties;
mod queue;
mod refusal;
mod wire;
mod world;

pub use faults::{Connection, HeldReplies, Keep};
use listener::Listener;
use world::World;

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
    world: Mutex<World>,
    /// Something has happened that somebody may be waiting for.
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
        let world = Mutex::new(World::new(Arc::clone(&changed)));
        let shared = Arc::new(Shared { world, changed });
        let listener = listen(&shared, port)?;
        let keeps_time = Arc::clone(&shared);
        thread::Builder::new()
            .name("guirpc-broker-clock".to_owned())
            .spawn(move || keeps_time.keep_time())
            .map_err(|error| Error::new(ErrorKind::System, format!("no thread for the embedded broker: {error}")))?;
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
        self.shared.world().queue(name)
    }

    /// Deletes a queue under the feet of its consumers, whom it tells; false if there is none.
    pub fn delete_queue(&self, name: &str) -> bool {
        self.shared.world().delete(name)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
        self.shared.world().end();
    }
}

fn listen(shared: &Arc<Shared>, port: u16) -> Result<Listener, Error> {
    Listener::open(shared, port).map_err(|error| {
        let what = if port == 0 { "a free port".to_owned() } else { format!("port {port}") };
        Error::new(ErrorKind::System, format!("the embedded broker cannot listen on {what} of 127.0.0.1: {error}"))
    })
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        // A panic is a bug in one operation, and no reason to let everybody else down.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world, as soon as the condition does not hold any more.
    fn wait_while(&self, condition: impl Fn(&World) -> bool) -> MutexGuard<'_, World> {
        self.changed.wait_while(self.world(), |world| condition(world)).unwrap_or_else(PoisonError::into_inner)
    }

    /// Has what is due done at its time, until the broker ends.
    fn keep_time(&self) {
        let mut world = self.world();
        while !world.has_ended() {
            let now = Instant::now();
            world = match world.expire(now) {
                None => self.changed.wait(world).unwrap_or_else(PoisonError::into_inner),
                Some(due) => {
                    let left = due.saturating_duration_since(now);
                    self.changed.wait_timeout(world, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}
