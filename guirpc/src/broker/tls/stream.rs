//! An encrypted stream as amiquip wants one: it never blocks, and it is polled by its socket.
//!
//! amiquip waits for edges of the socket, and knows nothing of what lies between it and the socket.
//! So two things must never happen, or it waits for ever:
//!
//! - Something that was decrypted lies here, while reading said that there is nothing for now.
//!   Reading says so only where the socket did, with everything handed out before.
//! - Something that was encrypted lies here, while writing said that it is gone: nobody would wait until the socket
//!   takes more. Writing says so only once the socket has all of it.
//!   Where the socket takes but a part, amiquip is told to come again, which it does with the same bytes and maybe more;
//!   those are not encrypted a second time.
//!
//! There is no thread here, and so none that a lost connection could leave behind.

use std::io::{self, ErrorKind, Read, Write};
use std::mem;

use mio::{Evented, Poll, PollOpt, Ready, Token};
use rustls::ClientConnection;

/// How much is encrypted at once: a few records of TLS, which are written to the socket in one go.
const AT_ONCE: usize = 64 * 1024;
/// Where writing fails, so much of what the broker said before is read to see why: an alert is a few bytes.
const LAST_READS: usize = 16;

#[derive(Debug)]
pub(in crate::broker) struct TlsStream<S: Read + Write> {
    session: ClientConnection,
    socket: S,
    /// How much of what will be written again is encrypted already.
    encrypted: usize,
}

impl<S: Read + Write> TlsStream<S> {
    pub(super) fn new(mut session: ClientConnection, socket: S) -> Self {
        // What is encrypted at once is the limit.
        session.set_buffer_limit(None);
        Self { session, socket, encrypted: 0 }
    }

    /// The certificate that the other side has shown, in DER.
    pub(in crate::broker) fn certificate(&self) -> Option<&[u8]> {
        Some(self.session.peer_certificates()?.first()?)
    }

    /// Has the socket take all that is encrypted; what it does not take now stays.
    fn send(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut self.socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(error),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.last_words().unwrap_or(error)),
            }
        }
        Ok(())
    }

    /// Why the broker has hung up, if it said so: to want a certificate, for example, when we think all is well.
    fn last_words(&mut self) -> Option<io::Error> {
        for _ in 0..LAST_READS {
            if !matches!(self.session.read_tls(&mut self.socket), Ok(1..)) {
                break;
            }
            if let Err(error) = self.session.process_new_packets() {
                return Some(io::Error::new(ErrorKind::InvalidData, error));
            }
        }
        None
    }
}

impl<S: Read + Write> Read for TlsStream<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // A broker that is killed says no goodbye; AMQP has one of its own.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
            match self.session.read_tls(&mut self.socket) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read?,
            };
            if let Err(error) = self.session.process_new_packets() {
                // Tells the broker why, if that can be done at once.
                let _ = self.session.write_tls(&mut self.socket);
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
        }
    }
}

impl<S: Read + Write> Write for TlsStream<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.encrypted == 0 {
            self.encrypted = self.session.writer().write(&bytes[..bytes.len().min(AT_ONCE)])?;
        }
        self.send()?;
        Ok(mem::take(&mut self.encrypted))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()?;
        self.socket.flush()
    }
}

/// Says goodbye, if that can be done at once.
impl<S: Read + Write> Drop for TlsStream<S> {
    fn drop(&mut self) {
        self.session.send_close_notify();
        let _ = self.session.write_tls(&mut self.socket);
    }
}

impl<S: Read + Write + Evented> Evented for TlsStream<S> {
    fn register(&self, poll: &Poll, token: Token, interest: Ready, opts: PollOpt) -> io::Result<()> {
        self.socket.register(poll, token, interest, opts)
    }

    fn reregister(&self, poll: &Poll, token: Token, interest: Ready, opts: PollOpt) -> io::Result<()> {
        self.socket.reregister(poll, token, interest, opts)
    }

    fn deregister(&self, poll: &Poll) -> io::Result<()> {
        self.socket.deregister(poll)
    }
}

#[cfg(test)]
mod tests;
