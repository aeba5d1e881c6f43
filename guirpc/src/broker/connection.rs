//! Opening and closing connections, bounded in time; channels; what amiquip's errors mean to a user.

use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use amiquip::{Auth, ConnectionOptions, ConnectionTuning};
use crossbeam_channel::Receiver;

use super::guard::Guard;
use super::{Address, OffThread};
use crate::error::{Error, ErrorKind, shown};

/// "The broker takes no messages" and "it takes them again".
pub(crate) use amiquip::ConnectionBlockedNotification as BlockedNote;

/// For one of the broker's addresses to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For the handshake; RabbitMQ takes 3 s to refuse a wrong password.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Frames between our threads and amiquip's: measured, the default of 16 costs 28 % of the throughput.
const MEM_CHANNEL_BOUND: usize = 256;
/// Bytes that wait for the socket before publishing has to wait; all of it is lost if the connection is.
const BUFFERED_WRITES: usize = 1 << 20;

/// A connection that is up, or was.
#[derive(Debug)]
pub(crate) struct Connection {
    inner: OffThread<amiquip::Connection>,
    blocked: Receiver<BlockedNote>,
}

impl Connection {
    /// Connects and logs in; `purpose` is what an administrator sees beside the connection.
    pub(crate) fn open(address: &Address, purpose: &str) -> Result<Self, Error> {
        Connection::open_within(HANDSHAKE_TIMEOUT, address, purpose)
    }

    fn open_within(bound: Duration, address: &Address, purpose: &str) -> Result<Self, Error> {
        let stream = dial(address)?;
        let options = ConnectionOptions::default()
            .auth(Auth::Plain { username: address.user.clone(), password: address.password.clone() })
            .virtual_host(address.vhost.clone())
            .heartbeat(address.heartbeat.get())
            .connection_timeout(Some(bound))
            .information(Some(format!("guirpc {}: {purpose}", env!("CARGO_PKG_VERSION"))));
        let tuning = ConnectionTuning::default()
            .mem_channel_bound(MEM_CHANNEL_BOUND)
            .buffered_writes_high_water(BUFFERED_WRITES);
        // A peer that sends a byte now and then keeps amiquip's own timeout from running out.
        let inner = bounded(bound, move || {
            let mut connection = amiquip::Connection::insecure_open_stream(Guard::new(stream), options, tuning)?;
            let blocked = connection.listen_for_connection_blocked()?;
            Ok(Connection { inner: OffThread::new(connection), blocked })
        });
        match inner {
            Some(opened) => opened.map_err(|error| explain_open(&error, address)),
            None => Err(Error::new(
                ErrorKind::Unreachable,
                format!("{address} took longer than {} to greet: is it an AMQP broker?", shown(bound)),
            )),
        }
    }

    pub(crate) fn open_channel(&mut self) -> Result<Channel, Error> {
        self.inner.open_channel(None).map(Channel).map_err(|error| explain(&error))
    }

    /// Where the broker says that it takes no messages on this connection.
    pub(crate) fn blocked(&self) -> &Receiver<BlockedNote> {
        &self.blocked
    }

    /// Closes, which waits until the broker has got everything that was published; gives up after `bound`.
    ///
    /// # Errors
    /// Why it was not, or had not been, closed properly.
    pub(crate) fn close(self, bound: Duration) -> Result<(), String> {
        let connection = self.inner.into_inner();
        match bounded(bound, move || connection.close()) {
            Some(closed) => closed.map_err(|error| error.to_string()),
            None => Err(format!("the broker did not answer within {}", shown(bound))),
        }
    }
}

/// A channel of a [`Connection`]; it belongs to one thread at a time.
pub(crate) struct Channel(pub(super) amiquip::Channel);

impl Channel {
    /// How many unacknowledged deliveries each consumer of this channel may hold.
    pub(crate) fn set_prefetch(&self, prefetch: u16) -> Result<(), Error> {
        self.0.qos(0, prefetch, false).map_err(|error| explain(&error))
    }

    /// Waits until the broker has got everything that was sent on this channel.
    ///
    /// It handles the frames of a channel in order, so the answer to any request will do.
    /// This one changes nothing: it holds for consumers that are started afterwards, and none is.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        self.set_prefetch(0)
    }
}

/// Runs `work` on a thread of its own and gives up on it after `bound`.
fn bounded<T: Send + 'static>(bound: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = mpsc::sync_channel(1);
    thread::Builder::new().name("guirpc-bounded".to_owned()).spawn(move || done.send(work())).ok()?;
    result.recv_timeout(bound).ok()
}

/// Tries every address that the host's name stands for.
fn dial(address: &Address) -> Result<mio::net::TcpStream, Error> {
    let unreachable = |why: &dyn std::fmt::Display| {
        Error::new(
            ErrorKind::Unreachable,
            format!("cannot connect to {address}: {why}; is RabbitMQ running there, and the URI right?"),
        )
    };
    let resolved = (address.host.as_str(), address.port).to_socket_addrs().map_err(|error| unreachable(&error))?;
    let mut last = None;
    for socket in resolved {
        match TcpStream::connect_timeout(&socket, CONNECT_TIMEOUT).and_then(|stream| {
            // Otherwise Nagle's algorithm and delayed acknowledgements cost 44 ms a round trip.
            stream.set_nodelay(true)?;
            mio::net::TcpStream::from_stream(stream)
        }) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(match last {
        Some(error) => unreachable(&error),
        None => unreachable(&"the host's name stands for no address"),
    })
}

/// What an error means when it comes while connecting.
fn explain_open(error: &amiquip::Error, address: &Address) -> Error {
    match error {
        amiquip::Error::InvalidCredentials => Error::new(
            ErrorKind::Denied,
            format!(
                "{address} refused user `{}`: the password is wrong, or there is no such user, \
                 or it may only connect from the broker's own machine (as `guest`)",
                address.user
            ),
        ),
        amiquip::Error::ServerClosedConnection { code: 530, .. } => Error::new(
            ErrorKind::Denied,
            format!(
                "{address} has no virtual host `{vhost}` that user `{user}` may use; \
                 `rabbitmqctl add_vhost {vhost}` makes it, \
                 `rabbitmqctl set_permissions -p {vhost} {user} '.*' '.*' '.*'` opens it",
                vhost = address.vhost,
                user = address.user
            ),
        ),
        error => Error::new(ErrorKind::Unreachable, format!("cannot open a connection to {address}: {error}")),
    }
}

/// What an error means on a connection that was up.
pub(super) fn explain(error: &amiquip::Error) -> Error {
    match error {
        amiquip::Error::ServerClosedChannel { code: 403, message, .. } => {
            Error::new(ErrorKind::Denied, format!("the broker does not permit it: {message}"))
        }
        amiquip::Error::ServerClosedChannel { code: 405 | 406, message, .. } => {
            Error::new(ErrorKind::Topology, message.clone())
        }
        error => Error::new(ErrorKind::Unreachable, format!("the connection to the broker was lost: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;

    fn listener() -> (TcpListener, Address) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("amqp://127.0.0.1:{}", listener.local_addr().unwrap().port());
        (listener, Address::parse(&uri).unwrap())
    }

    #[test]
    fn small_frames_do_not_wait_for_company() {
        let (_listener, address) = listener();
        assert!(dial(&address).unwrap().nodelay().unwrap());
    }

    /// Each byte has amiquip's own timeout begin anew.
    #[test]
    fn a_peer_that_drips_is_given_up() {
        let (listener, address) = listener();
        thread::spawn(move || {
            let (mut peer, _) = listener.accept()?;
            loop {
                peer.write_all(&[1])?;
                thread::sleep(Duration::from_millis(50));
            }
            #[allow(unreachable_code, reason = "names the type of the errors above")]
            std::io::Result::Ok(())
        });
        let begun = Instant::now();
        let error = Connection::open_within(Duration::from_millis(300), &address, "a test").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(begun.elapsed() < Duration::from_secs(5), "{error}");
    }

    #[test]
    fn a_silent_peer_is_given_up() {
        let (_listener, address) = listener();
        let error = Connection::open_within(Duration::from_millis(300), &address, "a test").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
    }

    #[test]
    fn nobody_there_is_said_with_what_to_do() {
        let (listener, address) = listener();
        drop(listener);
        let error = Connection::open(&address, "a test").unwrap_err();
        assert!(error.to_string().contains("is RabbitMQ running there"), "{error}");
    }
}
