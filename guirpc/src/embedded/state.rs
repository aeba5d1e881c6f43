//! The state of the broker, and what each method of AMQP does to it.
//!
//! One lock guards it all; nothing in here waits, and what goes to clients is put into their send buffers.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar};
use std::time::Instant;

use amq_protocol::protocol::AMQPClass;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::exchange::Exchange;
use super::ids::{ChannelId, QueueId};
use super::memory::Memory;
use super::methods::write_method;
use super::queue::Queue;
use super::refusal::Refusal;
use super::send_buffer::SendBuffer;
use channel::Channel;
use connections::Connection;
use replies::Held;

mod acknowledging;
mod channel;
mod connections;
mod consuming;
mod dead_letters;
mod exchanges;
mod faults;
mod publishing;
mod queues;
mod replies;
mod time;

pub(super) use connections::Client;

#[derive(Debug)]
pub(super) struct BrokerState {
    exchanges: HashMap<String, Exchange>,
    queues: BTreeMap<QueueId, Queue>,
    queue_ids: HashMap<String, QueueId>,
    connections: BTreeMap<u64, Connection>,
    /// Every socket that is connected, also before its connection is open and while that is being closed.
    sessions: BTreeMap<u64, SendBuffer>,
    /// The channels that take replies directly, by their addresses.
    reply_addresses: HashMap<String, ChannelId>,
    /// Replies that are held back, while a test wants that.
    held: Option<Vec<Held>>,
    memory: Memory,
    alarm: Alarm,
    frozen: bool,
    ended: bool,
    last_id: u64,
    /// When the clock wakes for the next message or queue that expires.
    next_due: Option<Instant>,
    /// Wakes the clock when that is sooner, and the readers that wait for the end of the alarm.
    changed: Arc<Condvar>,
}

/// The alarm under which nothing is read from connections that publish.
#[derive(Debug, Default)]
struct Alarm {
    raised: bool,
    /// A test wants it, however much memory there is.
    forced: bool,
}

impl BrokerState {
    pub(super) fn new(changed: Arc<Condvar>) -> Self {
        BrokerState {
            exchanges: exchanges::PREDECLARED.map(|(name, kind)| (name.to_owned(), Exchange::new(kind))).into(),
            queues: BTreeMap::new(),
            queue_ids: HashMap::new(),
            connections: BTreeMap::new(),
            sessions: BTreeMap::new(),
            reply_addresses: HashMap::new(),
            held: None,
            memory: Memory::default(),
            alarm: Alarm::default(),
            frozen: false,
            ended: false,
            last_id: 0,
            next_due: None,
            changed,
        }
    }

    /// What messages take, on their way in as well.
    pub(super) fn memory(&self) -> Memory {
        self.memory.clone()
    }

    /// Stops the clock.
    pub(super) fn end(&mut self) {
        self.ended = true;
        self.changed.notify_all();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// A number that nothing else has.
    fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Sends a method on this channel.
    fn send(&self, channel_id: ChannelId, method: &AMQPClass) {
        if let Some(connection) = self.connections.get(&channel_id.connection) {
            connection.send_buffer.put(|out| write_method(out, channel_id.channel, method));
        }
    }

    /// The channel with this id, which is open.
    fn channel(&mut self, channel_id: ChannelId) -> &mut Channel {
        let connection =
            self.connections.get_mut(&channel_id.connection).expect("a connection that is read from is there");
        connection.channels.get_mut(&channel_id.channel).expect("what is not on an open channel is refused before")
    }

    /// The channel with this id, if it is still open.
    fn channel_if_open(&mut self, channel_id: ChannelId) -> Option<&mut Channel> {
        self.connections.get_mut(&channel_id.connection)?.channels.get_mut(&channel_id.channel)
    }

    /// Does what a client asks for on an open channel.
    ///
    /// # Errors
    /// Why not; nothing was sent to the client then.
    pub(super) fn handle(&mut self, channel_id: ChannelId, method: AMQPClass) -> Result<(), Refusal> {
        use amq_protocol::protocol::access::{AMQPMethod as Access, RequestOk};
        use amq_protocol::protocol::basic::AMQPMethod as Basic;
        use amq_protocol::protocol::channel::AMQPMethod as OfChannel;
        use amq_protocol::protocol::confirm::AMQPMethod as Confirm;
        use amq_protocol::protocol::exchange::AMQPMethod as OfExchange;
        use amq_protocol::protocol::queue::AMQPMethod as OfQueue;

        let outcome = match method {
            AMQPClass::Access(Access::Request(_)) => {
                // Realms are older than AMQP 0-9-1; RabbitMQ gives everybody the same ticket.
                self.send(channel_id, &AMQPClass::Access(Access::RequestOk(RequestOk { ticket: 1 })));
                Ok(())
            }
            AMQPClass::Channel(OfChannel::Flow(flow)) => self.flow(channel_id, &flow),
            AMQPClass::Channel(OfChannel::FlowOk(_)) => Ok(()),
            AMQPClass::Exchange(OfExchange::Declare(declare)) => self.declare_exchange(channel_id, &declare),
            AMQPClass::Exchange(OfExchange::Delete(delete)) => self.delete_exchange(channel_id, &delete),
            AMQPClass::Queue(OfQueue::Declare(declare)) => self.declare_queue(channel_id, declare),
            AMQPClass::Queue(OfQueue::Bind(bind)) => self.bind(channel_id, bind),
            AMQPClass::Queue(OfQueue::Unbind(unbind)) => self.unbind(channel_id, &unbind),
            AMQPClass::Queue(OfQueue::Purge(purge)) => self.purge(channel_id, &purge),
            AMQPClass::Queue(OfQueue::Delete(delete)) => self.delete_queue(channel_id, &delete),
            AMQPClass::Basic(Basic::Qos(qos)) => self.set_prefetch(channel_id, &qos),
            AMQPClass::Basic(Basic::Consume(consume)) => self.consume(channel_id, &consume),
            AMQPClass::Basic(Basic::Cancel(cancel)) => {
                self.cancel(channel_id, cancel);
                Ok(())
            }
            AMQPClass::Basic(Basic::Get(get)) => self.get(channel_id, &get),
            AMQPClass::Basic(Basic::Ack(ack)) => self.ack(channel_id, &ack),
            AMQPClass::Basic(Basic::Nack(nack)) => self.nack(channel_id, &nack),
            AMQPClass::Basic(Basic::Reject(reject)) => self.reject(channel_id, &reject),
            AMQPClass::Basic(Basic::Recover(recover)) => self.recover(channel_id, recover.requeue, true),
            AMQPClass::Basic(Basic::RecoverAsync(recover)) => self.recover(channel_id, recover.requeue, false),
            AMQPClass::Confirm(Confirm::Select(select)) => {
                self.select_confirms(channel_id, &select);
                Ok(())
            }
            other if is_rabbitmqs(&other) => {
                Err(Refusal::not_implemented(format!("the embedded broker has no {}", name_of(&other))))
            }
            _ => Err(Refusal::unimplemented()),
        };
        self.update_alarm();
        outcome
    }
}

/// Whether it is something that RabbitMQ does and this broker does not.
fn is_rabbitmqs(method: &AMQPClass) -> bool {
    use amq_protocol::protocol::exchange::AMQPMethod as OfExchange;
    use amq_protocol::protocol::tx::AMQPMethod as Tx;

    matches!(
        method,
        AMQPClass::Tx(Tx::Select(_) | Tx::Commit(_) | Tx::Rollback(_))
            | AMQPClass::Exchange(OfExchange::Bind(_) | OfExchange::Unbind(_))
    )
}

/// The method's name, as the codec spells it: `Tx(Select(…))` becomes `tx.select`.
fn name_of(method: &AMQPClass) -> String {
    let shown = format!("{method:?}");
    let name: Vec<&str> = shown.split(['(', ' ', ')']).take(2).collect();
    name.join(".").to_lowercase()
}

/// A name that the broker generates: RabbitMQ's prefix, and 22 random letters that cannot be guessed.
fn generated_name(prefix: &str) -> String {
    format!("{prefix}-{}", URL_SAFE_NO_PAD.encode(uuid::Uuid::new_v4().as_bytes()))
}
