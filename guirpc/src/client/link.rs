//! One channel of a client, and the connection that it is on: publishes what is asked, without ever waiting for long.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::callers::{Callers, Repeat, Waiter, lock};
use super::confirms::{Confirms, PROBE, Size};
use super::outcome::{Outcome, SendOutcome};
use super::pump::Feeds;
use super::table::Loss;
use crate::broker::{Addresses, Connection, Exchanges, OffThread, Outbound, Outbox, Presence};
use crate::error::{CallError, Error};

/// For the broker to say whether it has an exchange.
const PRESENCE_TIMEOUT: Duration = Duration::from_secs(10);
/// After which whoever waits for room asks the broker whether it has read what came before.
const PROBE_AFTER: Duration = Duration::from_millis(100);

/// A channel that is up, or was; what was asked on it fails with it, or is published again on the next.
pub(super) struct Link {
    /// Links are numbered in the order in which they come.
    number: u64,
    callers: Arc<Callers>,
    confirms: Mutex<Confirms<Asker>>,
    /// Told when there may be room again.
    room: Condvar,
    /// How many threads wait for the broker's confirmations.
    hurry: AtomicUsize,
    /// Whether the broker takes no messages at the moment; read at every call.
    is_blocked: AtomicBool,
    /// Its reason.
    blocked: Mutex<String>,
    outbox: Mutex<OffThread<Outbox>>,
    exchanges: Exchanges,
}

/// What the broker decides about.
pub(super) enum Asker {
    Call,
    Send(oneshot::Sender<SendOutcome>),
    /// Nobody: its confirmation says that everything before it has been read.
    Probe,
}

/// Why a request did not get onto a link.
#[derive(Debug)]
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

/// A thread that waits for confirmations, for as long as it does.
struct Hurry<'a>(&'a AtomicUsize);

impl Drop for Hurry<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Link {
    /// Connects, and opens the channel; it waits for the broker.
    pub(super) fn dial(address: &Addresses) -> Result<(Connection, Outbox), Error> {
        let connection = Connection::open(address, "client")?;
        let outbox = Outbox::opener(&connection)()?;
        Ok((connection, outbox))
    }

    /// The feeds are for the thread that pumps the link.
    pub(super) fn new(
        number: u64,
        callers: &Arc<Callers>,
        connection: Connection,
        outbox: Outbox,
        blocked: Option<String>,
    ) -> (Arc<Self>, Feeds) {
        let exchanges = Exchanges::on(&connection);
        let feeds = Feeds::new(connection, &outbox);
        let link = Link {
            number,
            callers: Arc::clone(callers),
            confirms: Mutex::default(),
            room: Condvar::new(),
            hurry: AtomicUsize::new(0),
            is_blocked: AtomicBool::new(blocked.is_some()),
            blocked: Mutex::new(blocked.unwrap_or_default()),
            outbox: Mutex::new(OffThread::new(outbox)),
            exchanges,
        };
        (Arc::new(link), feeds)
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Publishes a call; the receiver learns its outcome.
    ///
    /// One that can be repeated, and does not get onto a link that was up, is left to the next.
    pub(super) fn call(
        &self,
        number: u64,
        request: &Outbound<'_>,
        deadline: Instant,
        repeat: Option<Arc<Repeat>>,
    ) -> Result<oneshot::AsyncReceiver<Outcome>, NotSent> {
        self.check_blocked()?;
        self.check_exchange(request, deadline)?;
        let (waiter, receiver): (Waiter, _) = oneshot::async_channel();
        let is_repeatable = repeat.is_some();
        self.callers.table().insert(number, self.number, waiter, repeat).map_err(NotSent::Gone)?;
        match self.publish(number, request, deadline, Asker::Call) {
            Err(NotSent::Gone(_)) if is_repeatable => Ok(receiver),
            Err(not_sent) => {
                self.callers.table().take(number);
                Err(not_sent)
            }
            Ok(()) => Ok(receiver),
        }
    }

    /// Publishes a call that was lost with a link before; gives `false` if this one is lost as well.
    pub(super) fn call_again(&self, number: u64, repeat: &Repeat) -> bool {
        let Some(request) = repeat.request() else {
            self.callers.decide(number, Outcome::TimedOut);
            return true;
        };
        // The exchange may be what the link before was lost with.
        let present = self.check_exchange(&request, repeat.deadline);
        if !self.callers.table().adopt(number, self.number) {
            return !self.is_closed();
        }
        let published = present.and_then(|()| self.publish(number, &request, repeat.deadline, Asker::Call));
        let outcome = match published {
            Ok(()) => return true,
            // It is adrift again, or will be.
            Err(NotSent::Gone(_)) => return false,
            Err(NotSent::Unroutable(service)) => Outcome::Unroutable(service),
            Err(NotSent::Blocked(reason) | NotSent::Denied(reason)) => Outcome::Lost(reason),
            Err(NotSent::Unanswered(_)) => Outcome::TimedOut,
        };
        self.callers.decide(number, outcome);
        true
    }

    /// Publishes a send, and waits for what the broker does with it; `None` if it does not say in time.
    pub(super) fn send(
        &self,
        number: u64,
        request: &Outbound<'_>,
        deadline: Instant,
    ) -> Result<Option<SendOutcome>, NotSent> {
        self.check_blocked()?;
        self.check_exchange(request, deadline)?;
        let (waiter, outcome) = oneshot::channel();
        let _hurry = self.hurry();
        self.publish(number, request, deadline, Asker::Send(waiter))?;
        Ok(outcome.recv_deadline(deadline).ok())
    }

    fn publish(&self, number: u64, request: &Outbound<'_>, deadline: Instant, asker: Asker) -> Result<(), NotSent> {
        let correlation_id = self.callers.correlation_id(number);
        let message = match asker {
            Asker::Call => request.call(correlation_id),
            Asker::Send(_) | Asker::Probe => request.send(correlation_id),
        };
        let size = Size { bytes: request.bytes(), frames: request.frames() };
        loop {
            self.wait_for_room(size, deadline)?;
            // The broker counts in the order in which we publish, so the lock is held until it is done.
            let mut outbox = lock(&self.outbox);
            let mut confirms = lock(&self.confirms);
            if confirms.has_room(size) {
                confirms.insert(outbox.next_tag(), number, size, asker, Instant::now()).map_err(NotSent::Gone)?;
                drop(confirms);
                // An error means that not all of the message was handed over, so that it cannot have been sent.
                return outbox.publish(request.exchange, message).map_err(|error| NotSent::Gone(error.to_string()));
            }
        }
    }

    /// Waits until a message of this size can be published without waiting for the broker.
    fn wait_for_room(&self, size: Size, deadline: Instant) -> Result<(), NotSent> {
        if lock(&self.confirms).has_room(size) {
            return Ok(());
        }
        let _hurry = self.hurry();
        let mut confirms = lock(&self.confirms);
        while !confirms.has_room(size) {
            self.check_blocked()?;
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NotSent::Unanswered("it has not read yet what was sent before".to_owned()));
            }
            let waited =
                self.room.wait_timeout(confirms, left.min(PROBE_AFTER)).unwrap_or_else(PoisonError::into_inner);
            confirms = waited.0;
            if waited.1.timed_out() {
                drop(confirms);
                self.probe()?;
                confirms = lock(&self.confirms);
            }
        }
        Ok(())
    }

    /// Asks whether everything has been read: what is read need not be confirmed for a long time, or ever.
    pub(super) fn probe(&self) -> Result<(), NotSent> {
        let mut outbox = lock(&self.outbox);
        let mut confirms = lock(&self.confirms);
        if confirms.begin_probe() {
            let size = Size { bytes: 0, frames: 2 };
            confirms.insert(outbox.next_tag(), PROBE, size, Asker::Probe, Instant::now()).map_err(NotSent::Gone)?;
            drop(confirms);
            outbox.probe().map_err(|error| NotSent::Gone(error.to_string()))?;
        }
        Ok(())
    }

    /// Has the pump look at every confirmation at once.
    fn hurry(&self) -> Hurry<'_> {
        self.hurry.fetch_add(1, Ordering::SeqCst);
        self.callers.alarm();
        Hurry(&self.hurry)
    }

    pub(super) fn is_in_a_hurry(&self) -> bool {
        self.hurry.load(Ordering::SeqCst) > 0
    }

    fn check_blocked(&self) -> Result<(), NotSent> {
        self.blocked().map_or(Ok(()), |reason| Err(NotSent::Blocked(reason)))
    }

    /// Why the broker takes no messages at the moment, if it does not.
    pub(super) fn blocked(&self) -> Option<String> {
        self.is_blocked.load(Ordering::Relaxed).then(|| lock(&self.blocked).clone())
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

    pub(super) fn confirms(&self) -> MutexGuard<'_, Confirms<Asker>> {
        lock(&self.confirms)
    }

    /// Says that there may be room again, or no need for any.
    pub(super) fn make_room(&self) {
        self.room.notify_all();
    }

    pub(super) fn set_blocked(&self, reason: Option<String>) {
        let is_blocked = reason.is_some();
        *lock(&self.blocked) = reason.unwrap_or_default();
        self.is_blocked.store(is_blocked, Ordering::Relaxed);
        self.make_room();
    }

    fn is_closed(&self) -> bool {
        lock(&self.confirms).is_closed()
    }

    /// Fails everything that waits, but for what will be published again, and whatever is still asked of this link.
    pub(super) fn close(&self, reason: &str, loss: Loss) {
        let undecided = self.confirms().close(reason);
        self.make_room();
        self.callers.lose(self.number, reason, loss);
        for asker in undecided {
            if let Asker::Send(waiter) = asker {
                let _ = waiter.send(SendOutcome::Lost(reason.to_owned()));
            }
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
