//! What comes in on a link, but for replies: returns, confirms, alarms, deadlines, and its end.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvError, Sender, after, at, bounded, never, select, unbounded};

use super::calls::Stuck;
use super::core::{Core, Link};
use super::replies::Replies;
use super::window::Via;
use crate::broker::{
    self, BlockedNote, Checked, Connection, DropOnThread, Failure, Incoming, Presence, PublishCheck, PublishChecker,
    RequestChannel,
};
use crate::log::{info, warn};
use crate::message::Name;

/// A queue that has a leader confirms within milliseconds, a busy disk within a second or two.
const STUCK: Duration = Duration::from_secs(5);
/// How often to look for one that does not.
const LOOK_FOR_STUCK: Duration = Duration::from_millis(500);
/// For a connection that is gone to say why.
pub(super) const REASON_TIMEOUT: Duration = Duration::from_millis(500);

/// The two channels of a client, in the order of [`Via`], and what comes in on them.
pub(super) type Channels = [(RequestChannel, Incoming); 2];

/// How a link has ended.
#[allow(clippy::large_enum_variant, reason = "there is one for a whole connection")]
pub(super) enum End {
    /// The client was dropped.
    Dropped,
    Failed(Failure),
}

/// Brings to the calls what comes in on a link.
pub(super) struct Events<'a> {
    core: &'a Core,
    connection: &'a Connection,
    plain: Incoming,
    confirming: Incoming,
    /// The replies that come on the confirming channel, which are few.
    confirming_replies: Replies,
    /// Told why no more replies come on the other.
    replies_ended: Receiver<Failure>,
    answers: (Sender<Answer>, Receiver<Answer>),
    generation: u64,
    /// Exchanges that were missing, and that the log has told of.
    missing: HashSet<Name>,
}

/// Whether the broker takes messages for an exchange.
type Answer = (Name, Checked);

/// The link is gone; perhaps it is known why.
struct Gone(Option<Failure>);

impl From<RecvError> for Gone {
    fn from(_: RecvError) -> Self {
        Gone(None)
    }
}

impl<'a> Events<'a> {
    /// Puts a link to use: from now on calls are published on it.
    pub(super) fn begin(
        core: &'a Arc<Core>,
        connection: &'a Connection,
        channels: Channels,
        blocked: Option<String>,
    ) -> Result<Self, Failure> {
        let [(plain, plain_incoming), (confirming, confirming_incoming)] = channels;
        let link = Link([plain, confirming].map(DropOnThread::new));
        let generation = core.up(link, blocked, connection.limits());
        let replies = |incoming: &Incoming| {
            let (incoming, bodies) = (incoming.replies.clone(), incoming.bodies.clone());
            Replies { core: Arc::clone(core), generation, incoming, bodies }
        };
        let (ended, replies_ended) = bounded(1);
        let spawned = replies(&plain_incoming).spawn(ended);
        spawned.map_err(|error| Failure::connection(format!("no thread for replies: {error}")))?;
        Ok(Events {
            core,
            connection,
            confirming_replies: replies(&confirming_incoming),
            plain: plain_incoming,
            confirming: confirming_incoming,
            replies_ended,
            answers: unbounded(),
            generation,
            missing: HashSet::new(),
        })
    }

    /// Goes on until the link is gone, or the client is dropped, which disconnects `dropped`.
    pub(super) fn run(mut self, dropped: &Receiver<Infallible>) -> End {
        match self.take_all(dropped) {
            Ok(()) => End::Dropped,
            Err(Gone(failure)) => End::Failed(failure.unwrap_or_else(|| self.why())),
        }
    }

    fn take_all(&mut self, dropped: &Receiver<Infallible>) -> Result<(), Gone> {
        let mut look_for_stuck = Instant::now() + LOOK_FOR_STUCK;
        loop {
            let deadline = self.core.next_look().map_or_else(never, at);
            let look = if self.core.may_be_stuck() { at(look_for_stuck) } else { never() };
            select! {
                recv(self.confirming.confirms) -> confirm => self.settle(Via::Confirming, None, Some(confirm?)),
                recv(self.confirming.returns) -> note => self.settle(Via::Confirming, Some(note?), None),
                recv(self.plain.returns) -> note => self.settle(Via::Plain, Some(note?), None),
                recv(self.confirming.replies) -> first => {
                    // Whoever is answered may call again, and waits then for what is confirmed already.
                    self.settle(Via::Confirming, None, None);
                    self.confirming_replies.deliver(first?).map_err(|failure| Gone(Some(failure)))?;
                }
                recv(self.connection.blocked()) -> note => self.blocked(note?),
                recv(self.core.wakes) -> _ => self.woken()?,
                recv(self.answers.1) -> answer => self.answered(answer?),
                recv(deadline) -> _ => self.core.expired(),
                recv(look) -> _ => {
                    // What is held up by a queue that is slow goes on without waiting for it.
                    self.core.publish();
                    self.check_stuck()?;
                    look_for_stuck = Instant::now() + LOOK_FOR_STUCK;
                }
                recv(self.replies_ended) -> failure => return Err(Gone(Some(failure?))),
                recv(dropped) -> _ => return Ok(()),
            }
        }
    }

    /// Takes these and what has come meanwhile.
    fn settle(&self, via: Via, returned: Option<broker::ReturnNote>, confirmed: Option<broker::ConfirmNote>) {
        let incoming = match via {
            Via::Plain => &self.plain,
            Via::Confirming => &self.confirming,
        };
        // In this order: whatever was returned before one of these confirms is here by now.
        let confirms: Vec<_> = confirmed.into_iter().chain(incoming.confirms.try_iter()).collect();
        let returns: Vec<_> = returned.into_iter().chain(incoming.returns.try_iter()).collect();
        self.core.settled(via, returns.iter().map(broker::returned), confirms.into_iter().map(broker::confirmed));
    }

    /// The link may have failed while something was published, and there may be something to ask for.
    fn woken(&self) -> Result<(), Gone> {
        if self.core.has_failed() {
            return Err(Gone(None));
        }
        for check in self.core.take_to_ask() {
            let (checker, told) = (PublishChecker::on(self.connection), self.answers.0.clone());
            let PublishCheck { exchange, .. } = check.clone();
            let ask = move || drop(told.send((check.exchange.clone(), checker.check(&check))));
            if thread::Builder::new().name("guirpc-check".to_owned()).spawn(ask).is_err() {
                let _ = self.answers.0.send((exchange, Checked::unanswered()));
            }
        }
        Ok(())
    }

    fn answered(&mut self, (exchange, checked): Answer) {
        self.core.answered(self.generation, &exchange, &checked);
        if checked.presence == Presence::Missing && self.missing.insert(exchange.clone()) {
            warn!("there is no exchange `{exchange}`: calls through it are unroutable until a service declares it");
        }
    }

    fn blocked(&self, note: BlockedNote) {
        match note {
            BlockedNote::Blocked(reason) => {
                warn!("the broker takes no messages at the moment: {reason}");
                self.core.set_blocked(Some(reason));
            }
            BlockedNote::Unblocked => {
                info!("the broker takes messages again");
                self.core.set_blocked(None);
            }
        }
    }

    /// Gives up a link on which a queue takes nothing while the broker goes on reading.
    ///
    /// RabbitMQ's channel may go on sending to the node that led a quorum queue until it died, for as long as that is
    /// away, and loses or rejects it all; a new channel finds the node that leads the queue now.
    fn check_stuck(&self) -> Result<(), Gone> {
        match self.core.stuck() {
            Some(Stuck { since, reads_on, is_spared }) if since.elapsed() >= STUCK => match (reads_on, is_spared) {
                (true, false) => {
                    let reason = format!("a queue has taken nothing for {} s", STUCK.as_secs());
                    return Err(Gone(Some(Failure::channel(reason))));
                }
                (true, true) => {}
                // While the broker reads nothing there is no telling.
                (false, _) => self.core.probe(),
            },
            _ => {}
        }
        Ok(())
    }

    /// Why the link is gone: the replies end with it as well, and may know.
    fn why(&self) -> Failure {
        let timeout = after(REASON_TIMEOUT);
        let mut confirming = self.confirming.replies.clone();
        loop {
            select! {
                recv(self.replies_ended) -> failure => match failure {
                    Ok(failure) => return failure,
                    Err(_) => return Failure::silent(),
                },
                recv(confirming) -> note => match note {
                    Ok(note) => {
                        if let Err(failure) = self.confirming_replies.deliver(note) {
                            return failure;
                        }
                    }
                    Err(_) => confirming = never(),
                },
                recv(timeout) -> _ => return Failure::silent(),
            }
        }
    }
}
