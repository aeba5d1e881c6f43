//! Everything that the broker knows, and what each method of AMQP does to it.
//!
//! One lock guards it all; nothing in here waits for anything, and what clients are told goes into their outboxes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar};
use std::time::Instant;

use amq_protocol::protocol::AMQPClass;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::exchange::Exchange;
use super::ids::{Place, QueueId};
use super::message::Memory;
use super::methods::write_method;
use super::outbox::Outbox;
use super::queue::Queue;
use super::refusal::Refusal;
use channel::Channel;
use connections::Connection;
use replies::Held;

mod channel;
mod connections;
mod consuming;
mod dead_letters;
mod exchanges;
mod faults;
mod publishing;
mod queues;
mod replies;
mod settling;
mod time;

pub(super) use connections::Client;

#[derive(Debug)]
pub(super) struct World {
    exchanges: HashMap<String, Exchange>,
    queues: BTreeMap<QueueId, Queue>,
    queue_ids: HashMap<String, QueueId>,
    connections: BTreeMap<u64, Connection>,
    /// Everybody who is connected in any way, also before a connection is open and while it is being closed.
    sessions: BTreeMap<u64, Outbox>,
    /// The channels that take replies directly, by their addresses.
    reply_addresses: HashMap<String, Place>,
    /// Replies that are held back, while a test wants that.
    held: Option<Vec<Held>>,
    memory: Memory,
    alarm: Alarm,
    frozen: bool,
    ended: bool,
    last_id: u64,
    /// When the next message or queue expires, as far as the clock knows.
    next_due: Option<Instant>,
    /// Wakes the clock when that is sooner, and those who wait for the end of the alarm.
    changed: Arc<Condvar>,
}

/// The alarm under which nothing is read from those who publish.
#[derive(Debug, Default)]
struct Alarm {
    raised: bool,
    /// A test wants it, however much memory there is.
    forced: bool,
}

impl World {
    pub(super) fn new(changed: Arc<Condvar>) -> Self {
        World {
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

    /// There will be nothing more to do.
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

    /// Tells the client at this place something.
    fn tell(&self, place: Place, method: &AMQPClass) {
        if let Some(connection) = self.connections.get(&place.connection) {
            connection.outbox.put(|out| write_method(out, place.channel, method));
        }
    }

    /// The channel at this place, which is open.
    fn channel(&mut self, place: Place) -> &mut Channel {
        let connection = self.connections.get_mut(&place.connection).expect("a connection that sends is there");
        connection.channels.get_mut(&place.channel).expect("what is not on an open channel is refused before")
    }

    /// The channel at this place, if it is still open.
    fn channel_if_open(&mut self, place: Place) -> Option<&mut Channel> {
        self.connections.get_mut(&place.connection)?.channels.get_mut(&place.channel)
    }

    /// Does what a client asks for on an open channel.
    ///
    /// # Errors
    /// Why not; the client has been told nothing then.
    pub(super) fn handle(&mut self, place: Place, method: AMQPClass) -> Result<(), Refusal> {
        use amq_protocol::protocol::access::{AMQPMethod as Access, RequestOk};
        use amq_protocol::protocol::basic::AMQPMethod as Basic;
        use amq_protocol::protocol::channel::AMQPMethod as OfChannel;
        use amq_protocol::protocol::confirm::AMQPMethod as Confirm;
        use amq_protocol::protocol::exchange::AMQPMethod as OfExchange;
        use amq_protocol::protocol::queue::AMQPMethod as OfQueue;

        let outcome = match method {
            AMQPClass::Access(Access::Request(_)) => {
                // Realms are older than AMQP 0-9-1; RabbitMQ gives everybody the same ticket.
                self.tell(place, &AMQPClass::Access(Access::RequestOk(RequestOk { ticket: 1 })));
                Ok(())
            }
            AMQPClass::Channel(OfChannel::Flow(flow)) => self.flow(place, &flow),
            AMQPClass::Channel(OfChannel::FlowOk(_)) => Ok(()),
            AMQPClass::Exchange(OfExchange::Declare(declare)) => self.declare_exchange(place, &declare),
            AMQPClass::Exchange(OfExchange::Delete(delete)) => self.delete_exchange(place, &delete),
            AMQPClass::Queue(OfQueue::Declare(declare)) => self.declare_queue(place, declare),
            AMQPClass::Queue(OfQueue::Bind(bind)) => self.bind(place, bind),
            AMQPClass::Queue(OfQueue::Unbind(unbind)) => self.unbind(place, &unbind),
            AMQPClass::Queue(OfQueue::Purge(purge)) => self.purge(place, &purge),
            AMQPClass::Queue(OfQueue::Delete(delete)) => self.delete_queue(place, &delete),
            AMQPClass::Basic(Basic::Qos(qos)) => self.set_prefetch(place, &qos),
            AMQPClass::Basic(Basic::Consume(consume)) => self.consume(place, &consume),
            AMQPClass::Basic(Basic::Cancel(cancel)) => {
                self.cancel(place, cancel);
                Ok(())
            }
            AMQPClass::Basic(Basic::Get(get)) => self.get(place, &get),
            AMQPClass::Basic(Basic::Ack(ack)) => self.ack(place, &ack),
            AMQPClass::Basic(Basic::Nack(nack)) => self.nack(place, &nack),
            AMQPClass::Basic(Basic::Reject(reject)) => self.reject(place, &reject),
            AMQPClass::Basic(Basic::Recover(recover)) => self.recover(place, recover.requeue, true),
            AMQPClass::Basic(Basic::RecoverAsync(recover)) => self.recover(place, recover.requeue, false),
            AMQPClass::Confirm(Confirm::Select(select)) => {
                self.select_confirms(place, &select);
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

/// A name that the broker makes up: RabbitMQ's prefix, and 22 letters that nobody can guess.
fn made_up(prefix: &str) -> String {
    format!("{prefix}-{}", URL_SAFE_NO_PAD.encode(uuid::Uuid::new_v4().as_bytes()))
}
