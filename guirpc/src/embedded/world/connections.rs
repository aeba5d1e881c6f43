//! Connections and their channels: opened, closed, and what they leave behind.

use std::collections::{BTreeMap, BTreeSet};

use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::channel::{AMQPMethod as Method, Close, CloseOk, Flow, FlowOk, OpenOk};
use amq_protocol::protocol::connection::{
    AMQPMethod as ConnectionMethod, Blocked, Close as CloseConnection, Unblocked,
};

use super::World;
use super::channel::Channel;
use crate::embedded::ids::Place;
use crate::embedded::methods::write_method;
use crate::embedded::outbox::Outbox;
use crate::embedded::queue::Subscriber;
use crate::embedded::refusal::{Code, MethodId, Refusal};

/// How many bytes of messages are too much: more than a developer's tests need, less than a developer's machine has.
const MEMORY_LIMIT: usize = 512 << 20;

/// What a client says about itself when it connects.
#[derive(Clone, Debug, Default)]
pub(in crate::embedded) struct Client {
    pub(in crate::embedded) user: String,
    pub(in crate::embedded) information: String,
    pub(in crate::embedded) frame_max: usize,
    /// Whether it understands `connection.blocked`.
    pub(in crate::embedded) hears_blocked: bool,
    /// Whether it understands that the broker cancels a consumer.
    pub(in crate::embedded) hears_cancel: bool,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) outbox: Outbox,
    /// Known once the connection is open.
    pub(super) client: Option<Client>,
    pub(super) channels: BTreeMap<u16, Channel>,
    /// Those that were closed for no fault of the client, who has not confirmed it yet.
    forced: BTreeSet<u16>,
    /// Under an alarm nothing is read from a connection that publishes.
    publishes: bool,
}

impl Connection {
    pub(super) fn frame_max(&self) -> usize {
        self.client.as_ref().expect("nothing is sent before it is open").frame_max
    }
}

impl World {
    /// Takes in a client that has connected, and gives its number.
    pub(in crate::embedded) fn connect(&mut self, outbox: Outbox) -> u64 {
        let id = self.new_id();
        outbox.set_frozen(self.frozen);
        self.sessions.insert(id, outbox.clone());
        let (channels, forced) = (BTreeMap::new(), BTreeSet::new());
        self.connections.insert(id, Connection { outbox, client: None, channels, forced, publishes: false });
        id
    }

    /// The client has shown who it is.
    pub(in crate::embedded) fn open(&mut self, id: u64, client: Client) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.client = Some(client);
        }
    }

    /// Takes back what a connection holds, as when it is lost.
    pub(in crate::embedded) fn disconnect(&mut self, id: u64) {
        let channels: Vec<u16> =
            self.connections.get(&id).map_or(Vec::new(), |connection| connection.channels.keys().copied().collect());
        for channel in channels {
            self.close_channel(Place { connection: id, channel });
        }
        self.connections.remove(&id);
        let owned: Vec<_> =
            self.queues.iter().filter(|(_, queue)| queue.owner == Some(id)).map(|(id, _)| *id).collect();
        for queue in owned {
            self.remove_queue(queue);
        }
        self.update_alarm();
        // Its reader may wait for the end of an alarm.
        self.changed.notify_all();
    }

    /// Nothing more comes from this client, and nobody reads from it any more.
    pub(in crate::embedded) fn leave(&mut self, id: u64) {
        self.sessions.remove(&id);
        self.changed.notify_all();
    }

    pub(in crate::embedded) fn has_sessions(&self) -> bool {
        !self.sessions.is_empty()
    }

    pub(in crate::embedded) fn is_connected(&self, id: u64) -> bool {
        self.connections.contains_key(&id)
    }

    pub(in crate::embedded) fn has_channel(&self, place: Place) -> bool {
        self.connections
            .get(&place.connection)
            .is_some_and(|connection| connection.channels.contains_key(&place.channel))
    }

    /// Opens a channel, of which the connection may have so many at once.
    pub(in crate::embedded) fn open_channel(&mut self, place: Place, channel_max: u16) -> Result<(), Refusal> {
        let Some(connection) = self.connections.get_mut(&place.connection) else { return Ok(()) };
        if connection.channels.contains_key(&place.channel) {
            return Err(Refusal::new(Code::ChannelError, "second 'channel.open' seen"));
        }
        let open = connection.channels.len();
        if open >= channel_max.into() {
            let text =
                format!("number of channels opened ({open}) has reached the negotiated channel_max ({channel_max})");
            return Err(Refusal::new(Code::NotAllowed, text));
        }
        connection.channels.insert(place.channel, Channel::default());
        self.tell(place, &AMQPClass::Channel(Method::OpenOk(OpenOk { channel_id: String::new() })));
        Ok(())
    }

    /// Takes back what a channel holds.
    pub(in crate::embedded) fn close_channel(&mut self, place: Place) {
        let Some(connection) = self.connections.get_mut(&place.connection) else { return };
        let Some(mut channel) = connection.channels.remove(&place.channel) else { return };
        if let Some(replies) = channel.replies.take() {
            self.reply_addresses.remove(&replies.address);
        }
        let unacked = channel.settle_all();
        let queues: Vec<_> = channel.consumers.values().map(|consumer| consumer.queue).collect();
        for (tag, consumer) in channel.consumers {
            self.unsubscribe(consumer.queue, &Subscriber { place, tag });
        }
        self.requeue(unacked);
        // Others may be the active ones now.
        for queue in queues {
            self.deliver(queue);
        }
    }

    /// Closes a channel at the client's wish.
    pub(in crate::embedded) fn close_channel_at_wish(&mut self, place: Place) {
        self.close_channel(place);
        self.tell(place, &AMQPClass::Channel(Method::CloseOk(CloseOk {})));
    }

    /// Closes a channel because of what was sent on it.
    pub(in crate::embedded) fn refuse_channel(&mut self, place: Place, refusal: Refusal, about: MethodId) {
        self.close_channel(place);
        let (class_id, method_id) = about;
        let close = Close { reply_code: refusal.code as u16, reply_text: refusal.text, class_id, method_id };
        self.tell(place, &AMQPClass::Channel(Method::Close(close)));
    }

    /// Closes a channel for no fault of its client, who may not have heard of it when the next frame comes.
    pub(super) fn force_close_channel(&mut self, place: Place, refusal: Refusal) {
        self.refuse_channel(place, refusal, (0, 0));
        if let Some(connection) = self.connections.get_mut(&place.connection) {
            connection.forced.insert(place.channel);
        }
    }

    /// Whether a channel was closed for no fault of its client, who has not confirmed it.
    pub(in crate::embedded) fn is_forced(&self, place: Place) -> bool {
        self.connections.get(&place.connection).is_some_and(|connection| connection.forced.contains(&place.channel))
    }

    /// Takes what a client says on a channel that was closed for no fault of its own.
    pub(in crate::embedded) fn on_forced(&mut self, place: Place, method: &AMQPClass) {
        match method {
            AMQPClass::Channel(Method::CloseOk(_)) => {
                if let Some(connection) = self.connections.get_mut(&place.connection) {
                    connection.forced.remove(&place.channel);
                }
            }
            // Both sides close at once; each still answers the other.
            AMQPClass::Channel(Method::Close(_)) => self.tell(place, &AMQPClass::Channel(Method::CloseOk(CloseOk {}))),
            _ => {}
        }
    }

    /// Closes a connection, for this reason; the client's answer is awaited by whoever reads from it.
    pub(in crate::embedded) fn refuse_connection(&mut self, id: u64, refusal: Refusal, about: MethodId) {
        let Some(outbox) = self.connections.get(&id).map(|connection| connection.outbox.clone()) else { return };
        self.disconnect(id);
        let (class_id, method_id) = about;
        let close = CloseConnection { reply_code: refusal.code as u16, reply_text: refusal.text, class_id, method_id };
        let close = AMQPClass::Connection(ConnectionMethod::Close(close));
        outbox.put(|out| write_method(out, 0, &close));
    }

    pub(super) fn flow(&mut self, place: Place, flow: &Flow) -> Result<(), Refusal> {
        if !flow.active {
            return Err(Refusal::not_implemented("active=false"));
        }
        self.tell(place, &AMQPClass::Channel(Method::FlowOk(FlowOk { active: true })));
        Ok(())
    }

    /// Notes that a connection publishes.
    pub(in crate::embedded) fn begins_to_publish(&mut self, id: u64) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let first = !std::mem::replace(&mut connection.publishes, true);
        if self.alarm.raised && first {
            self.tell_blocked(id);
        }
    }

    /// Whether nothing is to be read from this connection for now.
    pub(in crate::embedded) fn is_blocked(&self, id: u64) -> bool {
        self.alarm.raised && self.connections.get(&id).is_some_and(|connection| connection.publishes)
    }

    /// Raises the alarm when there is too much in memory, and clears it when there is room again.
    pub(super) fn update_alarm(&mut self) {
        let limit = if self.alarm.raised { MEMORY_LIMIT / 2 } else { MEMORY_LIMIT };
        let alarm = self.alarm.forced || self.memory.used() > limit;
        if std::mem::replace(&mut self.alarm.raised, alarm) == alarm {
            return;
        }
        self.changed.notify_all();
        let publishing: Vec<u64> =
            self.connections.iter().filter(|(_, connection)| connection.publishes).map(|(id, _)| *id).collect();
        for id in publishing {
            if alarm {
                self.tell_blocked(id);
            } else {
                self.tell_if_heard(id, &AMQPClass::Connection(ConnectionMethod::Unblocked(Unblocked {})));
            }
        }
    }

    fn tell_blocked(&self, id: u64) {
        let reason = "low on memory".to_owned();
        self.tell_if_heard(id, &AMQPClass::Connection(ConnectionMethod::Blocked(Blocked { reason })));
    }

    fn tell_if_heard(&self, id: u64, method: &AMQPClass) {
        let client = self.connections.get(&id).and_then(|connection| connection.client.as_ref());
        if client.is_some_and(|client| client.hears_blocked) {
            self.tell(Place { connection: id, channel: 0 }, method);
        }
    }
}
