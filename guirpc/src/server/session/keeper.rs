//! The thread of a session: it alone consumes, acknowledges and cancels, and it never runs a function.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvError, Sender, after, never, select};
use tracing::{info, warn};

use super::{Connections, End, Report, Reports, Session, Terms};
use crate::broker::{BlockedNote, Channel, Connection, Consumer, Event, Failure, Inbox, Receipt, Scope};
use crate::error::Error;
use crate::health::Status;
use crate::server::Plan;
use crate::server::delivery;
use crate::server::drain::Drained;
use crate::server::settling::{Settlement, Settling};

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
    terms: &'a Terms,
    channel: &'a Channel,
    consumers: &'a [Consumer<'a>],
    connections: [&'a Connection; 2],
    reports: Reports,
    settling: Settling<Receipt>,
    /// Workers who wait until the broker knows.
    waiting: Vec<Sender<()>>,
    ticks: u32,
    idle_ticks: u32,
    last_turn: Option<u64>,
}

/// The session is over.
struct Lost(Failure);

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        Lost(Failure::from(&error))
    }
}

impl From<RecvError> for Lost {
    fn from(_: RecvError) -> Self {
        Lost(Failure::silent())
    }
}

/// Opens a session, on these connections if there are any, tells about it, keeps it until it ends, and tells about that.
///
/// # Errors
/// The session could not be opened.
pub(super) fn run(
    terms: &Terms,
    connections: Option<Connections>,
    opened: &Sender<Result<Arc<Session>, Error>>,
    ended: &Sender<End>,
) -> Result<(), Error> {
    let plan = &terms.plan;
    let Connections { mut consuming, mut replying } = if let Some(connections) = connections {
        connections
    } else {
        let lane = plan.lane.as_ref().map_or_else(String::new, |lane| format!(", lane {lane}"));
        let consuming = Connection::open(&plan.address, &format!("server, consuming{lane}"))?;
        let replying = consuming.open_beside(&format!("server, replying{lane}"))?;
        Connections { consuming, replying }
    };
    plan.reply_nodes.forget();
    let channel = consuming.open_channel()?;
    let (consumers, feeds) = consume(&channel, plan)?;
    let (session, reports) = Session::new(plan, &mut replying, feeds)?;
    let mut keeper = Keeper {
        session: Arc::clone(&session),
        terms,
        channel: &channel,
        consumers: &consumers,
        connections: [&consuming, &replying],
        reports,
        settling: Settling::default(),
        waiting: Vec::new(),
        ticks: 0,
        idle_ticks: 0,
        last_turn: None,
    };
    if opened.send(Ok(session)).is_err() {
        return Ok(());
    }
    terms.standing.set(Status::Connected);
    let end = keeper.keep().and_then(|()| keeper.drain(plan.drain));
    if end.is_err() {
        keeper.session.is_lost.store(true, Ordering::SeqCst);
    }
    keeper.session.stop_serving();
    match end {
        Ok(drained) => {
            drop(keeper);
            drop(consumers);
            drop(channel);
            // Whoever waits for the end may end the process; everything that matters has been confirmed by now.
            let _ = replying.close(CLOSE_TIMEOUT).and(consuming.close(CLOSE_TIMEOUT));
            let _ = ended.send(End::Drained(drained));
        }
        Err(Lost(Failure { scope: Scope::Channel, reason })) => {
            // What has been done by now need not be done again.
            let _ = keeper.settle();
            drop(keeper);
            drop(consumers);
            drop(channel);
            let _ = ended.send(End::Lost(reason, Some(Connections { consuming, replying })));
        }
        // The connections are dropped after this, by this thread, in its own time.
        Err(Lost(Failure { scope: Scope::Connection, reason })) => drop(ended.send(End::Lost(reason, None))),
    }
    Ok(())
}

/// Declares the queues of all services and starts to consume: for each the queue of what comes again first.
#[allow(clippy::type_complexity, reason = "two halves of what becomes a session")]
fn consume<'a>(channel: &'a Channel, plan: &Plan) -> Result<(Vec<Consumer<'a>>, (Vec<usize>, Vec<Inbox>)), Error> {
    let mut queues = Vec::new();
    for (number, served) in plan.services.iter().enumerate() {
        channel.declare_service(&plan.exchange, &served.routing_key, &served.queue, plan.queue_kind)?;
        if let Some((queue, kind)) = served.aside.as_ref().and_then(|aside| Some((&aside.retry, aside.retry_kind?))) {
            channel.declare_queue(queue, kind)?;
            // One at a time, so that what is delivered from there is begun as well: it counts as that.
            queues.push((1, number, queue));
        }
    }
    queues.extend(plan.services.iter().enumerate().map(|(number, served)| (plan.prefetch, number, &served.queue)));
    let (mut consumers, mut services, mut inboxes) = (Vec::new(), Vec::new(), Vec::new());
    for (prefetch, number, queue) in queues {
        channel.set_prefetch(prefetch)?;
        let (consumer, inbox) = channel.consume(queue)?;
        consumers.push(consumer);
        services.push(number);
        inboxes.push(inbox);
    }
    Ok((consumers, (services, inboxes)))
}

impl Keeper<'_> {
    /// Settles, and looks after the lead, until the server is to stop.
    fn keep(&mut self) -> Result<(), Lost> {
        let [consuming, replying] = self.connections;
        let stopped = &self.terms.stopped;
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
                recv(self.reports.lost) -> loss => return Err(Lost(loss?)),
                recv(consuming.blocked()) -> note => self.blocked(note?),
                recv(replying.blocked()) -> note => self.blocked(note?),
                recv(stopped) -> _ => return Ok(()),
            }
        }
    }

    fn tick(&mut self) -> Result<(), Lost> {
        let turn = self.terms.crew.turn();
        match turn {
            Some(turn) if self.last_turn == Some(turn) => self.terms.crew.pass_lead_on(turn),
            _ => self.last_turn = turn,
        }
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(SETTLE_TICKS) {
            self.settle()?;
        }
        self.idle_ticks = if turn.is_none() && self.reports.workers.is_empty() { self.idle_ticks + 1 } else { 0 };
        if self.idle_ticks >= IDLE_TICKS {
            self.session.ticking.store(false, Ordering::SeqCst);
            // A worker that looked before that was told that we tick, so look once more for what it may have begun.
            let busy = self.terms.crew.turn().is_some() || !self.reports.workers.is_empty();
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
        for report in self.reports.workers.try_iter() {
            match report {
                Report::Finished(receipt, verdict) => {
                    self.settling.finish(receipt.tag(), verdict, receipt);
                    self.session.running.fetch_sub(1, Ordering::SeqCst);
                }
                Report::Settle(settled) => self.waiting.push(settled),
            }
        }
    }

    fn send_verdicts(&mut self) -> Result<(), Lost> {
        for settlement in self.settling.settle() {
            match settlement {
                Settlement::AckThrough(receipt) => self.channel.ack_through(receipt)?,
                Settlement::Ack(receipt) => self.channel.ack(receipt)?,
                Settlement::GiveBack(receipt) => self.channel.give_back(receipt)?,
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
        self.terms.standing.set(Status::Stopped);
        let is_blocked = self.session.is_blocked();
        self.session.stop_serving();
        self.terms.crew.unassign();
        for consumer in self.consumers {
            consumer.cancel()?;
        }
        let mut fetched = Vec::new();
        for (inbox, service) in self.session.inboxes.iter().zip(&self.session.services) {
            while let Some(event) = inbox.try_next() {
                match event {
                    Event::Request(request, original, receipt) => {
                        self.session.running.fetch_add(1, Ordering::SeqCst);
                        fetched.push((*service, self.session.deliver(request, original, receipt)));
                    }
                    Event::Cancelled => break,
                    Event::Lost(loss) => return Err(Lost(loss)),
                }
            }
        }
        delivery::give_back(&self.session, &self.terms.plan.services, fetched, is_blocked);
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
                return Ok(Drained { given_back: self.session.given_back.load(Ordering::SeqCst), abandoned });
            }
            select! {
                recv(self.reports.wake) -> _ => {}
                recv(after(left)) -> _ => {}
                recv(self.reports.lost) -> loss => return Err(Lost(loss?)),
                recv(consuming.blocked()) -> note => self.blocked(note?),
                recv(replying.blocked()) -> note => self.blocked(note?),
            }
        }
    }

    /// The broker takes no messages, or takes them again: what is begun meanwhile could not be answered.
    fn blocked(&self, note: BlockedNote) {
        match note {
            BlockedNote::Blocked(reason) => {
                warn!("the broker takes no messages at the moment: {reason}");
                self.terms.standing.set(Status::Blocked { reason });
                self.session.gate.close();
                // Whoever has stopped the session meanwhile found the gate open.
                if !self.session.serving.load(Ordering::SeqCst) {
                    self.session.gate.open();
                }
            }
            BlockedNote::Unblocked => {
                info!("the broker takes messages again");
                self.terms.standing.set(Status::Connected);
                self.session.gate.open();
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
