//! One generation of a server's connections: what the workers share with the consumer thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::acks::AckDecision;
use super::delivery::{Delivery, Republish};
use super::open_calls::OpenCalls;
use super::pause::Pause;
use super::plan::{Plan, REQUESTS_PER_MESSAGE, Source};
use super::queues::QueueRole;
use super::reply_line::ReplyLine;
use super::reply_sizes::ReplySizes;
use super::reports::{Ready, Report, Reporter};
use super::tick::Tick;
use crate::broker::{
    Connection, Event, Failure, Inbox, Next, Order, Receipt, ReplyChannel, ReplyNodes, ReplyProgress, Scope,
    TrialAccess,
};
use crate::error::Error;
use crate::message::{EncodedReply, Request};
use crate::statistics::Coalesced;

/// Beside those for replies: one to republish, one to try and to declare things, one for control.
const OTHER_CHANNELS: usize = 3;

/// A consuming and a replying connection: when either dies, both are given up and nothing more is acknowledged.
///
/// They are two because a broker that is short of memory stops reading from connections that publish:
/// acknowledgements must still get through then.
pub(super) struct Session {
    inboxes: Vec<Inbox>,
    /// Which queue each inbox is of, and how many more of its deliveries may lack the broker's mark.
    sources: Vec<(Source, AtomicU64)>,
    ready: (Sender<Ready>, Receiver<Ready>),
    pub(super) calls: OpenCalls,
    /// How many inboxes go before the others: those of what comes again.
    first_inboxes: usize,
    /// With which of the others the leader begins.
    turn: AtomicUsize,
    pub(super) reply_nodes: Arc<ReplyNodes>,
    pub(super) reply_sizes: Arc<ReplySizes>,
    pub(super) trials: TrialAccess,
    pub(super) pause: Pause,
    /// One for each thread that replies, so that no lock is ever waited for, unless the broker allows fewer channels.
    pub(super) replies: Vec<ReplyLine>,
    pub(super) coalesced_replies: Arc<Coalesced>,
    progress: Vec<ReplyProgress>,
    is_serving: AtomicBool,
    /// Whether it is over without a shutdown: the broker has again, or will have, whatever is not acknowledged.
    is_lost: AtomicBool,
    /// Whether a request may have been answered on a session before, although the broker does not say so.
    is_after_loss: AtomicBool,
    /// Requests that were taken off an inbox and are not finished.
    running: AtomicUsize,
    abandoned: AtomicUsize,
    reporter: Reporter,
    pub(super) tick: Tick,
    /// Finished or failed, and not looked at; at `batch` the consumer thread is woken, else its tick will do.
    unacknowledged: AtomicUsize,
    batch: usize,
}

/// A consumed queue, or what was found at its head.
pub(super) struct ConsumedInbox {
    source: Source,
    inbox: Inbox,
    unmarked: u64,
}

impl ConsumedInbox {
    /// Where its deliveries arrive, of which the next `unmarked` may have been delivered before without a mark.
    pub(super) fn new(source: Source, inbox: Inbox, unmarked: u64) -> Self {
        ConsumedInbox { source, inbox, unmarked }
    }
}

/// Opens the channels for replies, which has to be done before anything is published on their connection: while the
/// broker takes no messages, it answers nothing on a connection that has published.
pub(super) fn open_replies(plan: &Plan, replying: &Connection) -> Result<Vec<ReplyChannel>, Error> {
    let most = usize::from(replying.limits().channels).saturating_sub(OTHER_CHANNELS).max(1);
    (0..plan.repliers().min(most)).map(|_| ReplyChannel::open(replying)).collect()
}

impl Session {
    pub(super) fn new(
        plan: &Plan,
        trials: TrialAccess,
        (replies, reply_sizes): (Vec<ReplyChannel>, ReplySizes),
        consumed: Vec<ConsumedInbox>,
        reporter: Reporter,
        is_after_loss: bool,
    ) -> Self {
        let apart = |ConsumedInbox { source, inbox, unmarked }| ((source, AtomicU64::new(unmarked)), inbox);
        let (sources, inboxes): (Vec<(Source, AtomicU64)>, _) = consumed.into_iter().map(apart).unzip();
        let comes_again = |role| matches!(role, QueueRole::Retry | QueueRole::Quarantine);
        Session {
            inboxes,
            ready: unbounded(),
            calls: OpenCalls::default(),
            first_inboxes: sources.iter().take_while(|(source, _)| comes_again(source.role)).count(),
            turn: AtomicUsize::new(0),
            sources,
            reply_nodes: Arc::clone(&plan.reply_nodes),
            reply_sizes: Arc::new(reply_sizes),
            trials,
            pause: Pause::default(),
            coalesced_replies: Arc::clone(&plan.coalesced_replies),
            progress: replies.iter().map(ReplyChannel::progress).collect(),
            replies: replies.into_iter().map(ReplyLine::new).collect(),
            is_serving: AtomicBool::new(true),
            is_lost: AtomicBool::new(false),
            is_after_loss: AtomicBool::new(is_after_loss),
            running: AtomicUsize::new(0),
            abandoned: AtomicUsize::new(0),
            reporter,
            tick: Tick::new(),
            unacknowledged: AtomicUsize::new(0),
            batch: usize::from(plan.prefetch).div_ceil(2),
        }
    }

    /// Waits for something to do; what this worker has not sent yet is sent before that.
    pub(super) fn next(&self, worker: usize) -> Next<Ready> {
        let call = |delivery| Next::Own(Ready::Call(delivery));
        if let Some(delivery) = self.calls.next_of_chunk() {
            return call(delivery);
        }
        let order = Order { first: self.first_inboxes, turn: self.turn.fetch_add(1, Ordering::Relaxed) };
        let at_hand = Inbox::try_next_of(&self.ready.1, &self.inboxes, order);
        if let Some(next) = at_hand.or_else(|| self.calls.first_of_chunk().map(call)) {
            return next;
        }
        self.send_waiting(worker);
        Inbox::next_of(&self.ready.1, &self.inboxes, order)
    }

    /// Waits for something to do while nothing more is delivered.
    pub(super) fn next_ready(&self) -> Ready {
        self.ready.1.recv().unwrap_or(Ready::End)
    }

    /// What was made ready by now, and not taken yet.
    pub(super) fn all_ready(&self) -> impl Iterator<Item = Ready> {
        self.ready.1.try_iter()
    }

    /// Takes back what is acknowledged and no worker has begun, in the end.
    pub(super) fn take_acknowledged(&self) -> Vec<Delivery> {
        let ready: Vec<Ready> = self.all_ready().collect();
        let mut acknowledged = Vec::new();
        for ready in ready {
            match ready {
                Ready::Run(delivery) if delivery.is_acknowledged() => acknowledged.push(delivery),
                other => self.make_ready(other),
            }
        }
        acknowledged
    }

    /// What was delivered by now, and not taken yet.
    pub(super) fn delivered(&self) -> impl Iterator<Item = Delivery> {
        let inboxes = self.inboxes.iter().enumerate();
        let events = inboxes.flat_map(|(at, inbox)| std::iter::from_fn(move || Some((at, inbox.try_next()?))));
        events.filter_map(|(at, event)| match event {
            Event::Request(request, receipt) => Some(self.delivery(at, request, receipt)),
            // An inbox whose consumer is cancelled ends as one that is lost does; a real loss is heard of all the same.
            Event::Cancelled | Event::Lost(_) => None,
        })
    }

    /// A request that has arrived in the inbox with this number.
    pub(super) fn delivery(&self, inbox: usize, mut request: Request, receipt: Receipt) -> Delivery {
        let (source, unmarked) = &self.sources[inbox];
        if unmarked.load(Ordering::Relaxed) > 0 {
            let left = unmarked.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            request.redelivered |= left.is_ok();
        }
        Delivery::new(*source, request, receipt)
    }

    pub(super) fn make_ready(&self, ready: Ready) {
        // We have the other end ourselves.
        let _ = self.ready.0.send(ready);
    }

    /// Counts a request as taken; says whether it may be run, else it must be returned.
    ///
    /// While the broker takes no messages this waits, since there could be no reply.
    pub(super) fn begin(&self) -> bool {
        self.take();
        self.pause.wait();
        self.is_serving()
    }

    /// Counts a request as taken off its inbox.
    pub(super) fn take(&self) {
        self.running.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts a request as finished, or left to the broker.
    pub(super) fn leave(&self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
    }

    /// Counts a request as begun and never to be finished; the broker is to deliver it again.
    #[cfg(feature = "tokio")]
    pub(super) fn abandon(&self) {
        self.abandoned.fetch_add(1, Ordering::SeqCst);
        self.leave();
        self.reporter.wake();
    }

    /// How many requests were begun and never come to an end.
    pub(super) fn abandoned(&self) -> usize {
        self.abandoned.load(Ordering::SeqCst)
    }

    /// How many requests were taken and are not finished.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// Waits until the broker has all replies that were sent before.
    pub(super) fn flush_replies(&self) -> Result<(), Error> {
        self.replies.iter().try_for_each(ReplyLine::flush)
    }

    /// How many replies were handed over to the connection by now, channel by channel.
    pub(super) fn handed_over(&self) -> Vec<u64> {
        self.progress.iter().map(ReplyProgress::handed_over).collect()
    }

    /// Whether so many replies of each channel have left this process, so that they arrive even if it is killed.
    pub(super) fn have_left(&self, handed_over: &[u64]) -> bool {
        self.progress.iter().zip(handed_over).all(|(progress, count)| progress.has_written(*count))
    }

    /// Whether it is over without a shutdown.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::SeqCst)
    }

    pub(super) fn is_serving(&self) -> bool {
        self.is_serving.load(Ordering::SeqCst)
    }

    /// Whether a request may have been answered on a session before, although the broker does not say so.
    pub(super) fn is_after_loss(&self) -> bool {
        self.is_after_loss.load(Ordering::Relaxed)
    }

    /// By now the broker has delivered again whatever was answered on the session before.
    pub(super) fn forget_loss(&self) {
        self.is_after_loss.store(false, Ordering::Relaxed);
    }

    /// A delivery from this queue is finished; it is acknowledged within a few milliseconds.
    pub(super) fn finish(
        &self,
        queue: QueueRole,
        receipt: Option<Receipt>,
        decision: AckDecision,
        answer: Option<(Request, EncodedReply)>,
    ) {
        let weight = receipt.as_ref().map_or(1, weight);
        // The consumer thread of a session that is lost listens no more, and the broker will deliver the request again.
        self.note(queue, weight, Report::Finished(receipt, decision, answer));
    }

    /// A delivery from this queue has failed, and nobody waits for what becomes of it.
    pub(super) fn fail(&self, delivery: Delivery, what: Republish) {
        self.note(delivery.queue, weight(&delivery.receipt), Report::Republish(delivery, what));
    }

    /// The consumer thread looks at this with its next tick, or when there is enough to look at.
    fn note(&self, queue: QueueRole, weight: usize, report: Report) {
        self.reporter.note(report);
        // Of the others so few are fetched that the next one waits for this acknowledgement.
        let is_urgent = queue != QueueRole::Own;
        let before = self.unacknowledged.fetch_add(weight, Ordering::SeqCst);
        if (before < self.batch && before + weight >= self.batch) || is_urgent {
            self.reporter.wake();
        }
        self.keep_ticking();
    }

    /// Hands a delivery to the consumer thread.
    pub(super) fn report(&self, report: Report) {
        self.reporter.report(report);
    }

    /// Has a delivery that has not begun put back in its queue, for another server.
    pub(super) fn give_back(&self, unbegun: Delivery) {
        self.report(Report::Republish(unbegun, Republish::Return));
    }

    /// The consumer thread is about to look at what is finished.
    pub(super) fn begin_batch(&self) {
        self.unacknowledged.store(0, Ordering::SeqCst);
    }

    /// Makes sure that the consumer thread looks after the leader.
    pub(super) fn keep_ticking(&self) {
        if !self.tick.is_ticking() {
            self.reporter.wake();
        }
    }

    /// Says that a consumer, a channel or a connection is gone; the session ends.
    pub(super) fn report_lost(&self, loss: Failure) {
        if loss.scope == Scope::Connection || self.is_serving() {
            self.is_lost.store(true, Ordering::SeqCst);
        }
        // In a shutdown the end of a consumer is what was asked for, and a real loss is noticed all the same.
        if self.stop_serving() {
            self.reporter.lost(loss);
        }
    }

    /// It is over: has workers begin nothing more of it, and the leader leave it.
    pub(super) fn end(&self, is_lost: bool) {
        self.is_lost.fetch_or(is_lost, Ordering::SeqCst);
        self.stop_serving();
        self.make_ready(Ready::End);
    }

    /// Has workers begin nothing more; says whether they might have until now.
    pub(super) fn stop_serving(&self) -> bool {
        let served = self.is_serving.swap(false, Ordering::SeqCst);
        self.pause.end();
        served
    }
}

/// How much of what is fetched ahead waits for this: a message of calls for its last one, and then for as much as that is.
fn weight(receipt: &Receipt) -> usize {
    match receipt.calls() {
        None => 1,
        Some(_) if receipt.finish_one() => usize::from(REQUESTS_PER_MESSAGE),
        Some(_) => 0,
    }
}
