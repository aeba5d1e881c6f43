//! One client's connection: its frames are read, put together, and acted on.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io::{self, BufReader, Read};
use std::net::TcpStream;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::basic::AMQPMethod as Basic;
use amq_protocol::protocol::channel::AMQPMethod as OfChannel;
use amq_protocol::protocol::connection::{AMQPMethod as OfConnection, CloseOk};

use super::Shared;
use super::content::{Incoming, LARGEST_BODY};
use super::handshake::{Disconnect, FRAME_MAX, Negotiated, send_open_ok, shake_hands};
use super::ids::ChannelId;
use super::memory::{MEMORY_LIMIT, Memory};
use super::methods::{method_id, parse_method, routing_key, write_method};
use super::refusal::{Code, MethodId, Refusal};
use super::send_buffer::SendBuffer;
use super::state::BrokerState;
use super::wire::{BODY, FrameReader, HEADER, HEARTBEAT, METHOD, RawFrame, frame_error};

/// For everything from the first byte to `connection.open`.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// For a client to answer `connection.close`.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// For frames that come one upon another to be read at once.
const READ_AHEAD: usize = 64 << 10;

/// The method that content belongs to: `basic.publish`.
const PUBLISH: MethodId = (60, 40);

/// Reads from a socket up to a deadline.
#[derive(Debug)]
struct TimedReader {
    stream: TcpStream,
    /// Reads after this moment fail.
    deadline: Option<Instant>,
}

impl Read for TimedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(deadline) = self.deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            // No time at all would mean for ever.
            self.stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        }
        self.stream.read(buffer)
    }
}

/// Reads from a client until its connection ends, and takes back what it held.
pub(super) fn serve(shared: &Arc<Shared>, id: u64, stream: TcpStream, send_buffer: &SendBuffer) {
    let timed = TimedReader { stream, deadline: Some(Instant::now() + HANDSHAKE_TIMEOUT) };
    let reader = FrameReader::new(BufReader::with_capacity(READ_AHEAD, timed), FRAME_MAX);
    let mut session = Session {
        shared,
        id,
        send_buffer,
        memory: shared.state().memory(),
        reader,
        channel_max: 0,
        incoming: BTreeMap::new(),
        closing: BTreeSet::new(),
    };
    match session.run() {
        Disconnect::Gone => {}
        Disconnect::ClosedByClient => session.wait_for_disconnect(),
        Disconnect::Refused(refusal, about) => {
            shared.state().refuse_connection(id, refusal, about);
            session.wait_for_close_ok();
        }
        Disconnect::ClosedByBroker => session.wait_for_close_ok(),
    }
    shared.state().disconnect(id);
    send_buffer.end();
    shared.state().leave(id);
}

struct Session<'a> {
    shared: &'a Arc<Shared>,
    id: u64,
    send_buffer: &'a SendBuffer,
    memory: Memory,
    reader: FrameReader<BufReader<TimedReader>>,
    channel_max: u16,
    /// Messages that have begun, by channel.
    incoming: BTreeMap<u16, Incoming>,
    /// Channels that were closed for what was sent on them: what comes until `channel.close-ok` is ignored.
    closing: BTreeSet<u16>,
}

impl<'a> Session<'a> {
    fn run(&mut self) -> Disconnect {
        let Err(end) = self.open().and_then(|()| self.read());
        self.incoming.clear();
        end
    }

    fn read(&mut self) -> Result<Infallible, Disconnect> {
        loop {
            self.step()?;
        }
    }

    fn open(&mut self) -> Result<(), Disconnect> {
        let Negotiated { client, channel_max, heartbeat } = shake_hands(&mut self.reader, self.send_buffer)?;
        self.channel_max = channel_max;
        let socket = self.reader.stream_mut().get_mut();
        socket.deadline = None;
        // A client that misses two heartbeats is gone.
        socket.stream.set_read_timeout(heartbeat.map(|heartbeat| 2 * heartbeat)).map_err(|_| Disconnect::Gone)?;
        if let Some(heartbeat) = heartbeat {
            self.send_buffer.set_heartbeat(heartbeat / 2);
        }
        self.shared.state().open(self.id, client);
        send_open_ok(self.send_buffer);
        Ok(())
    }

    /// Reads one frame, and does what it asks for.
    fn step(&mut self) -> Result<(), Disconnect> {
        let frame = self.reader.next()?;
        // A frozen broker has read what the system took in, but acts on none of it.
        if !self.send_buffer.wait_for_room() {
            return Err(Disconnect::Gone);
        }
        let RawFrame { kind, channel, payload } = frame;
        match (kind, channel) {
            (HEARTBEAT, 0) => Ok(()),
            (METHOD | HEADER, _) if payload.len() < shortest(kind) => {
                Err(frame_error(kind, &payload, "unknown_frame").into())
            }
            (METHOD, 0) => Err(self.on_connection(&payload)),
            (METHOD, channel) => self.on_channel(channel, &payload),
            (HEADER, 1..) => self.content(channel, |incoming| incoming.header(&payload)),
            (BODY, 1..) => self.content(channel, |incoming| incoming.body(payload)),
            (HEADER | BODY | HEARTBEAT, _) => {
                Err(Disconnect::Refused(Refusal::unexpected_frame(kind, &payload), (0, 0)))
            }
            _ => Err(frame_error(kind, &payload, "unknown_frame").into()),
        }
    }

    /// Every method of the connection itself ends it, one way or the other.
    fn on_connection(&self, payload: &[u8]) -> Disconnect {
        let about = method_id(payload);
        match parse_method(payload) {
            Err(unreadable) => unreadable.into(),
            Ok(AMQPClass::Connection(OfConnection::Close(_))) => {
                self.shared.state().disconnect(self.id);
                self.answer_close();
                Disconnect::ClosedByClient
            }
            // The answer to a close that another thread has sent.
            Ok(AMQPClass::Connection(OfConnection::CloseOk(_))) => Disconnect::Gone,
            Ok(_) => Disconnect::Refused(Refusal::unexpected_method("running"), about),
        }
    }

    fn answer_close(&self) {
        let close_ok = AMQPClass::Connection(OfConnection::CloseOk(CloseOk {}));
        self.send_buffer.put(|out| write_method(out, 0, &close_ok));
    }

    fn on_channel(&mut self, channel: u16, payload: &[u8]) -> Result<(), Disconnect> {
        let channel_id = ChannelId { connection: self.id, channel };
        let about = method_id(payload);
        let method = parse_method(payload).map_err(Disconnect::from)?;
        if self.closing.contains(&channel) {
            return self.on_closing(channel_id, &method);
        }
        let mut state = self.state()?;
        if state.is_forced(channel_id) {
            self.incoming.remove(&channel);
            state.on_forced(channel_id, &method);
            return Ok(());
        }
        if let Some(incoming) = self.incoming.get(&channel) {
            return Err(Disconnect::Refused(incoming.unexpected(), PUBLISH));
        }
        let known = state.has_channel(channel_id);
        let outcome = match method {
            AMQPClass::Channel(OfChannel::Open(_)) => {
                let opened = state.open_channel(channel_id, self.channel_max);
                // RabbitMQ refuses one channel too many before it has looked at the method.
                if let Err(refusal @ Refusal { code: Code::NotAllowed, .. }) = opened {
                    return Err(Disconnect::Refused(refusal, (0, 0)));
                }
                opened
            }
            _ if !known => Err(Refusal::new(Code::ChannelError, "expected 'channel.open'")),
            // It answers no close, but its meaning is clear.
            AMQPClass::Channel(OfChannel::CloseOk(_)) => {
                state.close_channel(channel_id);
                Ok(())
            }
            AMQPClass::Channel(OfChannel::Close(_)) => {
                state.close_channel_by_client(channel_id);
                Ok(())
            }
            AMQPClass::Basic(Basic::Publish(publish)) => {
                state.begins_to_publish(self.id);
                drop(state);
                // Under an alarm the rest of the message is not even read.
                drop(self.state()?);
                self.incoming.insert(channel, Incoming::new(publish, routing_key(payload).into(), &self.memory));
                return Ok(());
            }
            method => state.handle(channel_id, method),
        };
        drop(state);
        self.close_on_error(channel_id, outcome, about)
    }

    /// The broker state; a connection that publishes waits for the end of an alarm first.
    ///
    /// # Errors
    /// The broker has closed the connection meanwhile.
    fn state(&self) -> Result<MutexGuard<'a, BrokerState>, Disconnect> {
        let state = self.shared.wait_while(|state| state.is_blocked(self.id));
        if state.is_connected(self.id) { Ok(state) } else { Err(Disconnect::ClosedByBroker) }
    }

    fn on_closing(&mut self, channel_id: ChannelId, method: &AMQPClass) -> Result<(), Disconnect> {
        match method {
            AMQPClass::Channel(OfChannel::CloseOk(_)) => {
                self.closing.remove(&channel_id.channel);
            }
            // Both sides close at once; each still answers the other.
            AMQPClass::Channel(OfChannel::Close(_)) => self.state()?.close_channel_by_client(channel_id),
            AMQPClass::Channel(OfChannel::Open(_)) => {
                return Err(Disconnect::Refused(
                    Refusal::new(Code::ChannelError, "second 'channel.open' seen"),
                    (20, 10),
                ));
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes in a part of a message; when it is whole, it is published.
    fn content(
        &mut self,
        channel: u16,
        take: impl FnOnce(&mut Incoming) -> Result<(), Refusal>,
    ) -> Result<(), Disconnect> {
        if self.closing.contains(&channel) {
            return Ok(());
        }
        let channel_id = ChannelId { connection: self.id, channel };
        if self.shared.state().is_forced(channel_id) {
            self.incoming.remove(&channel);
            return Ok(());
        }
        let Some(incoming) = self.incoming.get_mut(&channel) else {
            let text = "expected method frame, got non method frame instead";
            return Err(Disconnect::Refused(Refusal::new(Code::UnexpectedFrame, text), (0, 0)));
        };
        let taken = take(incoming);
        let whole = incoming.is_whole();
        // A channel each for a message that never ends would take memory without a bound.
        if self.incoming.values().map(Incoming::kept).sum::<usize>() as u64 > LARGEST_BODY {
            let text = format!("messages that have begun on this connection have more than {LARGEST_BODY} bytes");
            return Err(Disconnect::Refused(Refusal::new(Code::ResourceError, text), PUBLISH));
        }
        // Under an alarm what has begun may end, unless too many have.
        if !whole && self.memory.used() > MEMORY_LIMIT {
            if self.memory.used() > 2 * MEMORY_LIMIT {
                let text = "low on memory: too many messages have begun and do not end";
                return Err(Disconnect::Refused(Refusal::new(Code::ResourceError, text), PUBLISH));
            }
            self.shared.state().update_alarm();
        }
        if taken.is_err() || whole {
            let incoming = self.incoming.remove(&channel).expect("it is there");
            let outcome = match taken.and_then(|()| incoming.into_publication()) {
                Ok(publication) => {
                    let mut state = self.state()?;
                    // It may have been closed this moment.
                    if state.has_channel(channel_id) { state.publish(channel_id, publication) } else { Ok(()) }
                }
                Err(refusal) => Err(refusal),
            };
            let about = if is_internal(&outcome) { (0, 0) } else { PUBLISH };
            return self.close_on_error(channel_id, outcome, about);
        }
        Ok(())
    }

    /// Closes the channel on a soft error; on a hard one the caller closes the connection.
    fn close_on_error(
        &mut self,
        channel_id: ChannelId,
        outcome: Result<(), Refusal>,
        about: MethodId,
    ) -> Result<(), Disconnect> {
        match outcome {
            Ok(()) => Ok(()),
            Err(refusal) if refusal.code.is_soft() => {
                self.incoming.remove(&channel_id.channel);
                self.closing.insert(channel_id.channel);
                self.state()?.refuse_channel(channel_id, refusal, about);
                Ok(())
            }
            Err(refusal) => Err(Disconnect::Refused(refusal, about)),
        }
    }

    /// Waits until the client, which has closed the connection, hangs up.
    fn wait_for_disconnect(&mut self) {
        self.reader.stream_mut().get_mut().deadline = Some(Instant::now() + CLOSE_TIMEOUT);
        while self.reader.next().is_ok() {}
    }

    /// Waits for the client's `connection.close-ok`, or until it is gone; what else it sends is ignored.
    fn wait_for_close_ok(&mut self) {
        self.reader.stream_mut().get_mut().deadline = Some(Instant::now() + CLOSE_TIMEOUT);
        self.reader.frame_max = FRAME_MAX;
        while let Ok(frame) = self.reader.next() {
            if frame.kind == METHOD && frame.channel == 0 {
                match parse_method(&frame.payload) {
                    Ok(AMQPClass::Connection(OfConnection::CloseOk(_))) => return,
                    Ok(AMQPClass::Connection(OfConnection::Close(_))) => self.answer_close(),
                    _ => {}
                }
            }
        }
    }
}

/// Whether RabbitMQ would have crashed on it, and so names no method.
fn is_internal(outcome: &Result<(), Refusal>) -> bool {
    matches!(outcome, Err(Refusal { code: Code::InternalError, .. }))
}

/// How short a frame of this kind may be: long enough for the method's id, or the body's length.
fn shortest(kind: u8) -> usize {
    if kind == METHOD { 4 } else { 12 }
}
