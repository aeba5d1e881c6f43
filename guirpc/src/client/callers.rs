//! The callers of a client: what they wait for outlives the connection that it was asked on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};
use tracing::debug;
use uuid::Uuid;

use super::clock::Clock;
use super::outcome::Outcome;
use super::table::{Calls, Loss};
use crate::broker::{Kept, Outbound};
use crate::message::EncodedReply;

/// What is needed to publish a call again.
#[derive(Debug)]
pub(super) struct Repeat {
    request: Kept,
    pub(super) deadline: Instant,
}

impl Repeat {
    pub(super) fn new(request: &Outbound<'_>, deadline: Instant) -> Self {
        Repeat { request: request.keep(), deadline }
    }

    /// The request, of use for what remains of its time; `None` if nothing does.
    pub(super) fn request(&self) -> Option<Outbound<'_>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| self.request.outbound(left))
    }
}

pub(super) type Waiter = oneshot::Sender<Outcome>;
type Table = Calls<Waiter, Arc<Repeat>>;

/// All callers of a client, and what is numbered for all of its connections.
pub(super) struct Callers {
    /// Begins every correlation id of this client, and of no other on earth.
    prefix: String,
    last_number: AtomicU64,
    table: Mutex<Table>,
    /// Has whoever keeps the deadlines look at them again.
    alarm: Sender<()>,
    pub(super) alarms: Receiver<()>,
    late_replies: AtomicU64,
    clock: Clock,
}

/// Locks what no code of the user's ever runs under, so that a poisoned lock has nothing wrong behind it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Callers {
    pub(super) fn new() -> Self {
        let (alarm, alarms) = bounded(1);
        Callers {
            prefix: format!("{}-", Uuid::new_v4().simple()),
            last_number: AtomicU64::new(0),
            table: Mutex::default(),
            alarm,
            alarms,
            late_replies: AtomicU64::new(0),
            clock: Clock::default(),
        }
    }

    pub(super) fn next_number(&self) -> u64 {
        self.last_number.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn correlation_id(&self, number: u64) -> String {
        format!("{}{number}", self.prefix)
    }

    /// The number in a correlation id of ours.
    pub(super) fn number(&self, correlation_id: &str) -> Option<u64> {
        correlation_id.strip_prefix(&self.prefix)?.parse().ok()
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
    }

    pub(super) fn late_replies(&self) -> u64 {
        self.late_replies.load(Ordering::Relaxed)
    }

    /// Has the thread that keeps the deadlines look around.
    pub(super) fn alarm(&self) {
        // Full means that it is about to look anyway.
        let _ = self.alarm.try_send(());
    }

    /// Gives a call up at its deadline, although no thread waits for it.
    pub(super) fn expire_at(&self, deadline: Instant, number: u64) {
        self.table().expire_at(deadline, number);
        self.alarm();
    }

    /// Gives up what is past its deadline.
    pub(super) fn expire(&self) {
        let expired = self.table().expired(Instant::now());
        for waiter in expired {
            let _ = waiter.send(Outcome::TimedOut);
        }
    }

    /// Brings replies to their callers.
    pub(super) fn replied(&self, replies: Vec<(Option<u64>, EncodedReply)>) {
        let mut table = self.table();
        let replies: Vec<_> =
            replies.into_iter().map(|(number, reply)| (number.and_then(|number| table.take(number)), reply)).collect();
        drop(table);
        for (taken, reply) in replies {
            self.clock.compare(&reply);
            // The caller may be giving up at this very moment.
            if taken.is_none_or(|taken| taken.waiter.send(Outcome::Reply(reply).of_call(taken.repeated)).is_err()) {
                let late = self.late_replies.fetch_add(1, Ordering::Relaxed) + 1;
                debug!(late, "a reply came too late");
            }
        }
    }

    /// Tells a caller what became of its call; says whether there is one.
    pub(super) fn decide(&self, number: u64, outcome: Outcome) -> bool {
        let taken = self.table().take(number);
        let is_there = taken.is_some();
        if let Some(taken) = taken {
            let _ = taken.waiter.send(outcome.of_call(taken.repeated));
        }
        is_there
    }

    /// Fails what was asked on a link that is lost, but for what will be published again.
    pub(super) fn lose(&self, link: u64, reason: &str, loss: Loss) {
        let failed = self.table().lose(link, reason, loss);
        for waiter in failed {
            let _ = waiter.send(Outcome::Lost(reason.to_owned()));
        }
    }

    /// Fails everything.
    pub(super) fn close(&self, reason: &str) {
        let failed = self.table().close();
        for waiter in failed {
            let _ = waiter.send(Outcome::Lost(reason.to_owned()));
        }
    }
}
