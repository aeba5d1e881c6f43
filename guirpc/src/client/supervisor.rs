//! Keeps a client connected: one link after another, for as long as the client lives.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use tracing::{info, warn};

use super::link::{Link, NotSent, lock};
use super::pending::Ticket;
use super::pump::{self, End, Feeds};
use crate::broker::{Address, Backoff, Outbound};
use crate::error::{CallError, Error, ErrorKind};

/// A connection that held this long was no false start.
const STABLE: Duration = Duration::from_secs(10);

/// What all copies of a client share.
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    /// Dropped with the last copy, which ends the thread.
    _alive: Sender<Infallible>,
}

/// What the copies share with the thread.
struct Shared {
    address: Address,
    /// Read at every call, and by many threads at once.
    state: RwLock<State>,
    /// Held while the state changes, and by those who wait for that.
    gate: Mutex<()>,
    changed: Condvar,
    late_replies: Arc<AtomicU64>,
}

enum State {
    Up(Arc<Link>),
    Down(String),
}

impl Supervisor {
    /// Connects once, so that a mistake is told at once, and then keeps connected.
    pub(super) fn start(address: Address) -> Result<Self, Error> {
        let (link, feeds) = Link::open(&address)?;
        let shared = Arc::new(Shared {
            address,
            state: RwLock::new(State::Up(Arc::clone(&link))),
            gate: Mutex::new(()),
            changed: Condvar::new(),
            late_replies: Arc::default(),
        });
        let (alive, dropped) = bounded(0);
        let supervised = Arc::clone(&shared);
        thread::Builder::new()
            .name("guirpc-client".to_owned())
            .spawn(move || supervised.run(link, feeds, &dropped))
            .map_err(|error| Error::new(ErrorKind::System, format!("no thread for the client: {error}")))?;
        Ok(Supervisor { shared, _alive: alive })
    }

    pub(super) fn address(&self) -> &Address {
        &self.shared.address
    }

    pub(super) fn late_replies(&self) -> u64 {
        self.shared.late_replies.load(Ordering::Relaxed)
    }

    /// Publishes a call, waiting for a connection until the deadline if there is none.
    pub(super) fn call(
        self: &Arc<Self>,
        request: &Outbound<'_>,
        deadline: Instant,
        timeout: Duration,
        idempotent: bool,
    ) -> Result<Ticket, CallError> {
        let (link, (number, receiver)) = self
            .shared
            .publish(deadline, |link| link.call(request, deadline))
            .map_err(|not_sent| not_sent.into_error(idempotent))?;
        Ok(Ticket::new(Arc::clone(self), link, number, receiver, deadline, timeout, idempotent))
    }

    /// Publishes a send and waits until the broker has it.
    pub(super) fn send(
        &self,
        request: &Outbound<'_>,
        deadline: Instant,
        timeout: Duration,
        idempotent: bool,
    ) -> Result<(), CallError> {
        let (link, (tag, outcome)) = self
            .shared
            .publish(deadline, |link| link.send(request, deadline))
            .map_err(|not_sent| not_sent.into_error(idempotent))?;
        let Ok(outcome) = outcome.recv_deadline(deadline) else {
            link.confirms().take(tag);
            return Err(CallError::TimedOut { timeout, idempotent });
        };
        outcome.into_result(&request.routing_key, idempotent)
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

    fn run(&self, mut link: Arc<Link>, mut feeds: Feeds, dropped: &Receiver<Infallible>) {
        let mut backoff = Backoff::new();
        loop {
            let since = Instant::now();
            let reason = match pump::run(&link, feeds, dropped, &self.late_replies) {
                End::Dropped => return link.close("the client was closed"),
                End::Lost(reason) => reason,
            };
            warn!("lost {}: {reason}", self.address);
            self.give_up(&link, &reason);
            link.close(&reason);
            if since.elapsed() >= STABLE {
                backoff.reset();
            }
            match self.reconnect(&mut backoff, dropped) {
                Some(reconnected) => (link, feeds) = reconnected,
                None => return,
            }
        }
    }

    /// Tries until it succeeds, or until the client is dropped.
    fn reconnect(&self, backoff: &mut Backoff, dropped: &Receiver<Infallible>) -> Option<(Arc<Link>, Feeds)> {
        loop {
            match dropped.recv_timeout(backoff.next_delay()) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(never) => match never {},
                Err(RecvTimeoutError::Disconnected) => return None,
            }
            match Link::open(&self.address) {
                Ok((link, feeds)) => {
                    info!("connected to {} again", self.address);
                    self.set_state(State::Up(Arc::clone(&link)));
                    return Some((link, feeds));
                }
                Err(error) => {
                    warn!("{error}");
                    self.set_state(State::Down(error.to_string()));
                }
            }
        }
    }
}
