//! The threads of a link: bring replies, returns and confirmations to those who wait for them.
//!
//! Replies have a thread of their own: there are many of them, and waiting for one thing is quicker than for seven.

use std::convert::Infallible;
use std::io;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvError, Sender, at, bounded, never, select};
use tracing::{debug, info, warn};

use super::link::Link;
use super::outcome::{Outcome, SendOutcome};
use crate::broker::{self, BlockedNote, ConfirmNote, Connection, ReplyNote, ReplyQueue, ReturnNote, Sends};

/// Replies that are taken in one go, with the table locked once for all of them.
const BATCH: usize = 64;
/// For a connection that is gone to say why.
const REASON_TIMEOUT: Duration = Duration::from_millis(500);

/// Everything that comes in on a link.
pub(super) struct Feeds {
    connection: Connection,
    replies: Receiver<ReplyNote>,
    returned_calls: Receiver<ReturnNote>,
    confirms: Receiver<ConfirmNote>,
    returned_sends: Receiver<ReturnNote>,
    blocked: Receiver<BlockedNote>,
    alarms: Receiver<()>,
}

impl Feeds {
    pub(super) fn new(connection: Connection, calls: &ReplyQueue, sends: &Sends, alarms: Receiver<()>) -> Self {
        Feeds {
            replies: calls.replies.clone(),
            returned_calls: calls.returns.clone(),
            confirms: sends.confirms.clone(),
            returned_sends: sends.returns.clone(),
            blocked: connection.blocked().clone(),
            connection,
            alarms,
        }
    }
}

/// Why a pump has ended.
pub(super) enum End {
    /// The client was dropped.
    Dropped,
    /// The connection is gone, for this reason.
    Lost(String),
}

/// The connection is gone; perhaps it said why.
struct Gone(Option<String>);

impl From<RecvError> for Gone {
    fn from(_: RecvError) -> Self {
        Gone(None)
    }
}

/// Pumps until the connection is gone or the client is dropped, which disconnects `dropped`.
pub(super) fn run(
    link: &Arc<Link>,
    feeds: Feeds,
    dropped: &Receiver<Infallible>,
    late_replies: &Arc<AtomicU64>,
) -> End {
    let (gone, replies_gone) = bounded(1);
    let replies = Replies { link: Arc::clone(link), feed: feeds.replies.clone(), late: Arc::clone(late_replies), gone };
    if let Err(error) = replies.spawn() {
        return End::Lost(format!("no thread for replies: {error}"));
    }
    match (Notices { link, feeds: &feeds, replies_gone }).run(dropped) {
        Ok(()) => End::Dropped,
        Err(Gone(Some(reason))) => End::Lost(reason),
        Err(Gone(None)) => {
            let reason = feeds.connection.close(REASON_TIMEOUT).err();
            End::Lost(reason.unwrap_or_else(|| "it was closed without a word".to_owned()))
        }
    }
}

/// Brings replies to their callers, on a thread of its own that ends with the connection.
struct Replies {
    link: Arc<Link>,
    feed: Receiver<ReplyNote>,
    late: Arc<AtomicU64>,
    /// Told why there are no more replies.
    gone: Sender<Option<String>>,
}

impl Replies {
    fn spawn(self) -> io::Result<()> {
        thread::Builder::new().name("guirpc-replies".to_owned()).spawn(move || {
            loop {
                if let Err(Gone(reason)) = self.feed.recv().map_err(Gone::from).and_then(|first| self.deliver(first)) {
                    // Nobody reads on, and what is left would stay: amiquip's consumer is never dropped.
                    self.feed.try_iter().for_each(drop);
                    let _ = self.gone.send(reason);
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
            .map(|note| broker::reply(note, |id| self.link.number(id)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|reason| Gone(Some(reason)))?;
        let mut calls = self.link.calls();
        let replies: Vec<_> =
            replies.into_iter().map(|(number, reply)| (number.and_then(|number| calls.take(number)), reply)).collect();
        drop(calls);
        for (waiter, reply) in replies {
            // The caller may be giving up at this very moment.
            if waiter.is_none_or(|waiter| waiter.send(Outcome::Reply(reply)).is_err()) {
                let late = self.late.fetch_add(1, Ordering::Relaxed) + 1;
                debug!(late, "a reply came too late");
            }
        }
        Ok(())
    }
}

/// Brings everything else to where it belongs.
struct Notices<'a> {
    link: &'a Link,
    feeds: &'a Feeds,
    replies_gone: Receiver<Option<String>>,
}

impl Notices<'_> {
    fn run(&self, dropped: &Receiver<Infallible>) -> Result<(), Gone> {
        let feeds = self.feeds;
        loop {
            let next_deadline = self.link.calls().next_deadline();
            let deadline = next_deadline.map_or_else(never, at);
            select! {
                recv(feeds.returned_calls) -> returned => self.returned_call(&returned?),
                recv(feeds.confirms) -> confirm => self.confirm(confirm?),
                recv(feeds.returned_sends) -> returned => self.returned_send(&returned?),
                recv(feeds.blocked) -> note => self.blocked(note?),
                recv(feeds.alarms) -> _ => {}
                recv(deadline) -> _ => self.expire(),
                recv(self.replies_gone) -> reason => return Err(Gone(reason?)),
                recv(dropped) -> _ => return Ok(()),
            }
        }
    }

    fn returned_call(&self, note: &ReturnNote) {
        let number = broker::returned(note).and_then(|id| self.link.number(id));
        if let Some(waiter) = number.and_then(|number| self.link.calls().take(number)) {
            let _ = waiter.send(Outcome::Unroutable(note.routing_key.clone()));
        }
    }

    fn returned_send(&self, note: &ReturnNote) {
        if let Some(number) = broker::returned(note).and_then(|id| self.link.number(id)) {
            self.link.confirms().returned(number);
        }
    }

    /// A message that is returned is confirmed as well, afterwards, as if all were well.
    fn confirm(&self, note: ConfirmNote) {
        self.feeds.returned_sends.try_iter().for_each(|returned| self.returned_send(&returned));
        let (tag, multiple, taken) = broker::confirmed(note);
        let decided = self.link.confirms().confirmed(tag, multiple, taken);
        for (waiter, fate) in decided {
            let _ = waiter.send(SendOutcome::Decided(fate));
        }
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

    fn expire(&self) {
        let expired = self.link.calls().expired(Instant::now());
        for waiter in expired {
            let _ = waiter.send(Outcome::TimedOut);
        }
    }
}
