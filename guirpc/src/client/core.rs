//! The calls of a client and the link that they go by, under one short lock that never waits for the broker.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::batches::is_message;
#[cfg(feature = "metrics")]
use super::calls::Counts;
use super::calls::{Calls, Content, NewCall, Publication, QueueFull, Stuck};
use super::clock_skew::ClockSkew;
use super::correlation::CorrelationIds;
use super::ignored_arguments::IgnoredArguments;
use super::outcome::Outcome;
use super::waiter::Waiter;
use super::window::Via;
use crate::broker::{
    BodyLimit, Checked, DropOnThread, Failure, Limits, Outbound, OutboundMessage, PublishCheck, Received,
    RequestChannel, Returned,
};
use crate::config::DEFAULT_MAX_BODY;
use crate::health::ConnectionStatus;
use crate::log::debug;
use crate::message::Name;

/// What all copies of a client share with its threads.
pub(super) struct Core {
    ids: CorrelationIds,
    /// How many bytes the body of a reply may have for any of them.
    pub(super) body_limit: BodyLimit,
    last_number: AtomicU64,
    state: Mutex<State>,
    wake: Sender<()>,
    /// Wakes the driver: something is due earlier than it will look, there is something to ask for, or a link that failed.
    pub(super) wakes: Receiver<()>,
    late_replies: AtomicU64,
    pub(super) ignored_arguments: IgnoredArguments,
    clock_skew: ClockSkew,
}

struct State {
    calls: Calls<Waiter>,
    link: Option<Link>,
}

/// The two channels of a connection, in the order of [`Via`].
pub(super) struct Link(pub(super) [DropOnThread<RequestChannel>; 2]);

impl Link {
    fn channel(&self, via: Via) -> &RequestChannel {
        &self.0[via as usize]
    }
}

impl State {
    /// Publishes what the window has room for; one of the calls may be a message already.
    ///
    /// False if the link has failed.
    fn publish(&mut self, core: &Core, now: Instant, mut made: Option<(u64, OutboundMessage<'_>)>) -> bool {
        let Some(link) = &self.link else { return true };
        while let Some(publication) = self.calls.next_publication(now) {
            let Publication { number, content, via } = &publication;
            let channel = link.channel(*via);
            let published = match content {
                Content::Single { request, expires } => {
                    let message = match made.take_if(|(made, _)| made == number) {
                        Some((_, message)) => message,
                        None => request.message(core.ids.of(*number), *expires),
                    };
                    channel.publish(request, message)
                }
                Content::Coalesced(parts) => {
                    let calls: Vec<_> = parts.iter().map(|part| part.coalescable(&core.ids)).collect();
                    let (request, expires) = Outbound::coalesced(&calls, SystemTime::now());
                    channel.publish(&request, request.message(core.ids.of(*number), Some(expires)))
                }
            };
            if let Err(error) = published {
                self.calls.set_down(&error.to_string());
                self.calls.unpublished(publication);
                return false;
            }
        }
        while let Some(via) = self.calls.next_probe(now) {
            if let Err(error) = link.channel(via).probe() {
                self.calls.set_down(&error.to_string());
                return false;
            }
        }
        true
    }
}

/// What the lock was taken for; when it is over, all who have an outcome are told, without the lock.
struct Change<'a> {
    core: &'a Core,
    state: MutexGuard<'a, State>,
}

impl Core {
    pub(super) fn new() -> Self {
        let (wake, wakes) = bounded(1);
        Core {
            ids: CorrelationIds::new(),
            body_limit: BodyLimit::new(DEFAULT_MAX_BODY),
            last_number: AtomicU64::new(0),
            state: Mutex::new(State { calls: Calls::new("it has not connected yet"), link: None }),
            wake,
            wakes,
            late_replies: AtomicU64::new(0),
            ignored_arguments: IgnoredArguments::default(),
            clock_skew: ClockSkew::default(),
        }
    }

    /// The number of the call with this correlation id, if it is one of ours.
    pub(super) fn number(&self, correlation_id: &str) -> Option<u64> {
        self.ids.number(correlation_id)
    }

    /// No code of the user's ever runs under this lock, so that a poisoned one has nothing wrong behind it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> Change<'_> {
        Change { core: self, state: self.state() }
    }

    /// Has the driver look around.
    fn wake(&self) {
        // Full means that it is about to look anyway.
        let _ = self.wake.try_send(());
    }

    pub(super) fn late_replies(&self) -> u64 {
        self.late_replies.load(Ordering::Relaxed)
    }

    #[cfg(feature = "metrics")]
    pub(super) fn counts(&self) -> Counts {
        self.state().calls.counts()
    }

    pub(super) fn status(&self) -> ConnectionStatus {
        self.state().calls.status()
    }

    /// Takes a call in, and publishes it if it can be published at once; gives its number.
    pub(super) fn enter(&self, call: NewCall<Waiter>, most_queued: u64) -> Result<u64, QueueFull> {
        let number = self.last_number.fetch_add(1, Ordering::Relaxed) + 1;
        let request = Arc::clone(&call.request);
        call.waiter.identify(|| self.ids.of(number));
        // Made before the lock is taken, which holds up other callers and the replies; unless it may travel with others.
        let message = call.coalescing.is_none().then(|| {
            let expires = if request.wants_reply {
                Some(call.deadline.saturating_duration_since(Instant::now()))
            } else {
                call.expires
            };
            (number, request.message(self.ids.of(number), expires))
        });
        let mut change = self.change();
        change.calls().enter(number, call, most_queued)?;
        change.end_with(message);
        Ok(number)
    }

    /// Publishes what can be published by now.
    pub(super) fn publish(&self) {
        self.change().end();
    }

    /// Has the driver give a call up at its deadline, since no thread waits for it.
    pub(super) fn watch(&self, number: u64) {
        let is_earliest = self.state().calls.watch(number);
        if is_earliest {
            self.wake();
        }
    }

    /// Gives a call up that is past its deadline.
    pub(super) fn expire(&self, number: u64) {
        let mut change = self.change();
        change.calls().expire(number);
        change.end();
    }

    /// Gives up all that are watched and past their deadline, and publishes calls that have waited for others.
    pub(super) fn expired(&self) {
        let mut change = self.change();
        change.calls().expired(Instant::now());
        change.end();
    }

    /// When the driver is to look for what is due, which it will.
    pub(super) fn next_look(&self) -> Option<Instant> {
        self.state().calls.next_look()
    }

    pub(super) fn forget(&self, number: u64) {
        let mut change = self.change();
        let forgotten = change.calls().forget(number);
        // Those that have waited for it are published.
        change.end();
        // Without the lock, since whoever follows its trace is told.
        if let Some(waiter) = forgotten {
            waiter.abandon();
        }
    }

    /// Brings replies to their callers; the room that they make is used at once.
    pub(super) fn replied(&self, generation: u64, replies: Vec<(Option<u64>, Received)>) {
        let mut change = self.change();
        let calls = change.calls();
        let now = Instant::now();
        let find = |(number, reply): (Option<u64>, Received)| match number {
            Some(number) if is_message(number) && calls.message_replied(generation, number, &reply, now) => None,
            Some(number) => Some(match calls.replied(generation, number) {
                Some(call) => call.replied_with(reply),
                None => (None, reply.into()),
            }),
            None => Some((None, Outcome::from(reply))),
        };
        let replies: Vec<_> = replies.into_iter().filter_map(find).collect();
        change.end();
        // The first comes last: whoever waits for them in order is woken once, and finds the others there.
        for (waiter, outcome) in replies.into_iter().rev() {
            if let Outcome::Reply(reply) = &outcome {
                self.clock_skew.compare(reply);
            }
            // The caller may be giving up at this very moment.
            if !waiter.is_some_and(|waiter| waiter.tell(outcome)) {
                let late = self.late_replies.fetch_add(1, Ordering::Relaxed) + 1;
                debug!(late, "a reply came too late");
            }
        }
    }

    /// Takes back what no queue takes, and then what the broker has confirmed: a message that is returned is confirmed
    /// as well, afterwards, as if all were well.
    pub(super) fn settled<'a>(
        &self,
        via: Via,
        returned: impl Iterator<Item = Returned<'a>>,
        confirmed: impl Iterator<Item = (u64, bool, bool)>,
    ) {
        let now = Instant::now();
        let mut change = self.change();
        for returned in returned {
            match returned {
                Returned::Probe => change.calls().probed(via),
                Returned::Request(id) => {
                    if let Some(number) = self.number(id) {
                        change.calls().returned(number, now);
                    }
                }
            }
        }
        confirmed.for_each(|confirm| change.calls().confirmed(confirm, now));
        change.end();
    }

    /// What the broker is to be asked for.
    pub(super) fn take_to_ask(&self) -> Vec<PublishCheck> {
        self.state().calls.take_to_ask()
    }

    pub(super) fn answered(&self, generation: u64, exchange: &Name, checked: &Checked) {
        let mut change = self.change();
        change.calls().answered(generation, exchange, checked);
        change.end();
    }

    /// A link is up: what is queued is published on it. Gives its generation.
    pub(super) fn up(&self, link: Link, blocked: Option<String>, limits: Limits) -> u64 {
        let mut change = self.change();
        let former = change.state.link.replace(link);
        change.calls().up(blocked, limits);
        let generation = change.calls().generation();
        change.end();
        drop(former);
        generation
    }

    pub(super) fn set_blocked(&self, reason: Option<String>) {
        let mut change = self.change();
        change.calls().set_blocked(reason);
        change.end();
    }

    /// There is still no link, for this reason.
    pub(super) fn set_down(&self, reason: &str) {
        self.state().calls.set_down(reason);
    }

    /// The link is gone.
    pub(super) fn lose(&self, failure: &Failure) {
        let mut change = self.change();
        let link = change.state.link.take();
        change.calls().lose(failure);
        change.end();
        drop(link);
    }

    /// Why the broker takes no messages at the moment, if it does not.
    pub(super) fn blocked(&self) -> Option<String> {
        match self.status() {
            ConnectionStatus::Blocked { reason } => Some(reason),
            _ => None,
        }
    }

    /// Whether the link has failed, as far as publishing knows.
    pub(super) fn has_failed(&self) -> bool {
        let state = self.state();
        state.link.is_some() && matches!(state.calls.status(), ConnectionStatus::Disconnected { .. })
    }

    pub(super) fn may_be_stuck(&self) -> bool {
        self.state().calls.may_be_stuck(Instant::now())
    }

    pub(super) fn stuck(&self) -> Option<Stuck> {
        self.state().calls.stuck(Instant::now())
    }

    /// Asks whether the broker reads on.
    pub(super) fn probe(&self) {
        let mut change = self.change();
        change.calls().want_probe();
        change.end();
    }

    /// Fails everything that has no outcome yet.
    pub(super) fn close(&self, reason: &str) {
        let mut change = self.change();
        let link = change.state.link.take();
        change.calls().close(reason);
        change.end();
        drop(link);
    }
}

impl Change<'_> {
    fn calls(&mut self) -> &mut Calls<Waiter> {
        &mut self.state.calls
    }

    /// Publishes what can be published by now, and tells all who have an outcome.
    fn end(self) {
        self.end_with(None);
    }

    /// Does so with one of the messages made before.
    fn end_with(mut self, made: Option<(u64, OutboundMessage<'_>)>) {
        let Change { core, state } = &mut self;
        let is_sound = state.publish(core, Instant::now(), made);
        let decided = state.calls.take_decided();
        let is_awaited = state.calls.has_questions() || state.calls.is_due_earlier();
        let core = *core;
        drop(self);
        if !is_sound || is_awaited {
            core.wake();
        }
        for (waiter, outcome) in decided {
            // Whoever waited may have given up.
            waiter.tell(outcome);
        }
    }
}
