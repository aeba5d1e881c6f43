//! The threads of a link: bring replies, returns and confirmations to those who wait for them.
//!
//! Replies have a thread of their own: there are many of them, and waiting for one thing is quicker than for seven.
//! Confirmations of calls are as many, and say nothing new as a rule: they are looked at now and then.

use std::convert::Infallible;
use std::io;
use std::iter;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvError, Sender, at, bounded, never, select};
use tracing::{info, warn};

use super::callers::Callers;
use super::confirms::Fate;
use super::link::{Asker, Link};
use super::outcome::{Outcome, SendOutcome};
use super::table::Loss;
use crate::broker::{self, BlockedNote, ConfirmNote, Connection, Ended, Outbox, ReplyNote, ReturnNote};

/// Replies that are taken in one go, with the table locked once for all of them.
const BATCH: usize = 64;
/// How soon a call is known to have met a full queue, while there are other calls.
const TICK: Duration = Duration::from_millis(5);
/// A queue that has a leader confirms within milliseconds, a busy disk within a second or two.
const STUCK: Duration = Duration::from_secs(5);
/// How often to look for one that does not.
const LOOK_FOR_STUCK: Duration = Duration::from_millis(500);
/// For a connection that is gone to say why.
const REASON_TIMEOUT: Duration = Duration::from_millis(500);

/// Everything that comes in on a link.
pub(super) struct Feeds {
    connection: Connection,
    replies: Receiver<ReplyNote>,
    returns: Receiver<ReturnNote>,
    confirms: Receiver<ConfirmNote>,
    blocked: Receiver<BlockedNote>,
}

impl Feeds {
    pub(super) fn new(connection: Connection, outbox: &Outbox) -> Self {
        Feeds {
            replies: outbox.replies.clone(),
            returns: outbox.returns.clone(),
            confirms: outbox.confirms.clone(),
            blocked: connection.blocked().clone(),
            connection,
        }
    }
}

/// Why a pump has ended.
#[allow(clippy::large_enum_variant, reason = "there is one for a whole connection")]
pub(super) enum End {
    /// The client was dropped.
    Dropped,
    /// Nothing more will come, for this reason; the connection, if it lives.
    Lost(String, Option<Connection>),
}

impl End {
    pub(super) fn loss(connection: Option<&Connection>) -> Loss {
        if connection.is_some() { Loss::Channel } else { Loss::Connection }
    }
}

/// The channel is gone, or all of the connection; perhaps it said why.
struct Gone(Option<Ended>);

impl From<RecvError> for Gone {
    fn from(_: RecvError) -> Self {
        Gone(None)
    }
}

/// Pumps until the channel is gone or the client is dropped, which disconnects `dropped`.
pub(super) fn run(link: &Arc<Link>, feeds: Feeds, callers: &Arc<Callers>, dropped: &Receiver<Infallible>) -> End {
    let (gone, replies_gone) = bounded(1);
    let replies = Replies { callers: Arc::clone(callers), feed: feeds.replies.clone(), gone };
    if let Err(error) = replies.spawn() {
        return End::Lost(format!("no thread for replies: {error}"), None);
    }
    match (Notices { link, callers, feeds: &feeds, replies_gone: &replies_gone }).run(dropped) {
        Ok(()) => End::Dropped,
        // The replies end with the channel as well, and know why.
        Err(Gone(ended)) => match ended.or_else(|| replies_gone.recv_timeout(REASON_TIMEOUT).ok().flatten()) {
            Some(Ended { reason, channel_only: true }) => End::Lost(reason, Some(feeds.connection)),
            Some(Ended { reason, channel_only: false }) => End::Lost(reason, None),
            None => {
                let reason = feeds.connection.close(REASON_TIMEOUT).err();
                End::Lost(reason.unwrap_or_else(|| "it was closed without a word".to_owned()), None)
            }
        },
    }
}

/// Brings replies to their callers, on a thread of its own that ends with the channel.
struct Replies {
    callers: Arc<Callers>,
    feed: Receiver<ReplyNote>,
    /// Told why there are no more replies.
    gone: Sender<Option<Ended>>,
}

impl Replies {
    fn spawn(self) -> io::Result<()> {
        thread::Builder::new().name("guirpc-replies".to_owned()).spawn(move || {
            loop {
                if let Err(Gone(ended)) = self.feed.recv().map_err(Gone::from).and_then(|first| self.deliver(first)) {
                    // Nobody reads on, and what is left would stay: amiquip's consumer is never dropped.
                    self.feed.try_iter().for_each(drop);
                    let _ = self.gone.send(ended);
                    return;
                }
            }
        })?;
        Ok(())
    }

    /// Delivers this reply and those that have come meanwhile.
    fn deliver(&self, first: ReplyNote) -> Result<(), Gone> {
        let replies = iter::once(first)
            .chain(self.feed.try_iter().take(BATCH))
            .map(|note| broker::reply(note, |id| self.callers.number(id)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|ended| Gone(Some(ended)))?;
        self.callers.replied(replies);
        Ok(())
    }
}

/// Brings everything else to where it belongs.
struct Notices<'a> {
    link: &'a Link,
    callers: &'a Callers,
    feeds: &'a Feeds,
    replies_gone: &'a Receiver<Option<Ended>>,
}

impl Notices<'_> {
    fn run(&self, dropped: &Receiver<Infallible>) -> Result<(), Gone> {
        let feeds = self.feeds;
        let later = never();
        // While there are confirmations all the time, when to look at them.
        let mut look_at = None;
        let mut look_for_stuck = Instant::now() + LOOK_FOR_STUCK;
        loop {
            let next_deadline = self.callers.table().next_deadline();
            let deadline = next_deadline.map_or_else(never, at);
            let look = if self.link.confirms().stuck(Instant::now()).is_some() { at(look_for_stuck) } else { never() };
            let (confirms, tick) = match look_at.filter(|_| !self.link.is_in_a_hurry()) {
                Some(time) => (&later, at(time)),
                None => (&feeds.confirms, never()),
            };
            select! {
                recv(feeds.returns) -> returned => self.returned(&returned?),
                recv(confirms) -> confirm => {
                    self.confirm(Some(confirm?));
                    look_at = Some(Instant::now() + TICK);
                }
                recv(tick) -> _ => look_at = self.confirm(None).then(|| Instant::now() + TICK),
                recv(feeds.blocked) -> note => self.blocked(note?),
                recv(self.callers.alarms) -> _ => {}
                recv(deadline) -> _ => self.callers.expire(),
                recv(look) -> _ => {
                    self.check_stuck()?;
                    look_for_stuck = Instant::now() + LOOK_FOR_STUCK;
                }
                recv(self.replies_gone) -> ended => return Err(Gone(ended?)),
                recv(dropped) -> _ => return Ok(()),
            }
        }
    }

    /// Gives up a channel on which a queue takes nothing while the broker goes on reading.
    ///
    /// RabbitMQ's channel may go on sending to the node that led a quorum queue until it died, for as long as that is
    /// away, and loses or rejects it all; a new channel finds the node that leads the queue now.
    fn check_stuck(&self) -> Result<(), Gone> {
        let (stuck, undecided) = {
            let confirms = self.link.confirms();
            (confirms.stuck(Instant::now()), confirms.undecided())
        };
        // Calls that are in a queue are answered on this channel only: as long as there are any, it stays.
        let waiting = self.callers.table().waiting_on(self.link.number());
        // While the broker reads nothing there is no telling.
        match stuck.filter(|(since, _)| since.elapsed() >= STUCK && self.link.blocked().is_none()) {
            None => Ok(()),
            Some((_, true)) if waiting > undecided => Ok(()),
            Some((_, true)) => {
                let reason = format!("a queue has taken nothing for {} s", STUCK.as_secs());
                Err(Gone(Some(Ended { reason, channel_only: true })))
            }
            Some((_, false)) => self.link.probe().map_err(|_| Gone(None)),
        }
    }

    fn returned(&self, note: &ReturnNote) {
        if let Some(number) = broker::returned(note).and_then(|id| self.callers.number(id))
            && !self.callers.decide(number, Outcome::Unroutable(note.routing_key.clone()))
        {
            self.link.confirms().returned(number);
        }
    }

    /// Has those decisions take effect that are there by now; says whether there are any.
    fn confirm(&self, first: Option<ConfirmNote>) -> bool {
        let notes: Vec<_> = first.into_iter().chain(self.feeds.confirms.try_iter()).collect();
        // A message that is returned is confirmed as well, afterwards, as if all were well.
        self.feeds.returns.try_iter().for_each(|returned| self.returned(&returned));
        let is_any = !notes.is_empty();
        let mut decided = Vec::new();
        let now = Instant::now();
        let mut confirms = self.link.confirms();
        for note in notes {
            let (tag, multiple, taken) = broker::confirmed(note);
            confirms.confirmed((tag, multiple, taken), now, |number, asker, fate| match (asker, fate) {
                (Asker::Call, Fate::Taken | Fate::Returned) | (Asker::Probe, _) => {}
                decision => decided.push((number, decision)),
            });
        }
        drop(confirms);
        self.link.make_room();
        for (number, (asker, fate)) in decided {
            match asker {
                Asker::Send(waiter) => drop(waiter.send(SendOutcome::Decided(fate))),
                Asker::Call | Asker::Probe => drop(self.callers.decide(number, Outcome::Overloaded)),
            }
        }
        is_any
    }

    fn blocked(&self, note: BlockedNote) {
        match note {
            BlockedNote::Blocked(reason) => {
                warn!("the broker takes no messages at the moment: {reason}");
                self.link.set_blocked(Some(reason));
            }
            BlockedNote::Unblocked => {
                info!("the broker takes messages again");
                self.link.set_blocked(None);
            }
        }
    }
}
