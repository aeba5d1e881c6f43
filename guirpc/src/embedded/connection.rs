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
use super::handshake::{End, FRAME_MAX, Terms, shake_hands, tell_open};
use super::ids::Place;
use super::methods::{method_id, parse_method, routing_key, write_method};
use super::outbox::Outbox;
use super::refusal::{Code, MethodId, Refusal};
use super::wire::{BODY, FrameReader, HEADER, HEARTBEAT, METHOD, RawFrame, frame_error};
use super::world::World;

/// For everything from the first byte to `connection.open`.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// For a client that was told why its connection is closed to say that it understood.
const GOODBYE_TIME: Duration = Duration::from_secs(5);
/// For frames that come one upon another to be read at once.
const READ_AHEAD: usize = 64 << 10;

/// The method that content belongs to: `basic.publish`.
const PUBLISH: MethodId = (60, 40);

/// A socket that gives up on a client that is silent for too long.
#[derive(Debug)]
struct Patient {
    stream: TcpStream,
    /// No byte is awaited beyond this moment.
    deadline: Option<Instant>,
}

impl Read for Patient {
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
pub(super) fn serve(shared: &Arc<Shared>, id: u64, stream: TcpStream, outbox: &Outbox) {
    let patient = Patient { stream, deadline: Some(Instant::now() + HANDSHAKE_TIME) };
    let reader = FrameReader::new(BufReader::with_capacity(READ_AHEAD, patient), FRAME_MAX);
    let mut session =
        Session { shared, id, outbox, reader, channel_max: 0, incoming: BTreeMap::new(), closing: BTreeSet::new() };
    match session.run() {
        End::Gone => {}
        End::Left => session.wait_for_end(),
        End::Refused(refusal, about) => {
            shared.world().refuse_connection(id, refusal, about);
            session.say_goodbye();
        }
        End::Closed => session.say_goodbye(),
    }
    shared.world().disconnect(id);
    outbox.end();
    shared.world().leave(id);
}

struct Session<'a> {
    shared: &'a Arc<Shared>,
    id: u64,
    outbox: &'a Outbox,
    reader: FrameReader<BufReader<Patient>>,
    channel_max: u16,
    /// Messages that have begun, by channel.
    incoming: BTreeMap<u16, Incoming>,
    /// Channels that were closed for what was sent on them: what comes until the client answers was sent before it knew.
    closing: BTreeSet<u16>,
}

impl<'a> Session<'a> {
    fn run(&mut self) -> End {
        let Err(end) = self.open().and_then(|()| self.read());
        end
    }

    fn read(&mut self) -> Result<Infallible, End> {
        loop {
            self.step()?;
        }
    }

    fn open(&mut self) -> Result<(), End> {
        let Terms { client, channel_max, heartbeat } = shake_hands(&mut self.reader, self.outbox)?;
        self.channel_max = channel_max;
        let socket = self.reader.stream_mut().get_mut();
        socket.deadline = None;
        // Whoever misses two heartbeats is gone.
        socket.stream.set_read_timeout(heartbeat.map(|heartbeat| 2 * heartbeat)).map_err(|_| End::Gone)?;
        if let Some(heartbeat) = heartbeat {
            self.outbox.set_heartbeat(heartbeat / 2);
        }
        self.shared.world().open(self.id, client);
        tell_open(self.outbox);
        Ok(())
    }

    /// Reads one frame, and does what it asks for.
    fn step(&mut self) -> Result<(), End> {
        let frame = self.reader.next()?;
        // A frozen broker has read what the system took in, but acts on none of it.
        if !self.outbox.wait_for_room() {
            return Err(End::Gone);
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
            (HEADER | BODY | HEARTBEAT, _) => Err(End::Refused(Refusal::unexpected_frame(kind, &payload), (0, 0))),
            _ => Err(frame_error(kind, &payload, "unknown_frame").into()),
        }
    }

    /// What a client says about the connection itself ends it, one way or the other.
    fn on_connection(&self, payload: &[u8]) -> End {
        let about = method_id(payload);
        match parse_method(payload) {
            Err(unreadable) => unreadable.into(),
            Ok(AMQPClass::Connection(OfConnection::Close(_))) => {
                self.shared.world().disconnect(self.id);
                self.answer_close();
                End::Left
            }
            // The answer to a close that somebody else has sent.
            Ok(AMQPClass::Connection(OfConnection::CloseOk(_))) => End::Gone,
            Ok(_) => End::Refused(Refusal::unexpected_method("running"), about),
        }
    }

    fn answer_close(&self) {
        let close_ok = AMQPClass::Connection(OfConnection::CloseOk(CloseOk {}));
        self.outbox.put(|out| write_method(out, 0, &close_ok));
    }

    fn on_channel(&mut self, channel: u16, payload: &[u8]) -> Result<(), End> {
        let place = Place { connection: self.id, channel };
        let about = method_id(payload);
        let method = parse_method(payload).map_err(End::from)?;
        if self.closing.contains(&channel) {
            return self.on_closing(place, &method);
        }
        let mut world = self.world()?;
        if world.is_forced(place) {
            self.incoming.remove(&channel);
            world.on_forced(place, &method);
            return Ok(());
        }
        if let Some(incoming) = self.incoming.get(&channel) {
            return Err(End::Refused(incoming.unexpected(), PUBLISH));
        }
        let known = world.has_channel(place);
        let outcome = match method {
            AMQPClass::Channel(OfChannel::Open(_)) => {
                let opened = world.open_channel(place, self.channel_max);
                // RabbitMQ refuses one channel too many before it has looked at the method.
                if let Err(refusal @ Refusal { code: Code::NotAllowed, .. }) = opened {
                    return Err(End::Refused(refusal, (0, 0)));
                }
                opened
            }
            _ if !known => Err(Refusal::new(Code::ChannelError, "expected 'channel.open'")),
            // Nobody asked, but it is clear what is meant.
            AMQPClass::Channel(OfChannel::CloseOk(_)) => {
                world.close_channel(place);
                Ok(())
            }
            AMQPClass::Channel(OfChannel::Close(_)) => {
                world.close_channel_at_wish(place);
                Ok(())
            }
            AMQPClass::Basic(Basic::Publish(publish)) => {
                world.begins_to_publish(self.id);
                drop(world);
                // Under an alarm the rest of the message is not even read.
                drop(self.world()?);
                self.incoming.insert(channel, Incoming::new(publish, routing_key(payload).into()));
                return Ok(());
            }
            method => world.handle(place, method),
        };
        drop(world);
        self.heed(place, outcome, about)
    }

    /// The world, when nothing keeps it from this connection: not while it publishes under an alarm.
    ///
    /// # Errors
    /// Somebody has closed the connection meanwhile.
    fn world(&self) -> Result<MutexGuard<'a, World>, End> {
        let world = self.shared.wait_while(|world| world.is_blocked(self.id));
        if world.is_connected(self.id) { Ok(world) } else { Err(End::Closed) }
    }

    fn on_closing(&mut self, place: Place, method: &AMQPClass) -> Result<(), End> {
        match method {
            AMQPClass::Channel(OfChannel::CloseOk(_)) => {
                self.closing.remove(&place.channel);
            }
            // Both sides close at once; each still answers the other.
            AMQPClass::Channel(OfChannel::Close(_)) => self.world()?.close_channel_at_wish(place),
            AMQPClass::Channel(OfChannel::Open(_)) => {
                return Err(End::Refused(Refusal::new(Code::ChannelError, "second 'channel.open' seen"), (20, 10)));
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes in a part of a message; when it is whole, it is published.
    fn content(&mut self, channel: u16, take: impl FnOnce(&mut Incoming) -> Result<(), Refusal>) -> Result<(), End> {
        if self.closing.contains(&channel) {
            return Ok(());
        }
        let place = Place { connection: self.id, channel };
        if self.shared.world().is_forced(place) {
            self.incoming.remove(&channel);
            return Ok(());
        }
        let Some(incoming) = self.incoming.get_mut(&channel) else {
            let text = "expected method frame, got non method frame instead";
            return Err(End::Refused(Refusal::new(Code::UnexpectedFrame, text), (0, 0)));
        };
        let taken = take(incoming);
        let whole = incoming.is_whole();
        // A channel each for a message that never ends would take memory without a bound.
        if self.incoming.values().map(Incoming::kept).sum::<usize>() as u64 > LARGEST_BODY {
            let text = format!("messages that have begun on this connection have more than {LARGEST_BODY} bytes");
            return Err(End::Refused(Refusal::new(Code::ResourceError, text), PUBLISH));
        }
        if taken.is_err() || whole {
            let incoming = self.incoming.remove(&channel).expect("it is there");
            let outcome = match taken.and_then(|()| incoming.into_publication()) {
                Ok(publication) => {
                    let mut world = self.world()?;
                    // It may have been closed this moment.
                    if world.has_channel(place) { world.publish(place, publication) } else { Ok(()) }
                }
                Err(refusal) => Err(refusal),
            };
            let about = if is_internal(&outcome) { (0, 0) } else { PUBLISH };
            return self.heed(place, outcome, about);
        }
        Ok(())
    }

    /// Tells the client what was wrong: a channel is closed here, a connection by whoever reads from it.
    fn heed(&mut self, place: Place, outcome: Result<(), Refusal>, about: MethodId) -> Result<(), End> {
        match outcome {
            Ok(()) => Ok(()),
            Err(refusal) if refusal.code.is_soft() => {
                self.incoming.remove(&place.channel);
                self.closing.insert(place.channel);
                self.world()?.refuse_channel(place, refusal, about);
                Ok(())
            }
            Err(refusal) => Err(End::Refused(refusal, about)),
        }
    }

    /// Waits until the client, which has said goodbye, hangs up.
    fn wait_for_end(&mut self) {
        self.reader.stream_mut().get_mut().deadline = Some(Instant::now() + GOODBYE_TIME);
        while self.reader.next().is_ok() {}
    }

    /// Waits until the client has understood that its connection is closed, or is gone; what else it sends is ignored.
    fn say_goodbye(&mut self) {
        self.reader.stream_mut().get_mut().deadline = Some(Instant::now() + GOODBYE_TIME);
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

/// Whether RabbitMQ would have crashed on it, and so could not say about what.
fn is_internal(outcome: &Result<(), Refusal>) -> bool {
    matches!(outcome, Err(Refusal { code: Code::InternalError, .. }))
}

/// How short a frame of this kind may be: long enough to say which method it is, or how long a body.
fn shortest(kind: u8) -> usize {
    if kind == METHOD { 4 } else { 12 }
}
