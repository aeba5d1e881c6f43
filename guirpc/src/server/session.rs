//! One generation of a server's connections: what the workers share with the thread that keeps it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crossbeam_channel::{Receiver, Sender, after, bounded, select, unbounded};
use tracing::debug;

use super::Plan;
use super::crew::Crew;
use super::delivery::Delivery;
use super::drain::Drained;
use super::gate::Gate;
use super::settling::Verdict;
use super::standing::Standing;
use super::stop::Stopped;
use crate::broker::{
    self, Beside, Channel, Connection, Event, Failure, Inbox, OffThread, Original, Receipt, ReplyNodes, ReplyTo, Scope,
    SetAside,
};
use crate::error::{Error, ErrorKind};
use crate::message::{EncodedReply, Request};

mod keeper;

/// A consuming and a replying connection: when either dies, both are given up and nothing more is acknowledged.
///
/// They are two because a broker that is short of memory stops reading from connections that publish:
/// acknowledgements must still get through then.
pub(super) struct Session {
    inboxes: Vec<Inbox>,
    /// For which service each inbox is.
    services: Vec<usize>,
    aside: Mutex<OffThread<SetAside>>,
    reply_nodes: Arc<ReplyNodes>,
    beside: Beside,
    gate: Gate,
    /// One for each worker, so that no lock is ever waited for.
    replies: Vec<Mutex<OffThread<Channel>>>,
    serving: AtomicBool,
    /// Whether it is over without a drain: the broker has again, or will have, whatever is not acknowledged.
    is_lost: AtomicBool,
    /// Requests that a worker has taken and not finished.
    running: AtomicUsize,
    /// Requests that were fetched and not begun, and are in their queue again.
    given_back: AtomicUsize,
    reports: Sender<Report>,
    /// Finished and not yet settled; at `batch` the keeper is woken, else its tick will do.
    unsettled: AtomicUsize,
    batch: usize,
    /// Whether the keeper ticks; while it does not, it must be woken.
    ticking: AtomicBool,
    wake: Sender<()>,
    lost: Sender<Failure>,
}

/// The connections of a session.
pub(super) struct Connections {
    consuming: Connection,
    replying: Connection,
}

/// What a worker has the keeper do.
#[allow(clippy::large_enum_variant, reason = "nearly all are about a delivery")]
enum Report {
    /// It is through with a delivery.
    Finished(Receipt, Verdict),
    /// It wants to be told when the broker knows of everything until here.
    Settle(Sender<()>),
}

/// What the keeper hears from the workers.
struct Reports {
    workers: Receiver<Report>,
    wake: Receiver<()>,
    lost: Receiver<Failure>,
}

/// How a session ended.
#[allow(clippy::large_enum_variant, reason = "there is one for a whole session")]
pub(super) enum End {
    Drained(Drained),
    /// For this reason; the connections may be good for another session.
    Lost(String, Option<Connections>),
}

/// What a session is opened with, and kept by.
pub(super) struct Terms {
    pub(super) plan: Arc<Plan>,
    pub(super) crew: Arc<Crew<Session>>,
    pub(super) standing: Arc<Standing>,
    pub(super) stopped: Stopped,
}

impl Session {
    /// Opens a session on a thread of its own, which keeps it until it ends and says so.
    ///
    /// That thread is given up afterwards: closing what is broken may take as long as it likes.
    pub(super) fn open(
        terms: &Arc<Terms>,
        connections: Option<Connections>,
    ) -> Result<(Arc<Self>, Receiver<End>), Error> {
        // Nobody has a session that nobody waits for any more.
        let (opened, session) = bounded(0);
        let (ended, end) = bounded(1);
        let kept = Arc::clone(terms);
        thread::Builder::new()
            .name("guirpc-session".to_owned())
            .spawn(move || {
                if let Err(error) = keeper::run(&kept, connections, &opened, &ended) {
                    let _ = opened.send(Err(error));
                }
            })
            .map_err(|error| Error::new(ErrorKind::System, format!("no thread for a session: {error}")))?;
        let unreachable = |why: &str| Error::new(ErrorKind::Unreachable, why);
        // Past the handshake amiquip knows no timeouts; a session that opens after all finds nobody and ends.
        select! {
            recv(session) -> opened => match opened {
                Ok(opened) => Ok((opened?, end)),
                Err(_) => Err(unreachable("the connection was lost while the session was opened")),
            },
            recv(terms.stopped) -> _ => Err(unreachable("stopped while the session was opened")),
            recv(after(broker::OPEN_TIMEOUT)) -> _ => Err(broker::no_answer(&terms.plan.address)),
        }
    }

    fn new(
        plan: &Plan,
        replying: &mut Connection,
        (services, inboxes): (Vec<usize>, Vec<Inbox>),
    ) -> Result<(Arc<Self>, Reports), Error> {
        let aside = Mutex::new(OffThread::new(SetAside::open(replying)?));
        let replies = (0..plan.workers)
            .map(|_| replying.open_channel().map(|channel| Mutex::new(OffThread::new(channel))))
            .collect::<Result<_, _>>()?;
        let (reports, workers) = unbounded();
        let (wake, wake_reports) = bounded(1);
        let (lost, lost_reports) = unbounded();
        let session = Session {
            inboxes,
            services,
            aside,
            reply_nodes: Arc::clone(&plan.reply_nodes),
            beside: replying.beside(),
            gate: Gate::default(),
            replies,
            serving: AtomicBool::new(true),
            is_lost: AtomicBool::new(false),
            running: AtomicUsize::new(0),
            given_back: AtomicUsize::new(0),
            reports,
            unsettled: AtomicUsize::new(0),
            batch: usize::from(plan.prefetch).div_ceil(2),
            // A leader from the session before may be held up at this very moment.
            ticking: AtomicBool::new(true),
            wake,
            lost,
        };
        let reports = Reports { workers, wake: wake_reports, lost: lost_reports };
        Ok((Arc::new(session), reports))
    }

    /// Waits for something to do, and says for which service it is.
    pub(super) fn next(&self) -> (usize, Event) {
        let (inbox, event) = Inbox::next(&self.inboxes);
        (self.services[inbox], event)
    }

    /// A delivery of this session, which settles it.
    pub(super) fn deliver(self: &Arc<Self>, request: Request, original: Original, receipt: Receipt) -> Delivery {
        let reply_to = ReplyTo::of(&request);
        Delivery { session: Arc::clone(self), request, original, receipt: Some(receipt), reply_to }
    }

    /// Whether it is known at once where this address leads.
    pub(super) fn knows(&self, address: &ReplyTo) -> bool {
        self.reply_nodes.knows(address)
    }

    /// The way aside, for one request at a time.
    pub(super) fn aside(&self) -> MutexGuard<'_, OffThread<SetAside>> {
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request as taken; says whether it may be run, else it must be given back.
    ///
    /// While the broker takes no messages this waits, since there could be no reply.
    pub(super) fn begin(&self) -> bool {
        self.running.fetch_add(1, Ordering::SeqCst);
        self.gate.pass();
        self.serving.load(Ordering::SeqCst)
    }

    /// Publishes a reply on the channel of this worker.
    ///
    /// # Errors
    /// This reply cannot be sent, for the reason given. If none can be any more, the session is lost.
    pub(super) fn reply(
        &self,
        worker: usize,
        address: &ReplyTo,
        correlation_id: Option<String>,
        reply: &EncodedReply,
    ) -> Result<(), String> {
        if !self.reply_nodes.accepts(address, &self.beside) {
            // As good as a caller who has left, and as much as can be known of one.
            debug!(correlation_id, "not replied: the broker does not know the node of the caller");
            return Ok(());
        }
        let channel = self.replies[worker].lock().unwrap_or_else(PoisonError::into_inner);
        channel.publish_reply(address, correlation_id, reply).unwrap_or_else(|error| {
            self.report_lost(Failure::from(&error));
            Err(error.to_string())
        })
    }

    /// Says so if an error means that the way aside is gone: a new session has another.
    pub(super) fn report_if_lost(&self, error: &Error) {
        if error.kind() == ErrorKind::Unreachable {
            self.report_lost(Failure::channel(error.to_string()));
        }
    }

    /// Whether it is over without a drain.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::SeqCst)
    }

    /// Whether the broker takes no messages at the moment.
    pub(super) fn is_blocked(&self) -> bool {
        self.gate.is_closed()
    }

    /// Counts a request as given back.
    pub(super) fn count_given_back(&self) {
        self.given_back.fetch_add(1, Ordering::SeqCst);
    }

    /// Passes the verdict on a delivery; it is settled within a few milliseconds.
    pub(super) fn finish(&self, receipt: Receipt, verdict: Verdict) {
        // The keeper of a session that is lost listens no more, and the broker will deliver the request again.
        let _ = self.reports.send(Report::Finished(receipt, verdict));
        if self.unsettled.fetch_add(1, Ordering::SeqCst) + 1 == self.batch {
            let _ = self.wake.try_send(());
        }
        self.keep_ticking();
    }

    /// Acknowledges a delivery and waits until the broker knows; says whether it does.
    ///
    /// The request still counts as taken, until [`leave`](Session::leave).
    pub(super) fn settle_now(&self, receipt: Receipt) -> bool {
        // Counted once more by the keeper, like everything that is finished.
        self.running.fetch_add(1, Ordering::SeqCst);
        self.finish(receipt, Verdict::Ack);
        self.settle_all()
    }

    /// Waits until the broker knows of all verdicts that have been passed; says whether it does.
    ///
    /// The verdict on what is being put aside at the moment is among them.
    pub(super) fn settle_all(&self) -> bool {
        drop(self.aside());
        let (settled, known) = bounded(1);
        let _ = self.reports.send(Report::Settle(settled));
        let _ = self.wake.try_send(());
        known.recv().is_ok()
    }

    /// Counts a request as done that was settled before.
    pub(super) fn leave(&self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
        // A drain may be waiting for just this.
        let _ = self.wake.try_send(());
    }

    /// How many requests workers have taken and not finished.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// Makes sure that the keeper looks after whoever leads.
    pub(super) fn keep_ticking(&self) {
        if !self.ticking.load(Ordering::SeqCst) {
            let _ = self.wake.try_send(());
        }
    }

    /// Says that a consumer, a channel or a connection is gone; the session ends.
    pub(super) fn report_lost(&self, loss: Failure) {
        if loss.scope == Scope::Connection || self.serving.load(Ordering::SeqCst) {
            self.is_lost.store(true, Ordering::SeqCst);
        }
        // In a drain the end of a consumer is what was asked for, and the keeper notices a real loss by itself.
        if self.stop_serving() {
            let _ = self.lost.send(loss);
        }
    }

    /// Has workers begin nothing more; says whether they might have until now.
    fn stop_serving(&self) -> bool {
        let served = self.serving.swap(false, Ordering::SeqCst);
        self.gate.open();
        served
    }
}
