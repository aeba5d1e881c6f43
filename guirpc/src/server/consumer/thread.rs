//! From connections to a session, and how it ends: the thread from its first to its last step.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, after, bounded, select, unbounded};

use super::super::acks::AckBatcher;
use super::super::journal::Journal;
use super::super::overdue::Overdue;
use super::super::plan::{Consumed, Plan};
use super::super::queues::{CallsQueue, Queue, QueueRole};
use super::super::reply_sizes::ReplySizes;
use super::super::reports::Reporter;
use super::super::republisher;
use super::super::session::{ConsumedInbox, Session, open_replies};
use super::super::shutdown_report::ShutdownReport;
use super::super::topology_watch::TopologyWatch;
use super::{Coalesced, ConsumerLoop, Lost, Memory, SessionContext};
use crate::broker::{
    self, Attempt, BlockedNote, Channel, Checked, Connection, Consumer, Failure, MessageSizes, Presence, PublishCheck,
    PublishChecker, RepublishOpener, Scope, TakenAsItIs, Topology, TrialAccess,
};
use crate::error::{Error, ErrorKind};
use crate::log::{in_same_lane, info, warn};

/// For the broker to close a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// On the connection for replies: one for them, one to republish, and one to try and to declare things.
const FEWEST_CHANNELS: u16 = 3;

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
    Lost {
        reason: String,
        connections: Option<Connections>,
        /// How many requests it had put back in their queue.
        requeued: usize,
    },
}

/// A session from outside of its thread.
pub(in crate::server) struct OpenSession {
    pub(in crate::server) session: Arc<Session>,
    pub(in crate::server) end: Receiver<End>,
    /// Given up when the session does not end in time.
    pub(in crate::server) attempt: Attempt,
}

/// Opens a session on a thread of its own, which keeps it until it ends and says so.
pub(in crate::server) fn open(
    context: &Arc<SessionContext>,
    connections: Option<Connections>,
) -> Result<OpenSession, Error> {
    let attempt = Attempt::default();
    let opened = open_in(&attempt, context, connections);
    if opened.is_err() {
        attempt.give_up();
    }
    opened
}

fn open_in(
    attempt: &Attempt,
    context: &Arc<SessionContext>,
    connections: Option<Connections>,
) -> Result<OpenSession, Error> {
    // A session that opens after it was given up finds no receiver, and ends.
    let (opened, session) = bounded(0);
    let (ended, end) = bounded(1);
    let (kept, held) = (Arc::clone(context), attempt.clone());
    thread::Builder::new()
        .name("guirpc-consumer".to_owned())
        .spawn(in_same_lane(move || {
            if let Err(error) = run(&kept, &held, connections, &opened, &ended) {
                let _ = opened.send(Err(error));
            }
        }))
        .map_err(|error| Error::no_thread("for a session", error))?;
    // Past the handshake amiquip knows no timeouts.
    select! {
        recv(session) -> opened => {
            let lost = "the connection was lost while the session was opened";
            let session = opened.map_err(|_| Error::new(ErrorKind::Unreachable, lost))??;
            Ok(OpenSession { session, end, attempt: attempt.clone() })
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
    attempt: &Attempt,
    connections: Option<Connections>,
    opened: &Sender<Result<Arc<Session>, Error>>,
    ended: &Sender<End>,
) -> Result<(), Error> {
    let plan = &context.plan;
    let Connections { mut consuming, replying } = connections.map_or_else(|| connect(plan), Ok)?;
    attempt.hold(consuming.socket());
    attempt.hold(replying.socket());
    plan.reply_nodes.forget();
    check_channels(&replying)?;
    let replies = open_replies(plan, &replying)?;
    let (sizes, alarm) = check_replies(plan, &replying)?;
    let (channel, without_calls, taken) = declare(&mut consuming, plan)?;
    let (consumers, consumed) =
        consume(&channel, plan, &without_calls, taken.is_none()).map_err(|error| undeclared(error, taken.as_ref()))?;
    let watch = TopologyWatch::start(plan, &consuming)?;
    let control = context.control.as_ref().filter(|_| replying.limits().channels > FEWEST_CHANNELS);
    let control = control.and_then(|control| control.start(&replying));
    let mut acks = AckBatcher::default();
    consumed.settled.iter().for_each(|tag| acks.settled(*tag));
    let (reporter, reports) = Reporter::new();
    let jobs = republisher::start(plan, RepublishOpener::on(&replying), reporter.clone())?;
    let (alarmed, alarms) = unbounded();
    let mut memory = take_memory(context);
    memory.collect();
    let is_after_loss = memory.journal.has_past(Instant::now());
    let sizes = ReplySizes::new(PublishChecker::on(&replying), sizes);
    let trials = TrialAccess { beside: replying.beside(), alarms: alarmed };
    let session = Arc::new(Session::new(plan, trials, (replies, sizes), consumed.inboxes, reporter, is_after_loss));
    let mut kept = ConsumerLoop {
        session: Arc::clone(&session),
        context,
        attempt,
        channel: &channel,
        consumers: &consumers,
        consuming: &consuming,
        replying: &replying,
        reports,
        alarms,
        acks,
        coalesced: Coalesced::default(),
        memory,
        parked: Vec::new(),
        waiting: Vec::new(),
        due: None,
        jobs,
        next_job: 0,
        open_jobs: BTreeMap::new(),
        held: Vec::new(),
        is_blocked: false,
        is_barrier_reached: false,
        requeued: 0,
        ticks: 0,
        idle_ticks: 0,
        last_turn: None,
        overdue: Overdue::new(context.ack_timeout.get()),
    };
    if opened.send(Ok(session)).is_err() {
        put_memory(context, kept.memory);
        return Ok(());
    }
    context.status.connected();
    if let Some(note) = alarm {
        kept.blocked(note);
    }
    let end = kept.serve().and_then(|()| kept.shut_down());
    kept.end_session(end.is_err());
    if let Err(Lost(Failure { scope: Scope::Channel, reason })) = &end {
        context.ack_timeout.learn(reason);
        // What has been done by now need not be done again.
        let _ = attempt.within(CLOSE_TIMEOUT, || kept.acknowledge());
    }
    let ConsumerLoop { session, is_blocked, reports, mut memory, jobs, waiting, due, requeued, .. } = kept;
    let waiting = waiting.into_iter().chain(due.into_iter().flat_map(|due| due.waiting));
    let unbegun = waiting.filter_map(|(ready, _)| ready.into_unbegun());
    let unbegun = unbegun.chain(session.take_acknowledged()).chain(context.take_waiting(&session, true));
    memory.session_lost(reports.all, unbegun, Instant::now());
    put_memory(context, memory);
    drop(jobs);
    drop(watch);
    drop(control);
    // Both ask the broker, which may answer nothing any more.
    attempt.within(CLOSE_TIMEOUT, || drop(consumers));
    attempt.within(CLOSE_TIMEOUT, || drop(channel));
    match end {
        Ok(report) => {
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
            let connections = Some(Connections { consuming, replying });
            let _ = ended.send(End::Lost { reason, connections, requeued });
        }
        // The connections are dropped after this, by this thread, in its own time.
        Err(Lost(failure @ Failure { scope: Scope::Connection, .. })) => {
            let known = Some(failure.reason.clone()).filter(|_| failure != Failure::silent());
            let reason = known.or_else(|| consuming.reason()).or_else(|| replying.reason()).unwrap_or(failure.reason);
            let _ = ended.send(End::Lost { reason, connections: None, requeued });
        }
    }
    Ok(())
}

fn connect(plan: &Plan) -> Result<Connections, Error> {
    let lane = plan.lane.as_ref().map_or_else(String::new, |lane| format!(", lane {lane}"));
    let consuming = Connection::open(&plan.address, &plan.owner(), &format!("server, consuming{lane}"))?;
    consuming.limit_bodies(&plan.body_limit);
    let replying = consuming.open_beside(&format!("server, replying{lane}"))?;
    Ok(Connections { consuming, replying })
}

fn check_channels(replying: &Connection) -> Result<(), Error> {
    if replying.limits().channels < FEWEST_CHANNELS {
        let message = format!(
            "the broker allows {} channels on a connection, a server needs {FEWEST_CHANNELS}: raise its `channel_max`",
            replying.limits().channels
        );
        return Err(Error::new(ErrorKind::Denied, message));
    }
    Ok(())
}

/// Tries whether replies can be sent: without that nothing could be served.
///
/// The node of the broker is one that callers may be on: those on a broker of one node wait for no trial.
/// While the broker takes no messages there is no telling; then gives what it said.
fn check_replies(plan: &Plan, replying: &Connection) -> Result<(MessageSizes, Option<BlockedNote>), Error> {
    let (told, answer) = bounded(1);
    let (checker, own_node) = (PublishChecker::on(replying), broker::own_node(replying));
    let nodes = Arc::clone(&plan.reply_nodes);
    let check = move || {
        let outcome = checker.check(&PublishCheck::of_reply(0));
        if outcome.presence == Presence::Present
            && let Some(node) = own_node()
        {
            nodes.accept(node);
        }
        told.send(outcome)
    };
    thread::Builder::new()
        .name("guirpc-check".to_owned())
        .spawn(check)
        .map_err(|error| Error::no_thread("to try replies", error))?;
    select! {
        recv(answer) -> answer => match answer.unwrap_or_else(|_| Checked::unanswered()) {
            Checked { presence: Presence::Denied(why), .. } => {
                Err(Error::new(ErrorKind::Denied, format!("no reply could be sent: {why}")))
            }
            Checked { sizes, .. } => Ok((sizes, None)),
        },
        recv(replying.blocked()) -> note => Ok((MessageSizes::default(), note.ok())),
    }
}

/// An error, and why what it is about was not declared.
fn undeclared(error: Error, taken: Option<&TakenAsItIs>) -> Error {
    let Some(TakenAsItIs { refusal, .. }) = taken else { return error };
    let message = format!("{error}; to declare it: {refusal}");
    error.with_message(message)
}

/// What is consumed, beside the consumers themselves.
#[derive(Default)]
struct ConsumedQueues {
    inboxes: Vec<ConsumedInbox>,
    /// Delivery tags that need nothing any more.
    settled: Vec<u64>,
}

/// Declares the exchange and the queues of all services; says which services have no queue for calls that come together.
fn declare(consuming: &mut Connection, plan: &Plan) -> Result<(Channel, BTreeSet<usize>, Option<TakenAsItIs>), Error> {
    let mut topology = Topology::open(consuming)?;
    for served in &plan.services {
        topology.declare_service(&plan.exchange, &served.routing_key, &served.queue, plan.queue_kind)?;
    }
    for queue in plan.consumed().iter().filter(|queue| queue.role != QueueRole::Calls) {
        if let Some(kind) = queue.kind {
            topology.declare_queue(queue.queue, kind)?;
        }
    }
    let mut without_calls = BTreeSet::new();
    for (service, served) in plan.services.iter().enumerate() {
        let Some(CallsQueue { queue: Queue { name, kind }, routing_key }) = &served.calls else { continue };
        if !topology.declare_optional(&plan.exchange, routing_key, name, *kind)? {
            info!("{} does not permit to declare queue `{name}`: no calls come together in one message", plan.address);
            without_calls.insert(service);
        }
    }
    let (channel, taken) = topology.done();
    if let Some(TakenAsItIs { names, .. }) = &taken {
        info!("{} does not permit to declare {names}: taken as they are", plan.address);
    }
    Ok((channel, without_calls, taken))
}

/// Starts to consume; looks before that whether marks are to be trusted, unless the queues are somebody else's.
fn consume<'a>(
    channel: &'a Channel,
    plan: &Plan,
    without_calls: &BTreeSet<usize>,
    are_ours: bool,
) -> Result<(Vec<Consumer<'a>>, ConsumedQueues), Error> {
    let queues = plan.consumed();
    let is_there = |queue: &&Consumed<'_>| queue.role != QueueRole::Calls || !without_calls.contains(&queue.service);
    let mut consumed = ConsumedQueues::default();
    let mut consumers = Vec::new();
    for queue in queues.iter().filter(is_there) {
        let source = plan.source(queue);
        let mut unmarked = 0;
        if are_ours && source.needs_marks(plan) {
            let head = channel.check_marks(queue.queue)?;
            consumed.settled.extend(head.settled);
            consumed.inboxes.extend(head.first.map(|inbox| ConsumedInbox::new(source, inbox, 0)));
            unmarked = head.unmarked;
        }
        if unmarked > 0 {
            warn_of_missing_marks(queue.queue, unmarked);
        }
        channel.set_prefetch(queue.prefetch)?;
        let (own, inbox) = channel.consume(queue.queue)?;
        consumers.push(own);
        consumed.inboxes.push(ConsumedInbox::new(source, inbox, unmarked));
    }
    Ok((consumers, consumed))
}

fn warn_of_missing_marks(queue: &str, waiting: u64) {
    warn!(
        "the broker does not mark any more what it delivers again from queue `{queue}`, which has lost transient messages \
         in a restart: the {waiting} requests that wait count as if each had begun; to mend that, stop the servers when \
         the queue is empty, remove it (`rabbitmqctl delete_queue {queue}`) and start them again"
    );
}

fn take_memory(context: &SessionContext) -> Memory {
    mem::replace(&mut *context.memory(), Memory::new(Journal::new(0, 0)))
}

fn put_memory(context: &SessionContext, memory: Memory) {
    *context.memory() = memory;
}
