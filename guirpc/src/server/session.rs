//! One generation of a server's connections: what the workers share with the thread that keeps it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crossbeam_channel::{Receiver, Sender, after, bounded, select, unbounded};

use super::Plan;
use super::crew::Crew;
use super::drain::Drained;
use super::settling::Verdict;
use super::stop::Stopped;
use crate::broker::{self, Channel, Connection, Event, Inbox, OffThread, Receipt, ReplyTo};
use crate::error::{Error, ErrorKind};
use crate::message::EncodedReply;

mod keeper;

/// A consuming and a replying connection: when either dies, both are given up and nothing more is acknowledged.
///
/// They are two because a broker that is short of memory stops reading from connections that publish:
/// acknowledgements must still get through then.
pub(super) struct Session {
    inboxes: Vec<Inbox>,
    /// One for each worker, so that no lock is ever waited for.
    replies: Vec<Mutex<OffThread<Channel>>>,
    serving: AtomicBool,
    /// Requests that a worker has taken and not finished.
    running: AtomicUsize,
    finished: Sender<Finished>,
    /// Finished and not yet settled; at `batch` the keeper is woken, else its tick will do.
    unsettled: AtomicUsize,
    batch: usize,
    /// Whether the keeper ticks; while it does not, it must be woken.
    ticking: AtomicBool,
    wake: Sender<()>,
    lost: Sender<String>,
}

/// A delivery that a worker is through with.
struct Finished {
    receipt: Receipt,
    verdict: Verdict,
    /// Told when the broker knows.
    settled: Option<Sender<()>>,
}

/// What the keeper hears from the workers.
struct Reports {
    finished: Receiver<Finished>,
    wake: Receiver<()>,
    lost: Receiver<String>,
}

/// How a session ended.
pub(super) enum End {
    Drained(Drained),
    Lost(String),
}

impl Session {
    /// Opens a session on a thread of its own, which keeps it until it ends and says so.
    ///
    /// That thread is given up afterwards: closing what is broken may take as long as it likes.
    pub(super) fn open(
        plan: &Arc<Plan>,
        crew: &Arc<Crew<Session>>,
        stopped: &Stopped,
    ) -> Result<(Arc<Self>, Receiver<End>), Error> {
        let (opened, session) = bounded(1);
        let (ended, end) = bounded(1);
        let address = &plan.address;
        let (plan, crew, stopped, heard) = (Arc::clone(plan), Arc::clone(crew), stopped.clone(), stopped);
        thread::Builder::new()
            .name("guirpc-session".to_owned())
            .spawn(move || {
                if let Err(error) = keeper::run(&plan, &crew, &stopped, &opened, &ended) {
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
            recv(heard) -> _ => Err(unreachable("stopped while the session was opened")),
            recv(after(broker::OPEN_TIMEOUT)) -> _ => Err(broker::no_answer(address)),
        }
    }

    fn new(plan: &Plan, replying: &mut Connection, inboxes: Vec<Inbox>) -> Result<(Arc<Self>, Reports), Error> {
        let replies = (0..plan.workers)
            .map(|_| replying.open_channel().map(|channel| Mutex::new(OffThread::new(channel))))
            .collect::<Result<_, _>>()?;
        let (finished, finished_reports) = unbounded();
        let (wake, wake_reports) = bounded(1);
        let (lost, lost_reports) = unbounded();
        let session = Session {
            inboxes,
            replies,
            serving: AtomicBool::new(true),
            running: AtomicUsize::new(0),
            finished,
            unsettled: AtomicUsize::new(0),
            batch: usize::from(plan.prefetch).div_ceil(2),
            // A leader from the session before may be held up at this very moment.
            ticking: AtomicBool::new(true),
            wake,
            lost,
        };
        let reports = Reports { finished: finished_reports, wake: wake_reports, lost: lost_reports };
        Ok((Arc::new(session), reports))
    }

    /// Waits for something to do, and says for which service it is.
    pub(super) fn next(&self) -> (usize, Event) {
        Inbox::next(&self.inboxes)
    }

    /// Counts a request as taken; says whether it may be run, else it must be given back.
    pub(super) fn begin(&self) -> bool {
        self.running.fetch_add(1, Ordering::SeqCst);
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
        let channel = self.replies[worker].lock().unwrap_or_else(PoisonError::into_inner);
        channel.publish_reply(address, correlation_id, reply).unwrap_or_else(|error| {
            self.report_lost(&error.to_string());
            Err(error.to_string())
        })
    }

    /// Passes the verdict on a delivery; it is settled within a few milliseconds.
    pub(super) fn finish(&self, receipt: Receipt, verdict: Verdict) {
        // The keeper of a session that is lost listens no more, and the broker will deliver the request again.
        let _ = self.finished.send(Finished { receipt, verdict, settled: None });
        if self.unsettled.fetch_add(1, Ordering::SeqCst) + 1 == self.batch {
            let _ = self.wake.try_send(());
        }
        self.keep_ticking();
    }

    /// Acknowledges a delivery and waits until the broker knows; says whether it does.
    ///
    /// The request still counts as taken, until [`leave`](Session::leave).
    pub(super) fn settle_now(&self, receipt: Receipt) -> bool {
        let (settled, known) = bounded(1);
        let _ = self.finished.send(Finished { receipt, verdict: Verdict::Ack, settled: Some(settled) });
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

    /// Says that a connection is gone; the session ends.
    pub(super) fn report_lost(&self, reason: &str) {
        // In a drain the end of a consumer is what was asked for, and the keeper notices a real loss by itself.
        if self.serving.swap(false, Ordering::SeqCst) {
            let _ = self.lost.send(reason.to_owned());
        }
    }
}
