//! What may wait for the broker without a bound, on a thread that can be given up.
//!
//! A broker that answers nothing may keep its connections alive by heartbeats, and a thread that waits for an answer
//! then waits for as long as its connection lives. So whoever gives up on an [`Attempt`] cuts its connections:
//! whatever waits on them fails, and its threads end.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::socket::{Socket, WeakSocket};
use crate::log::in_same_lane;

/// Something that needs the broker, and that may be given up; copies are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempt(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    is_given_up: bool,
    sockets: Vec<WeakSocket>,
}

impl Attempt {
    /// One that has this socket only.
    pub(super) fn on(socket: &Socket) -> Self {
        let attempt = Attempt::default();
        attempt.hold(socket.downgrade());
        attempt
    }

    /// Has a socket cut if this is given up; at once, if it is already.
    pub(crate) fn hold(&self, socket: WeakSocket) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_given_up {
            socket.cut();
        } else {
            state.sockets.push(socket);
        }
    }

    /// Cuts what it holds.
    pub(crate) fn give_up(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_given_up = true;
        for socket in mem::take(&mut state.sockets) {
            socket.cut();
        }
    }

    /// Does this here, and gives up when it takes longer than `bound`, which ends whatever waits for the broker in it.
    pub(crate) fn within<T>(&self, bound: Duration, work: impl FnOnce() -> T) -> T {
        let (done, is_done) = mpsc::channel::<()>();
        let attempt = self.clone();
        // Without a thread there is no bound.
        let _ = thread::Builder::new().name("guirpc-deadline".to_owned()).spawn(move || {
            if is_done.recv_timeout(bound) == Err(mpsc::RecvTimeoutError::Timeout) {
                attempt.give_up();
            }
        });
        let result = work();
        drop(done);
        result
    }

    /// Does this on a thread of its own, and gives up after `bound`.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        bound: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (done, result) = mpsc::sync_channel(1);
        let spawned =
            thread::Builder::new().name("guirpc-bounded".to_owned()).spawn(in_same_lane(move || done.send(work())));
        let result = spawned.ok().and_then(|_| result.recv_timeout(bound).ok());
        if result.is_none() {
            self.give_up();
        }
        result
    }
}

/// Runs `work` on a thread of its own and gives up on it after `bound`, and on the connections that it has it hold.
pub(crate) fn bounded<T: Send + 'static>(
    bound: Duration,
    work: impl FnOnce(&Attempt) -> T + Send + 'static,
) -> Option<T> {
    let attempt = Attempt::default();
    let held = attempt.clone();
    attempt.run(bound, move || work(&held))
}

/// How long it is until then.
pub(super) fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}
