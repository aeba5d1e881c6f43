//! The sockets under connections, to be cut from anywhere.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Weak};

/// The socket under a connection, for as long as somebody has the connection.
#[derive(Clone, Debug)]
pub(super) struct Socket(Arc<TcpStream>);

/// A socket to be cut if the connection does not end by itself.
#[derive(Clone, Debug)]
pub(crate) struct WeakSocket(Weak<TcpStream>);

impl Socket {
    pub(super) fn of(stream: &TcpStream) -> io::Result<Self> {
        stream.try_clone().map(|stream| Socket(Arc::new(stream)))
    }

    pub(super) fn downgrade(&self) -> WeakSocket {
        WeakSocket(Arc::downgrade(&self.0))
    }
}

impl WeakSocket {
    /// Whatever waits for the broker on the connection fails then, and its threads end.
    pub(super) fn cut(&self) {
        if let Some(socket) = self.0.upgrade() {
            // It fails if the connection is gone, which is all that was wanted.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}
