//! From connections to a session, and how it ends: the thread from its first to its last step.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, after, bounded, select, unbounded};

use super::super::acks::AckBatcher;
use super::super::journal::Journal;
use super::super::plan::Plan;
use super::super::queues::QueueRole;
use super::super::reports::Reporter;
use super::super::republisher;
use super::super::session::Session;
use super::super::shutdown_report::ShutdownReport;
use super::{ConsumerLoop, Lost, Memory, SessionContext};
use crate::broker::{self, Channel, Connection, Consumer, Failure, Inbox, RepublishOpener, Scope};
use crate::error::{Error, ErrorKind};
use crate::health::ConnectionStatus;

/// For the broker to close a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The connections of a session.
pub(in crate::server) struct Connections {
    consuming: Connection,
    replying: Connection,
}

/// How a session ended.
#[allow(clippy::large_enum_variant, reason = "there is one for a whole session")]
pub(in crate::server) enum End {
    ShutDown(ShutdownReport),
    /// For this reason; the connections may be good for another session.
    Lost(String, Option<Connections>),
}

/// Opens a session on a thread of its own, which keeps it until it ends and says so.
///
/// That thread is given up afterwards: closing what is broken may take as long as it likes.
pub(in crate::server) fn open(
    context: &Arc<SessionContext>,
    connections: Option<Connections>,
) -> Result<(Arc<Session>, Receiver<End>), Error> {
    // A session that opens after it was given up finds no receiver, and ends.
    let (opened, session) = bounded(0);
    let (ended, end) = bounded(1);
    let kept = Arc::clone(context);
    thread::Builder::new()
        .name("guirpc-consumer".to_owned())
        .spawn(move || {
            if let Err(error) = run(&kept, connections, &opened, &ended) {
                let _ = opened.send(Err(error));
            }
        })
        .map_err(|error| Error::new(ErrorKind::System, format!("no thread for a session: {error}")))?;
    // Past the handshake amiquip knows no timeouts.
    select! {
        recv(session) -> opened => {
            let lost = "the connection was lost while the session was opened";
            Ok((opened.map_err(|_| Error::new(ErrorKind::Unreachable, lost))??, end))
        }
        recv(context.stopped) -> _ => {
            Err(Error::new(ErrorKind::Stopped, "the server was shut down while it connected to the broker"))
        }
        recv(after(broker::OPEN_TIMEOUT)) -> _ => Err(broker::no_answer(&context.plan.address)),
    }
}

/// Opens a session, on these connections if there are any, tells about it, keeps it until it ends, and tells about that.
///
/// # Errors
/// The session could not be opened.
fn run(
    context: &SessionContext,
    connections: Option<Connections>,
    opened: &Sender<Result<Arc<Session>, Error>>,
    ended: &Sender<End>,
) -> Result<(), Error> {
    let plan = &context.plan;
    let Connections { mut consuming, replying } = connections.map_or_else(|| connect(plan), Ok)?;
    plan.reply_nodes.forget();
    let channel = consuming.open_channel()?;
    let (consumers, consumed) = consume(&channel, plan)?;
    let (reporter, reports) = Reporter::new();
    let jobs = republisher::start(plan, RepublishOpener::on(&replying), reporter.clone())?;
    let (alarmed, alarms) = unbounded();
    let mut memory = take_memory(context);
    memory.collect();
    let is_after_loss = memory.journal.has_past(Instant::now());
    let session = Arc::new(Session::new(plan, &replying, consumed, (reporter, alarmed), is_after_loss)?);
    let mut kept = ConsumerLoop {
        session: Arc::clone(&session),
        context,
        channel: &channel,
        consumers: &consumers,
        consuming: &consuming,
        replying: &replying,
        reports,
        alarms,
        acks: AckBatcher::default(),
        memory,
        parked: Vec::new(),
        waiting: Vec::new(),
        due: None,
        jobs,
        next_job: 0,
        open_jobs: BTreeMap::new(),
        held: Vec::new(),
        is_blocked: false,
        requeued: 0,
        ticks: 0,
        idle_ticks: 0,
        last_turn: None,
    };
    if opened.send(Ok(session)).is_err() {
        put_memory(context, kept.memory);
        return Ok(());
    }
    context.status.set(ConnectionStatus::Connected);
    let end = kept.serve().and_then(|()| kept.shut_down());
    kept.session.end(end.is_err());
    if matches!(end, Err(Lost(Failure { scope: Scope::Channel, .. }))) {
        // What has been done by now need not be done again.
        let _ = kept.acknowledge();
    }
    let ConsumerLoop { is_blocked, reports, mut memory, jobs, .. } = kept;
    memory.session_lost(reports.all, Instant::now());
    put_memory(context, memory);
    drop(jobs);
    match end {
        Ok(report) => {
            drop(consumers);
            drop(channel);
            // Whoever waits for the end may end the process; everything that matters has been confirmed by now.
            if is_blocked {
                // It would not be answered before the alarm is over.
                drop(replying);
            } else {
                let _ = replying.close(CLOSE_TIMEOUT);
            }
            let _ = consuming.close(CLOSE_TIMEOUT);
            let _ = ended.send(End::ShutDown(report));
        }
        Err(Lost(Failure { scope: Scope::Channel, reason })) => {
            drop(consumers);
            drop(channel);
            let _ = ended.send(End::Lost(reason, Some(Connections { consuming, replying })));
        }
        // The connections are dropped after this, by this thread, in its own time.
        Err(Lost(Failure { scope: Scope::Connection, reason })) => drop(ended.send(End::Lost(reason, None))),
    }
    Ok(())
}

fn connect(plan: &Plan) -> Result<Connections, Error> {
    let lane = plan.lane.as_ref().map_or_else(String::new, |lane| format!(", lane {lane}"));
    let consuming = Connection::open(&plan.address, &format!("server, consuming{lane}"))?;
    let replying = consuming.open_beside(&format!("server, replying{lane}"))?;
    Ok(Connections { consuming, replying })
}

/// What a consumed queue is for, and where its deliveries arrive.
type Consumed = ((usize, QueueRole), Inbox);

/// Declares the queues of all services and starts to consume.
fn consume<'a>(channel: &'a Channel, plan: &Plan) -> Result<(Vec<Consumer<'a>>, Vec<Consumed>), Error> {
    for served in &plan.services {
        channel.declare_service(&plan.exchange, &served.routing_key, &served.queue, plan.queue_kind)?;
    }
    let queues = plan.consumed();
    for queue in &queues {
        if let Some(kind) = queue.kind {
            channel.declare_queue(queue.queue, kind)?;
        }
    }
    let mut consumed = Vec::new();
    let mut consumers = Vec::new();
    for queue in &queues {
        channel.set_prefetch(queue.prefetch)?;
        let (own, inbox) = channel.consume(queue.queue)?;
        consumers.push(own);
        consumed.push(((queue.service, queue.role), inbox));
    }
    Ok((consumers, consumed))
}

fn take_memory(context: &SessionContext) -> Memory {
    let mut memory = context.memory.lock().unwrap_or_else(PoisonError::into_inner);
    mem::replace(&mut memory, Memory::new(Journal::new(0, 0)))
}

fn put_memory(context: &SessionContext, memory: Memory) {
    *context.memory.lock().unwrap_or_else(PoisonError::into_inner) = memory;
}
