//! What shuts servers down, from any thread and at any time, also before they are up.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};

/// Shuts a [`Server`](crate::Server) down: it takes no new work, finishes what has begun, and leaves.
///
/// A server brings one of its own ([`Server::shutdown_handle`](crate::Server::shutdown_handle)).
/// One that is made before also ends a start that still waits for the broker:
/// ```no_run
/// # let setup = guirpc::Setup::new(["math"]);
/// let shutdown = guirpc::ShutdownHandle::new();
/// // … hand a clone of it to whatever listens to signals …
/// let server = guirpc::Server::start_with(setup, &shutdown)?;
/// # Ok::<(), guirpc::Error>(())
/// ```
#[derive(Clone)]
pub struct ShutdownHandle(Arc<Mutex<State>>);

struct State {
    /// Nothing is ever sent: it is disconnected when the shutdown begins.
    running: Option<Sender<Infallible>>,
    stopped: Stopped,
    /// Handles of servers that are shut down along with this one.
    servers: Vec<ShutdownHandle>,
}

/// Disconnected as soon as the server is to shut down.
pub(super) type Stopped = Receiver<Infallible>;

impl ShutdownHandle {
    /// A handle for servers that are [started with it](crate::Server::start_with).
    pub fn new() -> Self {
        let (running, stopped) = bounded(0);
        ShutdownHandle(Arc::new(Mutex::new(State { running: Some(running), stopped, servers: Vec::new() })))
    }

    /// Has the servers shut down; returns at once. Doing so again makes no difference.
    pub fn shutdown(&self) {
        let servers = {
            let mut state = self.state();
            state.running = None;
            std::mem::take(&mut state.servers)
        };
        servers.iter().for_each(ShutdownHandle::shutdown);
    }

    /// Whether the shutdown has begun.
    pub fn is_shutdown(&self) -> bool {
        self.state().running.is_none()
    }

    pub(super) fn stopped(&self) -> Stopped {
        self.state().stopped.clone()
    }

    /// A handle of one server, which is shut down along with this one, and also on its own.
    pub(super) fn of_server(&self) -> ShutdownHandle {
        let server = ShutdownHandle::new();
        let mut state = self.state();
        if state.running.is_some() {
            state.servers.retain(|server| !server.is_shutdown());
            state.servers.push(server.clone());
        } else {
            server.shutdown();
        }
        drop(state);
        server
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ShutdownHandle {
    fn default() -> Self {
        ShutdownHandle::new()
    }
}

impl fmt::Debug for ShutdownHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShutdownHandle")
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::TryRecvError;

    use super::*;

    fn is_stopped(stopped: &Stopped) -> bool {
        stopped.try_recv() == Err(TryRecvError::Disconnected)
    }

    #[test]
    fn one_handle_shuts_several_servers_down() {
        let handle = ShutdownHandle::new();
        let servers = [handle.of_server(), handle.of_server()];
        let stopped = servers.each_ref().map(ShutdownHandle::stopped);
        assert!(!stopped.iter().any(is_stopped));
        handle.shutdown();
        assert!(handle.is_shutdown() && stopped.iter().all(is_stopped));
        assert!(handle.of_server().is_shutdown(), "a server is started although all are to stop");
    }

    #[test]
    fn a_server_stops_without_the_others() {
        let handle = ShutdownHandle::new();
        let (one, other) = (handle.of_server(), handle.of_server());
        one.shutdown();
        assert!(!other.is_shutdown() && !handle.is_shutdown());
    }
}
