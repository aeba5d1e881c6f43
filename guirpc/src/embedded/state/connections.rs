//! Connections and their channels: opened, closed, and what they leave behind.

use std::collections::{BTreeMap, BTreeSet};

use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::channel::{AMQPMethod as Method, Close, CloseOk, Flow, FlowOk, OpenOk};
use amq_protocol::protocol::connection::{
    AMQPMethod as ConnectionMethod, Blocked, Close as CloseConnection, Unblocked,
};

use super::BrokerState;
use super::channel::Channel;
use crate::embedded::ids::ChannelId;
use crate::embedded::memory::MEMORY_LIMIT;
use crate::embedded::methods::write_method;
use crate::embedded::queue::Subscriber;
use crate::embedded::refusal::{Code, MethodId, Refusal};
use crate::embedded::send_buffer::SendBuffer;

/// What a client sent about itself in the handshake.
#[derive(Clone, Debug, Default)]
pub(in crate::embedded) struct Client {
    pub(in crate::embedded) user: String,
    pub(in crate::embedded) information: String,
    pub(in crate::embedded) frame_max: usize,
    /// Whether it has the capability `connection.blocked`.
    pub(in crate::embedded) supports_blocked: bool,
    /// Whether it has the capability `consumer_cancel_notify`.
    pub(in crate::embedded) supports_cancel: bool,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) send_buffer: SendBuffer,
    /// Known once the connection is open.
    pub(super) client: Option<Client>,
    pub(super) channels: BTreeMap<u16, Channel>,
    /// Channels that the broker closed by itself, and whose `channel.close-ok` has not come yet.
    forced: BTreeSet<u16>,
    /// Under an alarm nothing is read from a connection that publishes.
    publishes: bool,
}

impl Connection {
    pub(super) fn frame_max(&self) -> usize {
        self.client.as_ref().expect("nothing is sent before it is open").frame_max
    }
}

impl BrokerState {
    /// Takes in a client that has connected, and gives its number.
    pub(in crate::embedded) fn connect(&mut self, send_buffer: SendBuffer) -> u64 {
        let id = self.new_id();
        send_buffer.set_frozen(self.frozen);
        self.sessions.insert(id, send_buffer.clone());
        let (channels, forced) = (BTreeMap::new(), BTreeSet::new());
        self.connections.insert(id, Connection { send_buffer, client: None, channels, forced, publishes: false });
        id
    }

    /// The client is authenticated.
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
            self.close_channel(ChannelId { connection: id, channel });
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

    /// Nothing more comes from this client, and no thread reads from it any more.
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

    pub(in crate::embedded) fn has_channel(&self, channel_id: ChannelId) -> bool {
        self.connections
            .get(&channel_id.connection)
            .is_some_and(|connection| connection.channels.contains_key(&channel_id.channel))
    }

    /// Opens a channel, of which the connection may have so many at once.
    pub(in crate::embedded) fn open_channel(&mut self, channel_id: ChannelId, channel_max: u16) -> Result<(), Refusal> {
        let Some(connection) = self.connections.get_mut(&channel_id.connection) else { return Ok(()) };
        if connection.channels.contains_key(&channel_id.channel) {
            return Err(Refusal::new(Code::ChannelError, "second 'channel.open' seen"));
        }
        let open = connection.channels.len();
        if open >= channel_max.into() {
            let text =
                format!("number of channels opened ({open}) has reached the negotiated channel_max ({channel_max})");
            return Err(Refusal::new(Code::NotAllowed, text));
        }
        connection.channels.insert(channel_id.channel, Channel::default());
        self.send(channel_id, &AMQPClass::Channel(Method::OpenOk(OpenOk { channel_id: String::new() })));
        Ok(())
    }

    /// Takes back what a channel holds.
    pub(in crate::embedded) fn close_channel(&mut self, channel_id: ChannelId) {
        let Some(connection) = self.connections.get_mut(&channel_id.connection) else { return };
        let Some(mut channel) = connection.channels.remove(&channel_id.channel) else { return };
        if let Some(replies) = channel.replies.take() {
            self.reply_addresses.remove(&replies.address);
        }
        let unacked = channel.settle_all();
        let queues: Vec<_> = channel.consumers.values().map(|consumer| consumer.queue).collect();
        for (tag, consumer) in channel.consumers {
            self.unsubscribe(consumer.queue, &Subscriber { channel_id, tag });
        }
        self.requeue(unacked);
        // Others may be the active ones now.
        for queue in queues {
            self.deliver(queue);
        }
    }

    /// Closes a channel because the client asked for it.
    pub(in crate::embedded) fn close_channel_by_client(&mut self, channel_id: ChannelId) {
        self.close_channel(channel_id);
        self.send(channel_id, &AMQPClass::Channel(Method::CloseOk(CloseOk {})));
    }

    /// Closes a channel because of what was sent on it.
    pub(in crate::embedded) fn refuse_channel(&mut self, channel_id: ChannelId, refusal: Refusal, about: MethodId) {
        self.close_channel(channel_id);
        let (class_id, method_id) = about;
        let close = Close { reply_code: refusal.code as u16, reply_text: refusal.text, class_id, method_id };
        self.send(channel_id, &AMQPClass::Channel(Method::Close(close)));
        // A message that had begun on it may be gone.
        self.update_alarm();
    }

    /// Closes a channel for no fault of its client, whose next frames may have been sent before it knew.
    pub(super) fn force_close_channel(&mut self, channel_id: ChannelId, refusal: Refusal) {
        self.refuse_channel(channel_id, refusal, (0, 0));
        if let Some(connection) = self.connections.get_mut(&channel_id.connection) {
            connection.forced.insert(channel_id.channel);
        }
    }

    /// Whether the broker closed the channel by itself, and its `channel.close-ok` has not come yet.
    pub(in crate::embedded) fn is_forced(&self, channel_id: ChannelId) -> bool {
        self.connections
            .get(&channel_id.connection)
            .is_some_and(|connection| connection.forced.contains(&channel_id.channel))
    }

    /// Handles a method on a channel that the broker closed by itself.
    pub(in crate::embedded) fn on_forced(&mut self, channel_id: ChannelId, method: &AMQPClass) {
        match method {
            AMQPClass::Channel(Method::CloseOk(_)) => {
                if let Some(connection) = self.connections.get_mut(&channel_id.connection) {
                    connection.forced.remove(&channel_id.channel);
                }
            }
            // Both sides close at once; each still answers the other.
            AMQPClass::Channel(Method::Close(_)) => {
                self.send(channel_id, &AMQPClass::Channel(Method::CloseOk(CloseOk {})));
            }
            _ => {}
        }
    }

    /// Closes a connection, for this reason; the thread that reads from it waits for the answer.
    pub(in crate::embedded) fn refuse_connection(&mut self, id: u64, refusal: Refusal, about: MethodId) {
        let Some(send_buffer) = self.connections.get(&id).map(|connection| connection.send_buffer.clone()) else {
            return;
        };
        self.disconnect(id);
        let (class_id, method_id) = about;
        let close = CloseConnection { reply_code: refusal.code as u16, reply_text: refusal.text, class_id, method_id };
        let close = AMQPClass::Connection(ConnectionMethod::Close(close));
        send_buffer.put(|out| write_method(out, 0, &close));
    }

    pub(super) fn flow(&mut self, channel_id: ChannelId, flow: &Flow) -> Result<(), Refusal> {
        if !flow.active {
            return Err(Refusal::not_implemented("active=false"));
        }
        self.send(channel_id, &AMQPClass::Channel(Method::FlowOk(FlowOk { active: true })));
        Ok(())
    }

    /// Notes that a connection publishes.
    pub(in crate::embedded) fn begins_to_publish(&mut self, id: u64) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let first = !std::mem::replace(&mut connection.publishes, true);
        if self.alarm.raised && first {
            self.send_blocked(id);
        }
    }

    /// Whether nothing is to be read from this connection for now.
    pub(in crate::embedded) fn is_blocked(&self, id: u64) -> bool {
        self.alarm.raised && self.connections.get(&id).is_some_and(|connection| connection.publishes)
    }

    /// Raises the alarm when there is too much in memory, and clears it when there is room again.
    pub(in crate::embedded) fn update_alarm(&mut self) {
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
                self.send_blocked(id);
            } else {
                self.send_if_supported(id, &AMQPClass::Connection(ConnectionMethod::Unblocked(Unblocked {})));
            }
        }
    }

    fn send_blocked(&self, id: u64) {
        let reason = "low on memory".to_owned();
        self.send_if_supported(id, &AMQPClass::Connection(ConnectionMethod::Blocked(Blocked { reason })));
    }

    fn send_if_supported(&self, id: u64, method: &AMQPClass) {
        let client = self.connections.get(&id).and_then(|connection| connection.client.as_ref());
        if client.is_some_and(|client| client.supports_blocked) {
            self.send(ChannelId { connection: id, channel: 0 }, method);
        }
    }
}
