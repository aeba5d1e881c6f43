//! Opening and closing connections, bounded in time; channels; what amiquip's errors mean to a user.

use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use amiquip::{Auth, ConnectionOptions, ConnectionTuning};
use crossbeam_channel::Receiver;

use super::Address;
use super::goodbye::Polite;
use crate::error::{Error, ErrorKind, shown};

/// "The broker takes no messages" and "it takes them again".
pub(crate) use amiquip::ConnectionBlockedNotification as BlockedNote;

/// For one of the broker's addresses to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For the handshake; RabbitMQ takes 3 s to refuse a wrong password.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// For opening everything that is needed, beginning with the connection.
pub(crate) const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// For a connection that nobody needs any more to say goodbye.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(10);
/// Frames between our threads and amiquip's: measured, the default of 16 costs 28 % of the throughput.
const MEM_CHANNEL_BOUND: usize = 256;
/// Bytes that wait for the socket before publishing has to wait; all of it is lost if the connection is.
const BUFFERED_WRITES: usize = 1 << 20;

/// A connection that is up, or was.
#[derive(Debug)]
pub(crate) struct Connection {
    opener: Opener,
    blocked: Receiver<BlockedNote>,
    socket: Socket,
}

/// Opens channels on a connection that belongs to somebody else.
///
/// Opening one waits for the broker, and whoever closes the connection meanwhile waits for that:
/// so both are done within [`bounded`], and whoever gives up cuts the socket.
#[derive(Clone, Debug)]
pub(super) struct Opener(Arc<Mutex<Option<Polite>>>);

impl Opener {
    pub(super) fn open_channel(&self) -> Result<Channel, Error> {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(connection) = connection.as_mut() else {
            return Err(Error::new(ErrorKind::Unreachable, "the connection is closed"));
        };
        connection.open_channel().map(Channel).map_err(|error| explain(&error))
    }

    /// Whether the connection has been taken out; if somebody opens a channel on it at the moment, it has not.
    fn is_taken(&self) -> bool {
        self.0.try_lock().is_ok_and(|connection| connection.is_none())
    }

    /// The connection, to be closed.
    fn take(&self) -> Option<Polite> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The socket under a connection, to be cut if the connection does not end by itself.
///
/// Whatever waits for the broker on that connection fails then, and its threads end.
#[derive(Clone, Debug)]
struct Socket(Arc<TcpStream>);

impl Socket {
    fn cut(&self) {
        // It fails if the connection is gone, which is all that was wanted.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Connection {
    /// Connects and logs in; `purpose` is what an administrator sees beside the connection.
    pub(crate) fn open(address: &Address, purpose: &str) -> Result<Self, Error> {
        Connection::open_within(HANDSHAKE_TIMEOUT, address, purpose)
    }

    fn open_within(bound: Duration, address: &Address, purpose: &str) -> Result<Self, Error> {
        let (socket, stream) = dial(address)?;
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
        let opened = bounded(bound, move || Polite::open(stream, options, tuning));
        let Some(opened) = opened else {
            socket.cut();
            let message = format!("{address} took longer than {} to greet: is it an AMQP broker?", shown(bound));
            return Err(Error::new(ErrorKind::Unreachable, message));
        };
        let (connection, blocked) = opened.map_err(|error| explain_open(&error, address))?;
        Ok(Connection { opener: Opener(Arc::new(Mutex::new(Some(connection)))), blocked, socket })
    }

    pub(crate) fn open_channel(&mut self) -> Result<Channel, Error> {
        self.opener.open_channel()
    }

    pub(super) fn opener(&self) -> Opener {
        self.opener.clone()
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
        let opener = self.opener();
        let Some(closed) = bounded(bound, move || opener.take().map_or(Ok(()), Polite::close)) else {
            self.socket.cut();
            return Err(format!("the broker did not answer within {}", shown(bound)));
        };
        closed.map_err(|error| error.to_string())
    }
}

/// Says goodbye on a thread of its own, since that is a request to the broker that may never be answered.
impl Drop for Connection {
    fn drop(&mut self) {
        let (opener, socket) = (self.opener(), self.socket.clone());
        if opener.is_taken() {
            return;
        }
        // If no thread can be had, the connection is dropped with its last opener.
        let _ = thread::Builder::new().name("guirpc-goodbye".to_owned()).spawn(move || {
            if bounded(GOODBYE_TIMEOUT, move || drop(opener.take())).is_none() {
                socket.cut();
            }
        });
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
pub(crate) fn bounded<T: Send + 'static>(bound: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = mpsc::sync_channel(1);
    thread::Builder::new().name("guirpc-bounded".to_owned()).spawn(move || done.send(work())).ok()?;
    result.recv_timeout(bound).ok()
}

/// A broker that greets and then falls silent.
pub(crate) fn no_answer(address: &Address) -> Error {
    let message = format!("{address} greets, but does not answer: is it overloaded, or cut off from its cluster?");
    Error::new(ErrorKind::Unreachable, message)
}

/// Tries every address that the host's name stands for.
fn dial(address: &Address) -> Result<(Socket, mio::net::TcpStream), Error> {
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
            Ok((Socket(Arc::new(stream.try_clone()?)), mio::net::TcpStream::from_stream(stream)?))
        }) {
            Ok(dialled) => return Ok(dialled),
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
            let remedy =
                "`rabbitmqctl set_permissions -p VHOST USER '.*' '.*' '.*'` permits everything in a virtual host";
            Error::new(ErrorKind::Denied, format!("the broker does not permit it: {message}; {remedy}"))
        }
        amiquip::Error::ServerClosedChannel { code: 405 | 406, message, .. } => {
            Error::new(ErrorKind::Topology, message.clone())
        }
        error => Error::new(ErrorKind::Unreachable, error.to_string()),
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
        let (_, stream) = dial(&address).unwrap();
        assert!(stream.nodelay().unwrap());
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
