//! The nodes of the broker that replies may be sent to.
//!
//! A direct reply-to address names the node of the caller's channel, by a number.
//! RabbitMQ 3.10 answers a reply to a node that its cluster does not know, whatever the rest of the address is,
//! with 541, and closes the whole connection; and no address shows by its form which nodes there are.
//! So the first reply to each node is tried on a connection of its own, by a thread of its own, one after another,
//! and not more often than [`Budget`] allows: callers can make up as many addresses as they like.
//! The broker's own node needs no trial, and one that was accepted before is tried first, whatever else waits.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use amiquip::Publish;
use crossbeam_channel::{Receiver, Sender, after, bounded, never, select};
use foldhash::quality::RandomState;

use crate::log::{debug, in_same_lane, warn};

use super::connection::Beside;
use super::{Attempt, BlockedNote, ReplyTo};
use budget::Budget;

mod budget;

/// For one trial, beginning with the connection.
const TRIAL_TIMEOUT: Duration = Duration::from_secs(10);
/// So many unknown nodes are remembered.
const MOST_UNKNOWN: usize = 1000;
/// So many nodes wait for their trial at most, and so many replies for the trial of one node.
const MOST_WAITING: usize = 16;
/// No cluster has more nodes.
const MOST_TRUSTED: usize = 256;
const MOST_REPLIES: usize = 1024;

/// What is known of nodes: whether replies may be sent to them.
#[derive(Debug, Default)]
pub(crate) struct ReplyNodes {
    /// Read for every call, and by many threads at once.
    known: RwLock<HashMap<u64, bool, RandomState>>,
    trials: Mutex<Trials>,
}

/// What a trial is made with.
#[derive(Clone, Debug)]
pub(crate) struct TrialAccess {
    pub(crate) beside: Beside,
    /// Where it is told that the broker takes no messages, which a trial may be the first to hear.
    pub(crate) alarms: Sender<BlockedNote>,
}

/// What is done with a reply when it is known whether it may be sent.
pub(crate) type Then = Box<dyn FnOnce(bool) + Send>;

#[derive(Debug, Default)]
struct Trials {
    waiting: VecDeque<Trial>,
    /// Whether a thread works them off.
    is_running: bool,
    budget: Budget,
    /// Nodes that were accepted once: somebody real was on them.
    trusted: HashSet<u64, RandomState>,
    /// Rises when all is forgotten: the outcome of a trial that began before counts for nothing.
    generation: u64,
}

/// A node to try, and the replies that wait for it.
struct Trial {
    node: u64,
    /// On that node, and never in use.
    address: String,
    with: TrialAccess,
    waiting: Vec<Then>,
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial").field("node", &self.node).finish_non_exhaustive()
    }
}

impl ReplyNodes {
    /// Whether replies may be sent to this address; `None` if that has to be [tried](ReplyNodes::find_out).
    pub(crate) fn accepts(&self, address: &ReplyTo) -> Option<bool> {
        let Some(node) = address.node() else { return Some(true) };
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&node).copied()
    }

    /// Finds out whether replies may be sent to this address, in the background.
    ///
    /// If it cannot be tried at the moment the answer is no, and the address may be tried another time.
    pub(crate) fn find_out(self: &Arc<Self>, address: &ReplyTo, with: &TrialAccess, then: Then) {
        let Some(node) = address.node() else { return then(true) };
        let mut trials = self.trials();
        // It may have become known before the lock was had.
        if let Some(accepts) = self.accepts(address) {
            drop(trials);
            return then(accepts);
        }
        if let Some(trial) = trials.waiting.iter_mut().find(|trial| trial.node == node) {
            if trial.waiting.len() < MOST_REPLIES {
                return trial.waiting.push(then);
            }
        } else if let Some(place) = trials.place(node, Instant::now()) {
            let trial = Trial { node, address: address.unclaimed(), with: with.clone(), waiting: vec![then] };
            trials.waiting.insert(place, trial);
            return self.work_off(trials);
        }
        drop(trials);
        debug!(node, "a reply is dropped: too many reply addresses name nodes that are not known yet");
        then(false);
    }

    /// Sees to it that a thread tries what waits.
    fn work_off(self: &Arc<Self>, mut trials: MutexGuard<'_, Trials>) {
        if trials.is_running {
            return;
        }
        let nodes = Arc::clone(self);
        let spawned =
            thread::Builder::new().name("guirpc-reply-node".to_owned()).spawn(in_same_lane(move || nodes.try_all()));
        trials.is_running = spawned.is_ok();
        if spawned.is_err() {
            let waiting = std::mem::take(&mut trials.waiting);
            drop(trials);
            for then in waiting.into_iter().flat_map(|trial| trial.waiting) {
                then(false);
            }
        }
    }

    /// Tries one node after another until none waits.
    fn try_all(&self) {
        loop {
            let mut trials = self.trials();
            let Some(trial) = trials.waiting.front() else {
                trials.is_running = false;
                return;
            };
            let (node, address, with) = (trial.node, trial.address.clone(), trial.with.clone());
            let generation = trials.generation;
            drop(trials);
            let accepts = is_accepted(address, &with);
            let mut trials = self.trials();
            if let Some(accepts) = accepts.filter(|_| trials.generation == generation) {
                if accepts {
                    trials.trust(node);
                }
                self.remember(node, accepts);
            }
            // It stays in front while it is tried, so that replies to the same node join it.
            let waiting = trials.waiting.pop_front().map(|trial| trial.waiting).unwrap_or_default();
            drop(trials);
            for then in waiting {
                then(accepts == Some(true));
            }
        }
    }

    /// Sends replies to this node without a trial.
    pub(crate) fn accept(&self, node: u64) {
        let mut trials = self.trials();
        trials.trust(node);
        self.remember(node, true);
    }

    fn remember(&self, node: u64, accepts: bool) {
        if !accepts {
            warn!(node, "a reply address names a node that the broker does not know: callers on it get no replies");
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_UNKNOWN {
            known.retain(|_, accepts| *accepts);
        }
        known.insert(node, accepts);
    }

    fn trials(&self) -> MutexGuard<'_, Trials> {
        self.trials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has all be tried again: unknown nodes may have joined the cluster, and known ones may have left it.
    pub(crate) fn forget(&self) {
        let mut trials = self.trials();
        trials.generation += 1;
        self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Trials {
    /// Where a node waits for its trial; `None` if there have been too many.
    fn place(&mut self, node: u64, now: Instant) -> Option<usize> {
        if self.trusted.contains(&node) {
            // Behind the one that is being tried, and before all that strangers may have made up.
            return Some(self.waiting.len().min(1));
        }
        let has_room = self.waiting.len() < MOST_WAITING && self.budget.take(now);
        has_room.then_some(self.waiting.len())
    }

    fn trust(&mut self, node: u64) {
        if self.trusted.len() < MOST_TRUSTED {
            self.trusted.insert(node);
        }
    }
}

/// Sends a reply to this address on a connection of its own; `None` if that cannot be done.
///
/// While the broker takes no messages there is no answer, and none is needed: no reply could be sent.
fn is_accepted(address: String, with: &TrialAccess) -> Option<bool> {
    let (answers, steps) = bounded(2);
    let beside = with.beside.clone();
    let attempt = Attempt::default();
    let held = attempt.clone();
    let ask = move || {
        let mut connection = beside.open("server, trying a reply address").ok()?;
        held.hold(connection.socket());
        let channel = connection.open_channel().ok()?;
        answers.send(Step::Opened(connection.blocked().clone())).ok()?;
        let published = channel.0.basic_publish("", Publish::new(b"", address));
        let answer = published.and_then(|()| channel.0.qos(0, 0, false));
        // Closed first, so that it is gone when the reply is sent.
        drop(channel);
        let _ = connection.close(CLOSE_TIMEOUT);
        answers.send(Step::Answered(answer)).ok()
    };
    thread::Builder::new().name("guirpc-trial".to_owned()).spawn(ask).ok()?;
    let (mut deadline, mut blocked, mut is_blocked) = (after(TRIAL_TIMEOUT), never(), false);
    let accepts = loop {
        select! {
            recv(steps) -> step => match step {
                Ok(Step::Opened(notes)) => blocked = notes,
                Ok(Step::Answered(Ok(()))) => break Some(true),
                Ok(Step::Answered(Err(amiquip::Error::ServerClosedConnection { code: 541, .. }))) => break Some(false),
                Ok(Step::Answered(Err(_))) | Err(_) => break None,
            },
            recv(blocked) -> note => {
                let Ok(note) = note else {
                    // The connection is gone, and why is about to be answered.
                    blocked = never();
                    continue;
                };
                is_blocked = matches!(note, BlockedNote::Blocked(_));
                deadline = if is_blocked { never() } else { after(TRIAL_TIMEOUT) };
                // Without a session there is nothing to pause.
                let _ = with.alarms.send(note);
            }
            recv(deadline) -> _ => {
                attempt.give_up();
                break None;
            }
        }
    };
    if is_blocked {
        let _ = with.alarms.send(BlockedNote::Unblocked);
    }
    accepts
}

/// For the broker to close the connection of a trial.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How far a trial is.
enum Step {
    /// This is where the broker says on its connection that it takes no messages.
    Opened(Receiver<BlockedNote>),
    Answered(amiquip::Result<()>),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trial costs a connection, so strangers are allowed a few; real callers do not stand behind them.
    #[test]
    fn what_strangers_make_up_waits_behind_nodes_that_were_there() {
        let (mut trials, now) = (Trials::default(), Instant::now());
        trials.trust(7);
        let waiting = |node| Trial { node, address: String::new(), with: access(), waiting: Vec::new() };
        let mut placed = 0;
        for node in 1_000..5_000 {
            if let Some(place) = trials.place(node, now) {
                trials.waiting.insert(place, waiting(node));
                placed += 1;
            }
        }
        assert_eq!(placed, 10, "no more than the budget allows");
        assert_eq!(trials.place(7, now), Some(1), "behind the one that is being tried");
        assert_eq!(trials.place(8, now), None);
        trials.waiting.clear();
        assert_eq!(trials.place(7, now), Some(0));
    }

    #[test]
    fn the_node_of_the_broker_needs_no_trial_and_is_forgotten_with_the_others() {
        let nodes = Arc::new(ReplyNodes::default());
        let address = |node: u64| {
            let node = format!("reply@{node}");
            let length = u16::try_from(node.len()).unwrap().to_be_bytes();
            let process = [&[131, 88, 118], &length[..], node.as_bytes(), &[0; 12]].concat();
            let process = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, process);
            ReplyTo::parse(&format!("amq.rabbitmq.reply-to.{process}.key")).unwrap()
        };
        assert_eq!(nodes.accepts(&address(7)), None);
        nodes.accept(7);
        assert_eq!((nodes.accepts(&address(7)), nodes.accepts(&address(8))), (Some(true), None));
        nodes.forget();
        assert_eq!(nodes.accepts(&address(7)), None);
    }

    fn access() -> TrialAccess {
        let uri = "amqp://localhost";
        TrialAccess { beside: Beside::to(uri), alarms: crossbeam_channel::unbounded().0 }
    }
}
