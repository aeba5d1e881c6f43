//! Leader and followers: which worker takes the next request.
//!
//! One worker leads: it waits for requests and runs them itself, one after another, which for quick functions
//! is as fast as it gets, since no thread has to be woken. The lead goes to a follower when the leader is held up:
//! before a function that is usually slow, or by the session's tick in the middle of one that turns out to be.

use super::sync::{Arc, AtomicU64, Condvar, Mutex, MutexGuard, Ordering, PoisonError};

/// The workers' agreement on who leads, across all sessions of a server; `S` is a session.
pub(super) struct Leadership<S> {
    state: Mutex<State<S>>,
    changed: Condvar,
    /// Odd while the leader runs a function, with the lead kept; every change is a step up.
    turn: AtomicU64,
}

struct State<S> {
    session: Option<Arc<S>>,
    led: bool,
    dismissed: bool,
}

impl<S> Leadership<S> {
    pub(super) fn new() -> Self {
        let state = State { session: None, led: false, dismissed: false };
        Leadership { state: Mutex::new(state), changed: Condvar::new(), turn: AtomicU64::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the leadership a session to work on.
    pub(super) fn assign(&self, session: Arc<S>) {
        self.lock().session = Some(session);
        self.changed.notify_one();
    }

    /// Takes the session away; a worker that runs a request of it finishes that first.
    pub(super) fn unassign(&self) {
        self.lock().session = None;
    }

    /// The leader, and no other worker, has found that nothing more comes from this session, and steps back.
    pub(super) fn retire(&self, session: &Arc<S>) {
        let mut state = self.lock();
        if state.session.as_ref().is_some_and(|current| Arc::ptr_eq(current, session)) {
            state.session = None;
        }
        state.led = false;
        self.changed.notify_one();
    }

    /// Sends the workers home, each when it has finished.
    pub(super) fn dismiss(&self) {
        self.lock().dismissed = true;
        self.changed.notify_all();
    }

    /// Waits for the lead; `None` when there is nothing more to do.
    pub(super) fn take_lead(&self) -> Option<Arc<S>> {
        let mut state = self.lock();
        loop {
            match &state.session {
                _ if state.dismissed => return None,
                Some(session) if !state.led => {
                    let session = Arc::clone(session);
                    state.led = true;
                    return Some(session);
                }
                _ => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Whether a worker leads, on whatever session.
    pub(super) fn is_led(&self) -> bool {
        self.lock().led
    }

    /// Hands the lead to a worker that waits for it.
    pub(super) fn release_lead(&self) {
        self.lock().led = false;
        self.changed.notify_one();
    }

    /// The leader starts a function that it expects to be quick.
    pub(super) fn begin_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The leader has finished; says whether it still leads.
    pub(super) fn end_turn(&self, turn: u64) -> bool {
        self.turn.compare_exchange(turn, turn + 1, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// The turn that is running, if one is.
    pub(super) fn turn(&self) -> Option<u64> {
        let turn = self.turn.load(Ordering::SeqCst);
        (turn % 2 == 1).then_some(turn)
    }

    /// Takes the lead from a leader that is still in this turn, and hands it on.
    pub(super) fn pass_lead_on(&self, turn: u64) {
        if self.end_turn(turn) {
            self.release_lead();
        }
    }
}
