//! The calls that are under way, all on one thread, which each wakes when it is decided.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use guirpc::Pending;

use super::tally::Outcome;

pub(super) struct Calls {
    slots: Vec<Slot>,
    free: Vec<usize>,
    woken: Arc<Woken>,
    /// Kept for its memory.
    taken: Vec<(usize, Instant)>,
}

/// When a call was due and when it was made, from the beginning of its step.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) due: Duration,
    pub(super) made: Duration,
}

pub(super) struct Decided {
    pub(super) times: Times,
    /// When the outcome was there, whether or not this thread had the time to look.
    pub(super) at: Instant,
    pub(super) outcome: Outcome,
}

/// Room for a call.
struct Slot {
    waker: Waker,
    call: Option<(Pending<String, String>, Times)>,
}

impl Calls {
    /// For the thread that this is called on.
    pub(super) fn new() -> Self {
        let woken = Arc::new(Woken { list: Mutex::default(), thread: thread::current() });
        Calls { slots: Vec::new(), free: Vec::new(), woken, taken: Vec::new() }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// A call that was made; gives its outcome if it has one already.
    pub(super) fn add(&mut self, pending: Pending<String, String>, times: Times) -> Option<Decided> {
        let slot = self.free.pop().unwrap_or_else(|| {
            let slot = self.slots.len();
            let waker = Waker::from(Arc::new(SlotWaker { slot, woken: Arc::clone(&self.woken) }));
            self.slots.push(Slot { waker, call: None });
            slot
        });
        self.slots[slot].call = Some((pending, times));
        self.poll(slot, Instant::now)
    }

    /// Waits until a call is decided, and no longer than this.
    pub(super) fn wait(&self, time: Duration) {
        // To make a call may park this thread, too, and so may have used up what a decided call woke it with.
        if self.woken.list().is_empty() {
            thread::park_timeout(time);
        }
    }

    /// The calls that have been decided since.
    pub(super) fn decided(&mut self, mut each: impl FnMut(Decided)) {
        let mut taken = std::mem::take(&mut self.taken);
        std::mem::swap(&mut taken, &mut self.woken.list());
        for (slot, at) in taken.drain(..) {
            if let Some(decided) = self.poll(slot, || at) {
                each(decided);
            }
        }
        self.taken = taken;
    }

    fn poll(&mut self, place: usize, at: impl FnOnce() -> Instant) -> Option<Decided> {
        let slot = &mut self.slots[place];
        let (pending, times) = slot.call.as_mut()?;
        let Poll::Ready(outcome) = Pin::new(pending).poll(&mut Context::from_waker(&slot.waker)) else { return None };
        let times = *times;
        slot.call = None;
        self.free.push(place);
        Some(Decided { times, at: at(), outcome })
    }
}

/// The slots whose calls were decided, and when.
struct Woken {
    list: Mutex<Vec<(usize, Instant)>>,
    thread: Thread,
}

impl Woken {
    fn list(&self) -> MutexGuard<'_, Vec<(usize, Instant)>> {
        self.list.lock().expect("nothing panics that holds it")
    }
}

struct SlotWaker {
    slot: usize,
    woken: Arc<Woken>,
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let at = Instant::now();
        let mut list = self.woken.list();
        list.push((self.slot, at));
        let is_first = list.len() == 1;
        drop(list);
        if is_first {
            self.woken.thread.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_up_that_was_used_up_elsewhere_is_not_missed() {
        let mut calls = Calls::new();
        Waker::from(Arc::new(SlotWaker { slot: 0, woken: Arc::clone(&calls.woken) })).wake();
        // As publishing does, where it has to wait for room.
        thread::park();
        let begun = Instant::now();
        calls.wait(Duration::from_mins(1));
        assert!(begun.elapsed() < Duration::from_secs(30), "it waited");
        // Once it was looked at, there is something to wait for again.
        calls.slots.push(Slot { waker: Waker::noop().clone(), call: None });
        calls.decided(|_| panic!("there is no call"));
        let begun = Instant::now();
        calls.wait(Duration::from_millis(20));
        assert!(begun.elapsed() >= Duration::from_millis(10), "it did not wait");
    }
}
