//! The one word that ends a server, heard by everyone who listens.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};

/// Stops a [`Server`](super::Server): it takes no new work, finishes what has begun, and leaves.
#[derive(Clone)]
pub struct Stopper {
    /// Nothing is ever sent: it is its absence that is heard.
    alive: Arc<Mutex<Option<Sender<Infallible>>>>,
}

/// Disconnected as soon as the server is to stop.
pub(super) type Stopped = Receiver<Infallible>;

impl Stopper {
    pub(super) fn new() -> (Self, Stopped) {
        let (alive, stopped) = bounded(0);
        (Stopper { alive: Arc::new(Mutex::new(Some(alive))) }, stopped)
    }

    /// Has the server stop; returns at once. Doing so again makes no difference.
    pub fn stop(&self) {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stopper")
    }
}
