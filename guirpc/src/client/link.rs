//! One connection of a client: what was asked on it, and by whom.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use uuid::Uuid;

use super::outcome::{Outcome, SendOutcome};
use super::pump::Feeds;
use super::table::{Calls, Confirms};
use crate::broker::{self, Address, Connection, Exchanges, OffThread, Outbound, Presence, ReplyQueue, Sends};
use crate::error::{CallError, Error};

/// A connection that is up, or was; what was asked on it fails with it.
pub(super) struct Link {
    /// Begins every correlation id of this link, and of no other on earth.
    prefix: String,
    last_number: AtomicU64,
    calls: Mutex<Calls<oneshot::Sender<Outcome>>>,
    confirms: Mutex<Confirms<oneshot::Sender<SendOutcome>>>,
    /// Whether the broker takes no messages at the moment; read at every call.
    is_blocked: AtomicBool,
    /// Its reason.
    blocked: Mutex<String>,
    reply_queue: Mutex<OffThread<ReplyQueue>>,
    sends: Mutex<OffThread<Sends>>,
    exchanges: Exchanges,
    /// Has the pump look at the deadlines again.
    alarm: Sender<()>,
}

/// For the broker to say whether it has an exchange.
const PRESENCE_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a request did not get onto a link.
pub(super) enum NotSent {
    /// The link is gone; another may do.
    Gone(String),
    /// The broker takes nothing at the moment.
    Blocked(String),
    /// No queue can be reached so.
    Unroutable(String),
    /// The broker does not permit it.
    Denied(String),
    /// The broker did not say in time whether it can take it.
    Unanswered(String),
}

/// Locks what no code of the user's ever runs under, so that a poisoned lock has nothing wrong behind it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    /// Connects; the feeds are for the thread that pumps the link.
    pub(super) fn open(address: &Address) -> Result<(Arc<Self>, Feeds), Error> {
        let to = address.clone();
        // Past the handshake amiquip knows no timeouts.
        let opened = broker::bounded(broker::OPEN_TIMEOUT, move || Link::open_slowly(&to));
        opened.unwrap_or_else(|| Err(broker::no_answer(address)))
    }

    fn open_slowly(address: &Address) -> Result<(Arc<Self>, Feeds), Error> {
        let mut connection = Connection::open(address, "client")?;
        let reply_queue = ReplyQueue::open(&mut connection)?;
        let sends = Sends::open(&mut connection)?;
        let exchanges = Exchanges::on(&connection);
        let (alarm, alarms) = bounded(1);
        let feeds = Feeds::new(connection, &reply_queue, &sends, alarms);
        let link = Link {
            prefix: format!("{}-", Uuid::new_v4().simple()),
            last_number: AtomicU64::new(0),
            calls: Mutex::default(),
            confirms: Mutex::default(),
            is_blocked: AtomicBool::new(false),
            blocked: Mutex::default(),
            reply_queue: Mutex::new(OffThread::new(reply_queue)),
            sends: Mutex::new(OffThread::new(sends)),
            exchanges,
            alarm,
        };
        Ok((Arc::new(link), feeds))
    }

    /// Publishes a call; the receiver learns its outcome.
    pub(super) fn call(
        &self,
        request: &Outbound<'_>,
        deadline: Instant,
    ) -> Result<(u64, oneshot::AsyncReceiver<Outcome>), NotSent> {
        self.check_blocked()?;
        self.check_exchange(request, deadline)?;
        let number = self.next_number();
        let (sender, receiver) = oneshot::async_channel();
        lock(&self.calls).insert(number, sender).map_err(NotSent::Gone)?;
        let call = request.call(self.correlation_id(number));
        // An error means that not all of the message was handed over, so that it cannot have been sent.
        lock(&self.reply_queue).publish(request.exchange, call).map_err(|error| {
            self.calls().take(number);
            NotSent::Gone(error.to_string())
        })?;
        Ok((number, receiver))
    }

    /// Publishes a send; the receiver learns what the broker did with it.
    pub(super) fn send(
        &self,
        request: &Outbound<'_>,
        deadline: Instant,
    ) -> Result<(u64, oneshot::Receiver<SendOutcome>), NotSent> {
        self.check_blocked()?;
        self.check_exchange(request, deadline)?;
        let number = self.next_number();
        let (sender, receiver) = oneshot::channel();
        let send = request.send(self.correlation_id(number));
        // The broker counts in the order in which we publish, so the lock is held until it is done.
        let mut sends = lock(&self.sends);
        let tag = sends.next_tag();
        lock(&self.confirms).insert(tag, number, sender).map_err(NotSent::Gone)?;
        sends.publish(request.exchange, send).map_err(|error| NotSent::Gone(error.to_string()))?;
        Ok((tag, receiver))
    }

    fn check_blocked(&self) -> Result<(), NotSent> {
        if self.is_blocked.load(Ordering::Relaxed) {
            return Err(NotSent::Blocked(lock(&self.blocked).clone()));
        }
        Ok(())
    }

    /// Publishing to an exchange that is not there would cost everybody the channel.
    fn check_exchange(&self, request: &Outbound<'_>, deadline: Instant) -> Result<(), NotSent> {
        let bound = deadline.saturating_duration_since(Instant::now()).min(PRESENCE_TIMEOUT);
        match self.exchanges.presence(request.exchange, bound) {
            Presence::Present => Ok(()),
            Presence::Missing => Err(NotSent::Unroutable(request.routing_key.clone().into_owned())),
            Presence::Denied(reason) => Err(NotSent::Denied(reason)),
            Presence::Gone(reason) => Err(NotSent::Gone(reason)),
            Presence::Unanswered => {
                Err(NotSent::Unanswered(format!("it did not say whether there is an exchange `{}`", request.exchange)))
            }
        }
    }

    fn next_number(&self) -> u64 {
        self.last_number.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn correlation_id(&self, number: u64) -> String {
        format!("{}{number}", self.prefix)
    }

    /// The number in a correlation id of ours.
    pub(super) fn number(&self, correlation_id: &str) -> Option<u64> {
        correlation_id.strip_prefix(&self.prefix)?.parse().ok()
    }

    pub(super) fn calls(&self) -> MutexGuard<'_, Calls<oneshot::Sender<Outcome>>> {
        lock(&self.calls)
    }

    pub(super) fn confirms(&self) -> MutexGuard<'_, Confirms<oneshot::Sender<SendOutcome>>> {
        lock(&self.confirms)
    }

    /// Gives a call up at its deadline, although no thread waits for it.
    pub(super) fn expire_at(&self, deadline: Instant, number: u64) {
        self.calls().expire_at(deadline, number);
        // Full means that it is about to look anyway.
        let _ = self.alarm.try_send(());
    }

    pub(super) fn set_blocked(&self, reason: Option<String>) {
        let is_blocked = reason.is_some();
        *lock(&self.blocked) = reason.unwrap_or_default();
        self.is_blocked.store(is_blocked, Ordering::Relaxed);
    }

    /// Fails everything that waits, and whatever is still asked of this link.
    pub(super) fn close(&self, reason: &str) {
        let calls = self.calls().close(reason);
        for waiter in calls {
            let _ = waiter.send(Outcome::Lost(reason.to_owned()));
        }
        let sends = self.confirms().close(reason);
        for waiter in sends {
            let _ = waiter.send(SendOutcome::Lost(reason.to_owned()));
        }
    }
}

impl NotSent {
    /// The error that it is to a caller who cannot try again.
    pub(super) fn into_error(self, idempotent: bool) -> CallError {
        match self {
            NotSent::Gone(reason) | NotSent::Unanswered(reason) => {
                CallError::Disconnected { reason, sent: false, idempotent }
            }
            NotSent::Blocked(reason) => CallError::Blocked { reason },
            NotSent::Unroutable(service) => CallError::Unroutable { service },
            NotSent::Denied(message) => CallError::Unsendable { message },
        }
    }
}
