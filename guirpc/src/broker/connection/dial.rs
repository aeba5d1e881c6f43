//! From an address to a socket, bounded in time.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use crate::broker::Address;
use crate::broker::attempt::{bounded, remaining};
use crate::broker::socket::Socket;
use crate::error::{Error, ErrorKind};

/// For one of the addresses that a host's name stands for to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Tries every address that the host's name stands for.
pub(super) fn dial(address: &Address, deadline: Instant) -> Result<(Socket, TcpStream), Error> {
    let (host, port) = (address.host.clone(), address.port);
    // Nobody bounds how long a name takes to be looked up.
    let dialled = bounded(remaining(deadline), move |_| dial_slowly(&host, port, deadline));
    dialled.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into())).map_err(|error| {
        let message = format!("cannot connect to {address}: {error}; is RabbitMQ running there, and the URI right?");
        Error::new(ErrorKind::Unreachable, message).with_source(error)
    })
}

fn dial_slowly(host: &str, port: u16, deadline: Instant) -> io::Result<(Socket, TcpStream)> {
    let resolved: Vec<_> = (host, port).to_socket_addrs()?.collect();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host's name stands for no address");
    for (left, socket) in (1..=resolved.len()).rev().zip(&resolved) {
        // As if there were one more, so that there is time left for the handshake.
        let share = remaining(deadline) / u32::try_from(left + 1).unwrap_or(u32::MAX);
        // It takes no time of zero.
        let bound = share.clamp(Duration::from_millis(1), CONNECT_TIMEOUT);
        match TcpStream::connect_timeout(socket, bound).and_then(|stream| {
            // Otherwise Nagle's algorithm and delayed acknowledgements cost 44 ms a round trip.
            stream.set_nodelay(true)?;
            Ok((Socket::of(&stream)?, stream))
        }) {
            Ok(dialled) => return Ok(dialled),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn small_frames_do_not_wait_for_company() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::parse(&format!("amqp://{}", listener.local_addr().unwrap())).unwrap();
        let (_, stream) = dial(&address, Instant::now() + CONNECT_TIMEOUT).unwrap();
        assert!(stream.nodelay().unwrap());
    }
}
