//! What a server does in one lane, checked: nothing in it can be wrong any more.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::caller_contracts::CallerContracts;
use super::delivery::Delivery;
use super::queues::{CallsQueue, FailureQueues, Queue, QueueRole};
use crate::broker::{Addresses, BodyLimit, Exchange, QueueKind, ReplyNodes};
use crate::config::QueueType;
use crate::dispatch::Dispatcher;
use crate::message::{EncodedReply, Request};
use crate::registry::Ack;
use crate::statistics::{Coalesced, ServiceStatistics};
use crate::trace;

/// So many services are named on a connection.
const MOST_NAMES: usize = 3;
/// Instead of so many requests that come singly, one message of calls is fetched ahead.
pub(super) const REQUESTS_PER_MESSAGE: u16 = 64;

/// One lane: a server within the server, with connections, queues and workers of its own, so that none holds up another.
pub(crate) struct Plan {
    /// `None` for the functions that name no lane.
    pub(crate) lane: Option<String>,
    pub(crate) address: Addresses,
    pub(crate) services: Vec<LaneService>,
    pub(crate) exchange: Exchange,
    pub(crate) queue_kind: QueueKind,
    pub(crate) workers: usize,
    /// How many `async` functions are under way at once; 0 if none of its functions is one.
    pub(crate) concurrency: usize,
    pub(crate) prefetch: u16,
    /// How long to wait for a broker that is not there, at the start.
    pub(crate) wait: Duration,
    pub(crate) drain: Duration,
    /// How many bytes of answers are kept for what may be delivered again.
    pub(crate) reply_cache: usize,
    pub(crate) reply_nodes: Arc<ReplyNodes>,
    /// How many bytes the body of a request may have.
    pub(crate) body_limit: BodyLimit,
    /// Messages that held several calls.
    pub(super) coalesced_calls: Coalesced,
    /// Messages that held several replies.
    pub(super) coalesced_replies: Arc<Coalesced>,
}

/// One service of a [`Plan`].
pub(crate) struct LaneService {
    pub(crate) dispatcher: Arc<Dispatcher>,
    /// What its queue is bound with: its own name, unless it is served apart from others or by configuration.
    pub(crate) routing_key: String,
    pub(crate) queue: String,
    /// `None` if calls come singly.
    pub(super) calls: Option<CallsQueue>,
    /// `None` if what fails is not kept: where the queue ends with its connection.
    pub(super) failure_queues: Option<FailureQueues>,
    pub(super) statistics: ServiceStatistics,
    /// Where callers of other contracts are logged.
    pub(super) caller_contracts: Option<CallerContracts>,
}

impl LaneService {
    /// Whether a request is acknowledged before its function runs.
    pub(super) fn is_early(&self, request: &Request) -> bool {
        self.dispatcher.function(request).is_some_and(|function| function.ack == Ack::Early)
    }

    /// How often a function begins on one message; `None` if nothing is counted.
    pub(super) fn max_deliveries(&self) -> Option<u32> {
        self.failure_queues.as_ref().map(|queues| queues.max_deliveries)
    }

    /// Whether servers publish into this queue what they have counted; else a count there is the caller's invention.
    fn has_counted(&self, role: QueueRole) -> bool {
        match role {
            QueueRole::Own => self.failure_queues.as_ref().is_some_and(|queues| queues.retry.is_none()),
            QueueRole::Calls => false,
            QueueRole::Retry | QueueRole::Quarantine => true,
        }
    }

    /// The queue of this role; `None` if it is the service's own.
    pub(super) fn queue_of(&self, role: QueueRole) -> Option<&Queue> {
        let failure_queues = self.failure_queues.as_ref();
        match role {
            QueueRole::Own => None,
            QueueRole::Calls => self.calls.as_ref().map(|calls| &calls.queue),
            QueueRole::Retry => failure_queues?.retry.as_ref(),
            QueueRole::Quarantine => failure_queues?.quarantine.as_ref(),
        }
    }
}

impl Plan {
    /// The queues to consume from, and how much is fetched from each: what comes again goes first.
    pub(super) fn consumed(&self) -> Vec<Consumed<'_>> {
        let beside = |role: QueueRole, prefetch: u16| {
            self.services.iter().enumerate().filter_map(move |(service, served)| {
                let queue = served.queue_of(role)?;
                Some(Consumed { service, role, prefetch, queue: &queue.name, kind: Some(queue.kind) })
            })
        };
        let own = self.services.iter().enumerate().map(|(service, served)| Consumed {
            service,
            role: QueueRole::Own,
            prefetch: self.prefetch,
            queue: &served.queue,
            kind: None,
        });
        let workers = u16::try_from(self.workers).unwrap_or(u16::MAX);
        let calls = beside(QueueRole::Calls, self.prefetched_messages());
        beside(QueueRole::Quarantine, 1).chain(beside(QueueRole::Retry, workers)).chain(own).chain(calls).collect()
    }

    /// How many messages of calls are fetched ahead, so that what that is in calls is bounded, too.
    pub(super) fn prefetched_messages(&self) -> u16 {
        (self.prefetch / REQUESTS_PER_MESSAGE).max(1)
    }

    /// How many threads send replies: beside the workers there is one that does so for `async` functions.
    pub(super) fn repliers(&self) -> usize {
        self.workers + usize::from(self.concurrency > 0)
    }

    /// Whose its connections are: what is served, as an operator sees it.
    pub(super) fn owner(&self) -> String {
        let mut names: Vec<&str> = self.services.iter().map(|served| &*served.dispatcher.service().name).collect();
        let more = names.len().saturating_sub(MOST_NAMES);
        names.truncate(MOST_NAMES);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!("{}{more}", names.join(", "))
    }

    /// Where a request was taken off, as its span says it.
    pub(super) fn traced(&self, delivery: &Delivery) -> trace::Source<'_> {
        let served = &self.services[delivery.service];
        let role = if delivery.is_coalesced() { QueueRole::Calls } else { delivery.queue };
        trace::Source {
            exchange: &self.exchange.name,
            routing_key: &served.routing_key,
            queue: served.queue_of(role).map_or(&*served.queue, |queue| &*queue.name),
            broker: self.address.server(),
            lane: self.lane.as_deref(),
        }
    }

    /// Notes in a trace that a request is answered by what was answered before.
    pub(super) fn trace_from_cache(&self, delivery: &Delivery, reply: &EncodedReply) {
        let dispatcher = &self.services[delivery.service].dispatcher;
        dispatcher.span(Some(&self.traced(delivery)), &delivery.request, SystemTime::now()).end_from_cache(reply);
    }

    /// Where the requests come from that are consumed there.
    pub(super) fn source(&self, consumed: &Consumed<'_>) -> Source {
        let Consumed { service, role, .. } = *consumed;
        Source { service, role, has_counted: self.services[service].has_counted(role) }
    }

    /// How many requests the broker may have delivered and not seen acknowledged.
    pub(super) fn most_unacknowledged(&self) -> usize {
        self.consumed().iter().map(|consumed| usize::from(consumed.prefetch)).sum()
    }
}

/// Where a request came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) service: usize,
    pub(super) role: QueueRole,
    /// Whether the count in the header of a request is a server's.
    pub(super) has_counted: bool,
}

impl Source {
    /// Whether it is to be found out if the broker marks there what it delivers again: where that is counted, and the broker
    /// does not count by itself.
    pub(super) fn needs_marks(&self, plan: &Plan) -> bool {
        let is_counted = plan.services[self.service].failure_queues.is_some();
        matches!(self.role, QueueRole::Own | QueueRole::Calls)
            && is_counted
            && plan.queue_kind.queue_type == QueueType::Classic
    }
}

/// A queue that is consumed from.
pub(super) struct Consumed<'a> {
    pub(super) service: usize,
    pub(super) role: QueueRole,
    pub(super) prefetch: u16,
    pub(super) queue: &'a str,
    /// How it is declared, if it is not the service's own.
    pub(super) kind: Option<QueueKind>,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("lane", &self.lane)
            .field("address", &self.address)
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}
