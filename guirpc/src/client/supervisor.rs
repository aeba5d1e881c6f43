//! Keeps a client connected: one link after another, for as long as the client lives.

use std::convert::Infallible;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, after, at, bounded, never, select};
use tracing::{info, warn};

use super::callers::{Callers, Repeat, lock};
use super::link::{Link, NotSent};
use super::outcome::SendOutcome;
use super::patience::Patience;
use super::pending::Ticket;
use super::pump::{self, End, Feeds};
use crate::broker::{self, Addresses, Backoff, Connection, Outbound, Outbox};
use crate::error::{CallError, Error, ErrorKind};
use crate::health::Status;

/// A connection that held this long was no false start.
const STABLE: Duration = Duration::from_secs(10);
/// For a connection whose channel was closed to open another.
const CHANNEL_TIMEOUT: Duration = Duration::from_secs(5);

/// What all copies of a client share.
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    /// Dropped with the last copy, which ends the thread.
    _alive: Sender<Infallible>,
}

/// What the copies share with the thread.
struct Shared {
    address: Addresses,
    callers: Arc<Callers>,
    /// Read at every call, and by many threads at once.
    state: RwLock<State>,
    /// Held while the state changes, and by those who wait for that.
    gate: Mutex<()>,
    changed: Condvar,
}

enum State {
    Up(Arc<Link>),
    Down(String),
}

/// The client was dropped.
struct Dropped;

impl Supervisor {
    /// Connects once, so that a mistake is told at once, and then keeps connected.
    pub(super) fn start(address: Addresses) -> Result<Self, Error> {
        let to = address.clone();
        // Past the handshake amiquip knows no timeouts.
        let opened = broker::bounded(broker::OPEN_TIMEOUT, move || Link::dial(&to));
        let (connection, outbox) = opened.unwrap_or_else(|| Err(broker::no_answer(&address)))?;
        let callers = Arc::new(Callers::new());
        let (link, feeds) = Link::new(1, &callers, connection, outbox, None);
        let shared = Arc::new(Shared {
            address,
            callers,
            state: RwLock::new(State::Up(Arc::clone(&link))),
            gate: Mutex::new(()),
            changed: Condvar::new(),
        });
        let (alive, dropped) = bounded(0);
        let supervised = Arc::clone(&shared);
        thread::Builder::new()
            .name("guirpc-client".to_owned())
            .spawn(move || {
                let Dropped = supervised.run(link, feeds, &dropped);
                supervised.callers.close("the client was closed");
            })
            .map_err(|error| Error::new(ErrorKind::System, format!("no thread for the client: {error}")))?;
        Ok(Supervisor { shared, _alive: alive })
    }

    pub(super) fn address(&self) -> &Addresses {
        &self.shared.address
    }

    pub(super) fn callers(&self) -> &Callers {
        &self.shared.callers
    }

    pub(super) fn status(&self) -> Status {
        match self.shared.present_link() {
            Err(reason) => Status::Disconnected { reason },
            Ok(link) => link.blocked().map_or(Status::Connected, |reason| Status::Blocked { reason }),
        }
    }

    /// Publishes a call, waiting for a connection until the deadline if there is none.
    pub(super) fn call(self: &Arc<Self>, request: &Outbound<'_>, patience: Patience) -> Result<Ticket, CallError> {
        let Patience { deadline, idempotent, .. } = patience;
        let repeat = idempotent.then(|| Arc::new(Repeat::new(request, deadline)));
        let number = self.callers().next_number();
        let receiver = self
            .shared
            .publish(deadline, |link| link.call(number, request, deadline, repeat.clone()))
            .map_err(|not_sent| not_sent.into_error(idempotent))?
            .1;
        Ok(Ticket::new(Arc::clone(self), number, receiver, &request.routing_key, patience))
    }

    /// Publishes a send and waits until the broker has it.
    pub(super) fn send(&self, request: &Outbound<'_>, patience: Patience) -> Result<(), CallError> {
        let Patience { deadline, timeout, idempotent } = patience;
        let number = self.callers().next_number();
        // Why it was published before without an outcome: it may have been taken then, whatever becomes of it now.
        let mut lost = None;
        loop {
            let published = self.shared.publish(deadline, |link| link.send(number, request, deadline));
            let (outcome, reason) = match (published, lost) {
                (Ok((link, Some(SendOutcome::Lost(reason)))), _) if idempotent => {
                    self.shared.give_up(&link, &reason);
                    lost = Some(reason);
                    continue;
                }
                (Ok((_, Some(outcome))), reason) => (outcome.into_result(&request.routing_key, idempotent), reason),
                (Ok((_, None)), reason) => (Err(CallError::TimedOut { timeout, idempotent }), reason),
                (Err(not_sent), reason) => (Err(not_sent.into_error(idempotent)), reason),
            };
            return match (outcome, reason) {
                (Err(_), Some(reason)) => Err(CallError::Disconnected { reason, sent: true, idempotent }),
                (outcome, _) => outcome,
            };
        }
    }
}

impl Shared {
    /// Tries on one link after another until one takes the request; says which.
    fn publish<T>(
        &self,
        deadline: Instant,
        on: impl Fn(&Link) -> Result<T, NotSent>,
    ) -> Result<(Arc<Link>, T), NotSent> {
        loop {
            let link = self.link(deadline)?;
            match on(&link) {
                Err(NotSent::Gone(reason)) => self.give_up(&link, &reason),
                Err(not_sent) => return Err(not_sent),
                Ok(published) => return Ok((link, published)),
            }
        }
    }

    /// The link that is up, or will be before the deadline.
    fn link(&self, deadline: Instant) -> Result<Arc<Link>, NotSent> {
        if let Ok(link) = self.present_link() {
            return Ok(link);
        }
        let mut gate = lock(&self.gate);
        loop {
            let reason = match self.present_link() {
                Ok(link) => return Ok(link),
                Err(reason) => reason,
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NotSent::Gone(reason));
            }
            gate = self.changed.wait_timeout(gate, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The link that is up, or why none is.
    fn present_link(&self) -> Result<Arc<Link>, String> {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Up(link) => Ok(Arc::clone(link)),
            State::Down(reason) => Err(reason.clone()),
        }
    }

    fn set_state(&self, state: State) {
        let _gate = lock(&self.gate);
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
        self.changed.notify_all();
    }

    /// Has nobody use this link any more; the thread that pumps it will notice as well, sooner or later.
    fn give_up(&self, link: &Arc<Link>, reason: &str) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if matches!(&*state, State::Up(current) if Arc::ptr_eq(current, link)) {
            *state = State::Down(reason.to_owned());
        }
    }

    fn run(&self, mut link: Arc<Link>, mut feeds: Feeds, dropped: &Receiver<Infallible>) -> Dropped {
        let mut backoff = Backoff::new();
        loop {
            let since = Instant::now();
            let (reason, connection) = match pump::run(&link, feeds, &self.callers, dropped) {
                End::Dropped => {
                    link.close("the client was closed", End::loss(None));
                    return Dropped;
                }
                End::Lost(reason, connection) => (reason, connection),
            };
            self.give_up(&link, &reason);
            link.close(&reason, End::loss(connection.as_ref()));
            let held = since.elapsed() >= STABLE;
            if held {
                backoff.reset();
            }
            let mut next = Ok(None);
            if let Some(connection) = connection {
                warn!("{} closed a channel: {reason}; calls go on with a new one", self.address);
                // Whoever has one channel after another closed is slowed down.
                let pause = if held { Duration::ZERO } else { backoff.next_delay() };
                next = self.reopen(&link, connection, pause, dropped);
            } else {
                warn!("lost {}: {reason}", self.address);
            }
            let next = next.and_then(|reopened| match reopened {
                Some(reopened) => Ok(reopened),
                None => self.reconnect(link.number(), &mut backoff, dropped),
            });
            match next {
                Ok(next) => (link, feeds) = next,
                Err(dropped) => return dropped,
            }
            self.set_state(State::Up(Arc::clone(&link)));
            self.call_again(&link);
        }
    }

    /// Opens another channel on a connection that lives; `None` if it does not after all.
    fn reopen(
        &self,
        former: &Link,
        connection: Connection,
        pause: Duration,
        dropped: &Receiver<Infallible>,
    ) -> Result<Option<(Arc<Link>, Feeds)>, Dropped> {
        self.wait(&after(pause), None, dropped)?;
        let Some(opened) = self.attempt(CHANNEL_TIMEOUT, Outbox::opener(&connection), dropped)? else {
            warn!("{} does not open another channel: connecting again", self.address);
            return Ok(None);
        };
        match opened {
            Ok(outbox) => {
                let next = Link::new(former.number() + 1, &self.callers, connection, outbox, former.blocked());
                Ok(Some(next))
            }
            Err(error) => {
                warn!("{error}");
                Ok(None)
            }
        }
    }

    /// Tries until it succeeds, or until the client is dropped.
    fn reconnect(
        &self,
        former: u64,
        backoff: &mut Backoff,
        dropped: &Receiver<Infallible>,
    ) -> Result<(Arc<Link>, Feeds), Dropped> {
        loop {
            self.wait(&after(backoff.next_delay()), None, dropped)?;
            let to = self.address.clone();
            let opened = self.attempt(broker::OPEN_TIMEOUT, move || Link::dial(&to), dropped)?;
            match opened.unwrap_or_else(|| Err(broker::no_answer(&self.address))) {
                Ok((connection, outbox)) => {
                    info!("connected to {} again", self.address);
                    return Ok(Link::new(former + 1, &self.callers, connection, outbox, None));
                }
                Err(error) => {
                    warn!("{error}");
                    self.set_state(State::Down(error.to_string()));
                }
            }
        }
    }

    /// Does what waits for the broker on a thread of its own, and gives up on it after `bound`.
    fn attempt<T: Send + 'static>(
        &self,
        bound: Duration,
        work: impl FnOnce() -> T + Send + 'static,
        dropped: &Receiver<Infallible>,
    ) -> Result<Option<T>, Dropped> {
        let (done, result) = bounded(1);
        let spawned = thread::Builder::new().name("guirpc-bounded".to_owned()).spawn(move || done.send(work()));
        if spawned.is_err() {
            return Ok(None);
        }
        self.wait(&result, Some(bound), dropped)
    }

    /// Waits for something, and keeps the deadlines of calls meanwhile: nobody else does while there is no link.
    fn wait<T>(
        &self,
        wanted: &Receiver<T>,
        bound: Option<Duration>,
        dropped: &Receiver<Infallible>,
    ) -> Result<Option<T>, Dropped> {
        let end = bound.map_or_else(never, after);
        loop {
            let next_deadline = self.callers.table().next_deadline();
            let deadline = next_deadline.map_or_else(never, at);
            select! {
                recv(wanted) -> wanted => return Ok(wanted.ok()),
                recv(end) -> _ => return Ok(None),
                recv(dropped) -> _ => return Err(Dropped),
                recv(self.callers.alarms) -> _ => {}
                recv(deadline) -> _ => self.callers.expire(),
            }
        }
    }

    /// Publishes what was lost with the links before, on a thread of its own: it may wait for what the pump brings.
    fn call_again(&self, link: &Arc<Link>) {
        let adrift = self.callers.table().adrift();
        if adrift.is_empty() {
            return;
        }
        info!("{} calls that are safe to run twice are made again", adrift.len());
        let link = Arc::clone(link);
        let work = move || adrift.iter().all(|(number, repeat)| link.call_again(*number, repeat));
        if let Err(error) = thread::Builder::new().name("guirpc-again".to_owned()).spawn(work) {
            // They have their outcome at their deadline.
            warn!("no thread to make calls again: {error}");
        }
    }
}
