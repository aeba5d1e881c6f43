//! Opening and closing connections, bounded in time; channels; what amiquip's errors mean to a user.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use amiquip::{ConnectionOptions, ConnectionTuning, ConsumerOptions};
use crossbeam_channel::Receiver;

use super::addresses::none_opens;
use super::attempt::{Attempt, remaining};
use super::refusal;
use super::socket::{Socket, WeakSocket};
#[cfg(feature = "tls")]
use super::tls;
use super::{Address, Addresses, ConfirmNote, ReturnNote};
use crate::error::{Error, ErrorKind, shown};
use crate::log::warn;

mod body_limit;
mod close_race;
mod consumer_ends;
mod dial;
mod frames;
mod handshake;
mod login;
mod opener;
mod requests;
mod sanitizer;
mod written;

pub(crate) use body_limit::{BodyLimit, ChannelBodies};
use close_race::CloseRaceGuard;
use consumer_ends::ConsumerEnds;
use dial::dial;
use frames::LARGEST_FRAME;
use handshake::Heard;
pub(crate) use handshake::Limits;
use login::{Login, Plain};
pub(super) use opener::Opener;
#[cfg(fuzzing)]
pub(super) use sanitizer::fuzzing::sanitized;
#[cfg(feature = "embedded")]
pub(crate) use sanitizer::{is_sound_table, sanitize_table};
pub(super) use written::WrittenCount;

/// "The broker takes no messages" and "it takes them again".
pub(crate) use amiquip::ConnectionBlockedNotification as BlockedNote;

/// For the handshake; RabbitMQ takes 3 s to refuse a wrong password.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// For one broker to be found and to open a connection.
const ONE_TIMEOUT: Duration = Duration::from_secs(15);
/// For one of several brokers to do so: each gets an even share of what is left, so that the last is tried in any case.
const ANY_TIMEOUT: Duration = Duration::from_secs(20);
/// For opening everything that is needed, beginning with the connection.
pub(crate) const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// For a connection that nobody needs any more to say goodbye.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(10);
/// Frames between our threads and amiquip's: measured, the default of 16 costs 28 % of the throughput.
const MEM_CHANNEL_BOUND: usize = 256;
/// Bytes that wait for the socket before publishing has to wait; all of it is lost if the connection is.
const BUFFERED_WRITES: usize = 1 << 20;
/// RabbitMQ's own limit, unless its administrator has raised that: amiquip's numbers of channels overflow at 65,535.
const MOST_CHANNELS: u16 = 2047;

/// A connection that is up, or was.
#[derive(Debug)]
pub(crate) struct Connection {
    address: Address,
    /// Whose it is, as an operator sees it.
    owner: String,
    opener: Opener,
    heard: Heard,
    blocked: Receiver<BlockedNote>,
    socket: Socket,
}

/// Opens connections to the broker that another one is to, for the same owner.
#[derive(Clone, Debug)]
pub(crate) struct Beside(Address, String);

impl Beside {
    #[cfg(test)]
    pub(super) fn to(uri: &str) -> Self {
        Beside(Address::parse(uri).expect("it is a URI"), "tests".to_owned())
    }

    pub(crate) fn open(&self, purpose: &str) -> Result<Connection, Error> {
        Connection::open_within(ONE_TIMEOUT, &self.0, &self.1, purpose)
    }
}

/// The name of this program, as the owner of its connections.
pub(crate) fn program() -> String {
    let path = std::env::args_os().next().map(std::path::PathBuf::from);
    let name = path.as_deref().and_then(std::path::Path::file_stem);
    name.map_or("guirpc".to_owned(), |name| name.to_string_lossy().into_owned())
}

impl Connection {
    /// Connects to the first of these that lets us in.
    ///
    /// `owner` and `purpose` are the name under which an operator finds the connection.
    pub(crate) fn open(addresses: &Addresses, owner: &str, purpose: &str) -> Result<Self, Error> {
        Connection::open_any(ANY_TIMEOUT, addresses, owner, purpose)
    }

    /// Whom the broker takes us for.
    pub(super) fn user(&self) -> &str {
        &self.address.user
    }

    /// Where it leads, and as whom.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// What the broker says of itself.
    pub(super) fn server_properties(&self) -> amiquip::FieldTable {
        self.opener.server_properties()
    }

    /// The certificate that the broker has shown, in DER, if it has shown one.
    pub(super) fn certificate(&self) -> Option<&[u8]> {
        self.heard.certificate()
    }

    /// Another one to the same broker.
    pub(crate) fn open_beside(&self, purpose: &str) -> Result<Self, Error> {
        self.beside().open(purpose)
    }

    /// What opens others to the same broker, on any thread.
    pub(crate) fn beside(&self) -> Beside {
        Beside(self.address.clone(), self.owner.clone())
    }

    /// What both sides agreed on.
    pub(crate) fn limits(&self) -> Limits {
        self.heard.limits()
    }

    /// Has the bodies of deliveries dropped that are larger.
    pub(crate) fn limit_bodies(&self, limit: &BodyLimit) {
        self.heard.dropped_bodies().limit(limit);
    }

    /// What the broker said when it closed the connection, or sent that it may not.
    pub(crate) fn reason(&self) -> Option<String> {
        self.heard.reason()
    }

    fn open_any(bound: Duration, addresses: &Addresses, owner: &str, purpose: &str) -> Result<Self, Error> {
        let deadline = Instant::now() + bound;
        let mut errors = Vec::new();
        let count = addresses.in_turn().len();
        for (left, (place, address)) in (1..=count).rev().zip(addresses.in_turn()) {
            // Fits: there are no more of them than characters in a setting.
            let share = remaining(deadline) / u32::try_from(left).unwrap_or(u32::MAX);
            match Connection::open_within(share.min(ONE_TIMEOUT), address, owner, purpose) {
                Ok(connection) => {
                    for error in errors {
                        warn!("{error}; {address} is used instead");
                    }
                    addresses.set_opened(place);
                    return Ok(connection);
                }
                Err(error) => errors.push(error),
            }
        }
        Err(none_opens(errors))
    }

    fn open_within(bound: Duration, address: &Address, owner: &str, purpose: &str) -> Result<Self, Error> {
        let deadline = Instant::now() + bound;
        let (socket, stream) = dial(address, deadline)?;
        let bound = remaining(deadline).min(HANDSHAKE_TIMEOUT);
        let options = ConnectionOptions::default()
            .auth(Plain)
            .virtual_host(address.vhost.clone())
            .channel_max(MOST_CHANNELS)
            .frame_max(LARGEST_FRAME)
            .heartbeat(address.heartbeat.get())
            .connection_timeout(Some(bound))
            .information(Some(format!("guirpc {}: {purpose}", env!("CARGO_PKG_VERSION"))));
        let (to, name) = (address.clone(), format!("{owner}: {purpose}"));
        // A peer that sends a byte now and then keeps amiquip's own timeout from running out.
        let logged_in = Attempt::on(&socket).run(bound, move || log_in(stream, &to, &name, options));
        let Some(logged_in) = logged_in else {
            let message = format!("{address} took longer than {} to greet: is it an AMQP broker?", shown(bound));
            return Err(Error::new(ErrorKind::Unreachable, message));
        };
        let (connection, blocked) = logged_in?;
        let heard = connection.heard().clone();
        let opener = Opener::new(connection);
        Ok(Connection { address: address.clone(), owner: owner.to_owned(), opener, heard, blocked, socket })
    }

    pub(crate) fn open_channel(&mut self) -> Result<Channel, Error> {
        self.opener.open_channel()
    }

    pub(super) fn opener(&self) -> Opener {
        self.opener.clone()
    }

    /// What to hold on to in an [`Attempt`].
    pub(crate) fn socket(&self) -> WeakSocket {
        self.socket.downgrade()
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
        let close = move || opener.take().map_or(Ok(()), CloseRaceGuard::close);
        let Some(closed) = Attempt::on(&self.socket).run(bound, close) else {
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
            let _ = Attempt::on(&socket).run(GOODBYE_TIMEOUT, move || drop(opener.take()));
        });
    }
}

/// A channel of a [`Connection`]; it belongs to one thread at a time.
///
/// It is closed before the rest of it is dropped.
pub(crate) struct Channel(pub(super) amiquip::Channel, ChannelBodies, ConsumerEnds);

impl Channel {
    /// Starts to consume; the broker stops when the result is dropped.
    pub(super) fn start_consumer<Q: Into<String>>(
        &self,
        queue: Q,
        options: ConsumerOptions,
    ) -> Result<amiquip::Consumer<'_>, amiquip::Error> {
        let consumer = self.0.basic_consume(queue, options)?;
        self.2.keep(consumer.receiver());
        Ok(consumer)
    }

    /// The bodies of its deliveries that were too large.
    pub(super) fn bodies(&self) -> ChannelBodies {
        self.1.clone()
    }

    /// How many unacknowledged deliveries each consumer of this channel may hold.
    pub(crate) fn set_prefetch(&self, prefetch: u16) -> Result<(), Error> {
        self.0.qos(0, prefetch, false).map_err(|error| explain(&error))
    }

    /// Has the broker confirm what is published on this channel; gives where it does, and where it returns messages.
    pub(super) fn confirm(&self) -> Result<(Receiver<ConfirmNote>, Receiver<ReturnNote>), Error> {
        let returns = self.0.listen_for_returns().map_err(|error| explain(&error))?;
        let confirms = self.0.listen_for_publisher_confirms().map_err(|error| explain(&error))?;
        self.0.enable_publisher_confirms().map_err(|error| explain(&error))?;
        Ok((confirms, returns))
    }

    /// Waits until the broker has got everything that was sent on this channel.
    ///
    /// It handles the frames of a channel in order, so the answer to any request will do.
    /// This one changes nothing: it holds for consumers that are started afterwards, and none is.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        self.set_prefetch(0)
    }
}

/// A broker that greets and then falls silent.
pub(crate) fn no_answer(address: &Addresses) -> Error {
    let message = format!("{address} greets, but does not answer: is it overloaded, or cut off from its cluster?");
    Error::new(ErrorKind::Unreachable, message)
}

/// A connection, and where it hears that the broker takes no messages.
type LoggedIn = (CloseRaceGuard, Receiver<BlockedNote>);

/// Says hello; with TLS if the address asks for it.
fn log_in(
    stream: TcpStream,
    address: &Address,
    name: &str,
    options: ConnectionOptions<Plain>,
) -> Result<LoggedIn, Error> {
    let (heard, login) = (Heard::default(), Login::new(address));
    #[cfg(feature = "tls")]
    if address.is_tls {
        let stream = tls::shake_hands(stream, address)?;
        if let Some(certificate) = stream.certificate() {
            heard.note_certificate(certificate);
        }
        return log_in_on(stream, (name, login), &heard, options)
            .map_err(|error| tls::explain(&error, address).unwrap_or_else(|| explain_open(&error, &heard, address)));
    }
    mio::net::TcpStream::from_stream(stream)
        .map_err(|error| {
            Error::new(ErrorKind::System, format!("the socket to {address} cannot be polled: {error}"))
                .with_source(error)
        })
        .and_then(|stream| {
            log_in_on(stream, (name, login), &heard, options).map_err(|error| explain_open(&error, &heard, address))
        })
}

fn log_in_on<S: Read + Write + mio::Evented + Send + 'static>(
    stream: S,
    who: (&str, Login),
    heard: &Heard,
    options: ConnectionOptions<Plain>,
) -> Result<LoggedIn, amiquip::Error> {
    let tuning =
        ConnectionTuning::default().mem_channel_bound(MEM_CHANNEL_BOUND).buffered_writes_high_water(BUFFERED_WRITES);
    CloseRaceGuard::open(stream, who, heard, options, tuning)
}

/// What an error means when it comes while connecting.
fn explain_open(error: &amiquip::Error, heard: &Heard, address: &Address) -> Error {
    // amiquip does not understand that the broker says why it refuses a user.
    if let Some(close) = heard.close() {
        let (kind, text) = refusal::explain(close.code, &close.text);
        return Error::new(kind, format!("{address} refused user `{}`: {text}", address.user));
    }
    if let Some(what) = heard.violation() {
        let tls = if address.is_tls { "" } else { " Or is this port TLS, which is `amqps://`?" };
        let message = format!("{address} sends {what}, which is no AMQP 0-9-1: is it a broker?{tls}");
        return Error::new(ErrorKind::Unreachable, message);
    }
    match error {
        amiquip::Error::InvalidCredentials => Error::new(
            ErrorKind::Denied,
            format!(
                "{address} refused user `{}` without a word: the password is wrong, or there is no such user, or the \
                 broker is being stopped",
                address.user
            ),
        ),
        error if !address.is_tls && is_hanging_up(error) => Error::new(
            ErrorKind::Unreachable,
            format!("{address} hangs up when it is greeted ({error}): is this port TLS, which is `amqps://`?"),
        ),
        error => Error::new(ErrorKind::Unreachable, format!("cannot open a connection to {address}: {error}")),
    }
}

/// Whether the peer has closed the connection without a word of AMQP.
fn is_hanging_up(error: &amiquip::Error) -> bool {
    match error {
        amiquip::Error::UnexpectedSocketClose => true,
        amiquip::Error::IoErrorReadingSocket { source } | amiquip::Error::IoErrorWritingSocket { source } => {
            matches!(source.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
        }
        _ => false,
    }
}

/// What an error means on a connection that was up.
pub(super) fn explain(error: &amiquip::Error) -> Error {
    match error {
        amiquip::Error::ServerClosedChannel { code, message, .. } => match refusal::explain(*code, message) {
            // The connection is there, whatever the code says.
            (ErrorKind::Unreachable, text) => Error::new(ErrorKind::Denied, text),
            (kind, text) => Error::new(kind, text),
        },
        amiquip::Error::ServerClosedConnection { code, message } => {
            Error::new(ErrorKind::Unreachable, refusal::explain(*code, message).1)
        }
        amiquip::Error::ExhaustedChannelIds => {
            let message = "the broker allows no more channels on a connection: raise its `channel_max`";
            Error::new(ErrorKind::Unreachable, message)
        }
        error => Error::new(ErrorKind::Unreachable, error.to_string()),
    }
}

#[cfg(test)]
mod tests;
