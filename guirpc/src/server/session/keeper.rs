//! The thread of a session: it alone consumes, acknowledges and cancels, and it never runs a function.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvError, Sender, after, never, select};
use tracing::{info, warn};

use super::{End, Finished, Reports, Session};
use crate::broker::{BlockedNote, Channel, Connection, Consumer, Event, Receipt};
use crate::error::Error;
use crate::server::Plan;
use crate::server::crew::Crew;
use crate::server::drain::Drained;
use crate::server::settling::{Settlement, Settling, Verdict};
use crate::server::stop::Stopped;

/// How often the leader is looked after: one that is in the same function at two ticks hands the lead on.
const TICK: Duration = Duration::from_millis(1);
/// What is finished is settled every so many ticks at the latest.
const SETTLE_TICKS: u32 = 4;
/// After so many ticks with nothing to do the keeper sleeps.
const IDLE_TICKS: u32 = 50;
/// For the broker to say goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What a session needs to be kept.
pub(super) struct Keeper<'a> {
    session: Arc<Session>,
    crew: &'a Crew<Session>,
    channel: &'a Channel,
    consumers: &'a [Consumer<'a>],
    connections: [&'a Connection; 2],
    reports: Reports,
    settling: Settling<Receipt>,
    /// Workers who wait until the broker knows.
    waiting: Vec<Sender<()>>,
    given_back: usize,
    ticks: u32,
    idle_ticks: u32,
    last_turn: Option<u64>,
}

/// A connection is gone, for this reason.
struct Lost(String);

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        Lost(error.to_string())
    }
}

impl From<RecvError> for Lost {
    fn from(_: RecvError) -> Self {
        Lost("it was closed without a word".to_owned())
    }
}

/// Opens a session, tells about it, keeps it until it ends, and tells about that.
///
/// # Errors
/// The session could not be opened.
pub(super) fn run(
    plan: &Plan,
    crew: &Crew<Session>,
    stopped: &Stopped,
    opened: &Sender<Result<Arc<Session>, Error>>,
    ended: &Sender<End>,
) -> Result<(), Error> {
    let mut consuming = Connection::open(&plan.address, "server, consuming")?;
    let mut replying = Connection::open(&plan.address, "server, replying")?;
    let channel = consuming.open_channel()?;
    channel.set_prefetch(plan.prefetch)?;
    for served in &plan.services {
        channel.declare_service(&plan.exchange, &served.routing_key, &served.queue, plan.lifetime)?;
    }
    let consumers = plan.services.iter().map(|served| channel.consume(&served.queue)).collect::<Result<Vec<_>, _>>()?;
    let (consumers, inboxes): (Vec<_>, Vec<_>) = consumers.into_iter().unzip();
    let (session, reports) = Session::new(plan, &mut replying, inboxes)?;
    let mut keeper = Keeper {
        session: Arc::clone(&session),
        crew,
        channel: &channel,
        consumers: &consumers,
        connections: [&consuming, &replying],
        reports,
        settling: Settling::default(),
        waiting: Vec::new(),
        given_back: 0,
        ticks: 0,
        idle_ticks: 0,
        last_turn: None,
    };
    if opened.send(Ok(session)).is_err() {
        return Ok(());
    }
    let end = match keeper.keep(stopped).and_then(|()| keeper.drain(plan.drain)) {
        Ok(drained) => End::Drained(drained),
        Err(Lost(reason)) => End::Lost(reason),
    };
    keeper.session.serving.store(false, Ordering::SeqCst);
    if matches!(end, End::Drained(_)) {
        drop(keeper);
        drop(consumers);
        drop(channel);
        // Whoever waits for the end may end the process; everything that matters has been confirmed by now.
        let _ = replying.close(CLOSE_TIMEOUT).and(consuming.close(CLOSE_TIMEOUT));
    }
    // What is still open is dropped after this, by this thread, in its own time.
    let _ = ended.send(end);
    Ok(())
}

impl Keeper<'_> {
    /// Settles, and looks after the lead, until the server is to stop.
    fn keep(&mut self, stopped: &Stopped) -> Result<(), Lost> {
        let [consuming, replying] = self.connections;
        loop {
            let ticking = self.session.ticking.load(Ordering::SeqCst);
            let tick = if ticking { after(TICK) } else { never() };
            select! {
                recv(self.reports.wake) -> _ => {
                    self.idle_ticks = 0;
                    self.session.ticking.store(true, Ordering::SeqCst);
                    self.settle()?;
                }
                recv(tick) -> _ => self.tick()?,
                recv(self.reports.lost) -> reason => return Err(Lost(reason?)),
                recv(consuming.blocked()) -> note => blocked(&note?),
                recv(replying.blocked()) -> note => blocked(&note?),
                recv(stopped) -> _ => return Ok(()),
            }
        }
    }

    fn tick(&mut self) -> Result<(), Lost> {
        let turn = self.crew.turn();
        match turn {
            Some(turn) if self.last_turn == Some(turn) => self.crew.pass_lead_on(turn),
            _ => self.last_turn = turn,
        }
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(SETTLE_TICKS) {
            self.settle()?;
        }
        self.idle_ticks = if turn.is_none() && self.reports.finished.is_empty() { self.idle_ticks + 1 } else { 0 };
        if self.idle_ticks >= IDLE_TICKS {
            self.session.ticking.store(false, Ordering::SeqCst);
            // A worker that looked before that was told that we tick, so look once more for what it may have begun.
            let busy = self.crew.turn().is_some() || !self.reports.finished.is_empty();
            self.session.ticking.store(busy, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Sends the verdicts that have been passed.
    fn settle(&mut self) -> Result<(), Lost> {
        self.collect();
        self.send_verdicts()
    }

    fn collect(&mut self) {
        self.session.unsettled.store(0, Ordering::SeqCst);
        for Finished { receipt, verdict, settled } in self.reports.finished.try_iter() {
            self.settling.finish(receipt.tag(), verdict, receipt);
            match settled {
                Some(settled) => self.waiting.push(settled),
                None => {
                    self.session.running.fetch_sub(1, Ordering::SeqCst);
                }
            }
        }
    }

    fn send_verdicts(&mut self) -> Result<(), Lost> {
        for settlement in self.settling.settle() {
            match settlement {
                Settlement::AckThrough(receipt) => self.channel.ack_through(receipt)?,
                Settlement::Ack(receipt) => self.channel.ack(receipt)?,
                Settlement::GiveBack(receipt) => {
                    self.channel.give_back(receipt)?;
                    self.given_back += 1;
                }
            }
        }
        if !self.waiting.is_empty() {
            self.channel.flush()?;
            for worker in self.waiting.drain(..) {
                let _ = worker.send(());
            }
        }
        Ok(())
    }

    /// Takes nothing more, gives back what has not begun, and waits for the rest, for as long as `limit`.
    fn drain(&mut self, limit: Duration) -> Result<Drained, Lost> {
        let deadline = Instant::now() + limit;
        self.session.serving.store(false, Ordering::SeqCst);
        self.crew.unassign();
        for consumer in self.consumers {
            consumer.cancel()?;
        }
        for inbox in &self.session.inboxes {
            while let Some(event) = inbox.try_next() {
                match event {
                    Event::Request(_, receipt) => {
                        self.settling.finish(receipt.tag(), Verdict::GiveBack, receipt);
                    }
                    Event::Cancelled => break,
                    Event::Lost(reason) => return Err(Lost(reason)),
                }
            }
        }
        let [consuming, replying] = self.connections;
        // From here on every finish wakes us, as nothing else would.
        self.session.ticking.store(false, Ordering::SeqCst);
        loop {
            // No acknowledgement before the broker has the reply: nobody may be left to make up for it.
            self.collect();
            self.flush_replies()?;
            self.send_verdicts()?;
            let abandoned = self.session.running();
            let left = deadline.saturating_duration_since(Instant::now());
            if abandoned == 0 || left.is_zero() {
                self.channel.flush()?;
                return Ok(Drained { given_back: self.given_back, abandoned });
            }
            select! {
                recv(self.reports.wake) -> _ => {}
                recv(after(left)) -> _ => {}
                recv(self.reports.lost) -> reason => return Err(Lost(reason?)),
                recv(consuming.blocked()) -> note => blocked(&note?),
                recv(replying.blocked()) -> note => blocked(&note?),
            }
        }
    }

    fn flush_replies(&self) -> Result<(), Lost> {
        for replies in &self.session.replies {
            replies.lock().unwrap_or_else(PoisonError::into_inner).flush()?;
        }
        Ok(())
    }
}

fn blocked(note: &BlockedNote) {
    match note {
        BlockedNote::Blocked(reason) => warn!("the broker takes no messages at the moment: {reason}"),
        BlockedNote::Unblocked => info!("the broker takes messages again"),
    }
}
