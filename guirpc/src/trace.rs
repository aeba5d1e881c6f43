//! Traces: the spans of calls and of runs, and what goes on from a call to the calls that its function makes.
//!
//! Here alone spans are made and their attributes named, as OpenTelemetry has them: its conventions for RPC (v1.44), and
//! those for messaging and for functions beside them. They are spans of `tracing`, whoever subscribes to these; where
//! nobody does they cost nothing. None holds an argument, a header's value, a credential, or anything of a stranger's but
//! ids, and unknown functions have one name.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use tracing::Level;
use tracing::Span;
use tracing::field::Empty;

use crate::log::Field;
use crate::message::{EncodedReply, Headers, PING, Request, UNKNOWN_FUNCTION, status};

#[cfg(feature = "otel")]
mod otel;
#[cfg(not(feature = "otel"))]
#[path = "trace/otel/none.rs"]
mod otel;
mod propagation;
#[cfg(test)]
mod tests;

pub(crate) use propagation::TraceContext;

/// What all spans have as their target, so that a filter can name them.
pub(crate) const TARGET: &str = "guirpc::trace";

const SYSTEM: &str = "guirpc";
const BROKER: &str = "rabbitmq";
const TRIGGER: &str = "pubsub";

/// A host and a port.
pub(crate) type ServerAddress<'a> = (&'a str, u16);

/// What is called, and by which way.
pub(crate) struct Called<'a> {
    pub(crate) service: &'a str,
    /// Empty for a message that names none.
    pub(crate) function: &'a str,
    pub(crate) exchange: &'a str,
    pub(crate) routing_key: &'a str,
    pub(crate) broker: ServerAddress<'a>,
    pub(crate) bytes: usize,
    /// Whether it is a call, not a send.
    pub(crate) is_awaited: bool,
}

/// The span of a call or a send, from when it is made until it has an outcome; nothing if nobody subscribes.
///
/// It ends with its last copy; if it was not decided by then, it was given up.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallSpan(Option<Arc<Undecided>>);

#[derive(Debug)]
struct Undecided {
    span: Span,
    is_decided: AtomicBool,
    /// Recorded in the end: where it is noted a lock is held, under which no subscriber is told anything.
    is_repeated: AtomicBool,
}

impl Undecided {
    fn decide(&self) -> &Span {
        self.is_decided.store(true, Ordering::Relaxed);
        &self.span
    }
}

impl Drop for Undecided {
    fn drop(&mut self) {
        if *self.is_repeated.get_mut() {
            self.span.record("guirpc.repeated", true);
        }
        if !*self.is_decided.get_mut() {
            record_failure(&self.span, "cancelled");
        }
    }
}

impl CallSpan {
    /// It belongs to the span that it is made in; if there is none, to what is inherited.
    pub(crate) fn begin(called: &Called<'_>, inherited: &TraceContext) -> Self {
        let Called { service, function, exchange, routing_key, broker, bytes, is_awaited } = *called;
        let span = tracing::span!(
            target: TARGET,
            Level::INFO,
            "call",
            otel.name = if function.is_empty() { format!("send {exchange}") } else { method(service, function) },
            otel.kind = if is_awaited { "client" } else { "producer" },
            otel.status_code = Empty,
            rpc.system.name = SYSTEM,
            rpc.method = (!function.is_empty()).then(|| method(service, function)),
            rpc.response.status_code = Empty,
            error.type = Empty,
            server.address = broker.0,
            server.port = broker.1,
            messaging.system = BROKER,
            messaging.operation.type = (!is_awaited).then_some("send"),
            messaging.destination.name = destination(&[exchange, routing_key]),
            messaging.rabbitmq.destination.routing_key = routing_key,
            messaging.message.conversation_id = Empty,
            messaging.message.body.size = bytes,
            guirpc.repeated = Empty,
        );
        if span.is_disabled() {
            return CallSpan(None);
        }
        if !otel::has_current() {
            otel::set_parent(&span, inherited);
        }
        CallSpan(Some(Arc::new(Undecided {
            span,
            is_decided: AtomicBool::new(false),
            is_repeated: AtomicBool::new(false),
        })))
    }

    /// Whether nobody subscribes.
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// What the call hands on of the trace that it belongs to: its own span if an exporter has taken that up.
    pub(crate) fn context(&self, inherited: &TraceContext) -> TraceContext {
        match &self.0 {
            Some(undecided) => inherited.clone().in_span(&undecided.span),
            None => inherited.clone(),
        }
    }

    /// The id under which it goes out.
    pub(crate) fn identify(&self, correlation_id: impl FnOnce() -> String) {
        if let Some(Undecided { span, .. }) = self.0.as_deref() {
            span.record("messaging.message.conversation_id", correlation_id());
        }
    }

    /// It was in flight before, on a connection that was lost.
    pub(crate) fn note_repeated(&self) {
        if let Some(undecided) = &self.0 {
            undecided.is_repeated.store(true, Ordering::Relaxed);
        }
    }

    /// There is a reply.
    pub(crate) fn reply(&self, reply: &EncodedReply) {
        if let Some(undecided) = &self.0 {
            record_status(undecided.decide(), reply.status, status::BAD_REQUEST);
        }
    }

    /// There will be none, for a reason of this kind.
    pub(crate) fn fail(&self, kind: &'static str) {
        if let Some(undecided) = &self.0 {
            record_failure(undecided.decide(), kind);
        }
    }

    /// It is sent, and none is waited for.
    pub(crate) fn accept(&self) {
        if let Some(undecided) = &self.0 {
            undecided.decide();
        }
    }
}

/// Where a server has a request from.
pub(crate) struct Source<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) routing_key: &'a str,
    pub(crate) queue: &'a str,
    pub(crate) broker: ServerAddress<'a>,
    pub(crate) lane: Option<&'a str>,
}

/// The span of a request that is answered.
#[derive(Clone, Debug)]
pub(crate) struct RunSpan(Span);

impl RunSpan {
    /// That of a request that has arrived by now, for a function that the service has or has not.
    pub(crate) fn begin<'a>(
        service: &str,
        function: impl Fn() -> Option<&'a str>,
        request: &Request,
        source: Option<&Source<'_>>,
        now: SystemTime,
    ) -> Self {
        let is_ping = || (request.function == PING).then_some(PING);
        let name = || method(service, function().or_else(is_ping).unwrap_or(UNKNOWN_FUNCTION));
        let is_awaited = request.is_awaited();
        let span = tracing::span!(
            target: TARGET,
            Level::INFO,
            "run",
            otel.name = name(),
            otel.kind = if is_awaited { "server" } else { "consumer" },
            otel.status_code = Empty,
            rpc.system.name = SYSTEM,
            rpc.method = name(),
            rpc.response.status_code = Empty,
            error.type = Empty,
            server.address = source.map(|source| source.broker.0),
            server.port = source.map(|source| source.broker.1),
            messaging.system = source.map(|_| BROKER),
            messaging.operation.type = source.filter(|_| !is_awaited).map(|_| "process"),
            messaging.destination.name =
                source.map(|source| destination(&[source.exchange, source.routing_key, source.queue])),
            messaging.rabbitmq.destination.routing_key = source.map(|source| source.routing_key),
            messaging.message.conversation_id = request.correlation_id.logged(),
            messaging.message.body.size = request.size(),
            faas.trigger = TRIGGER,
            faas.invocation_id = request.correlation_id.logged(),
            guirpc.lane = source.and_then(|source| source.lane),
            guirpc.redelivered = request.redelivered,
            guirpc.attempts = request.attempts(),
            guirpc.queue_time = request.age(now).map(|time| time.as_secs_f64()),
            guirpc.from_cache = Empty,
        );
        if !span.is_disabled() {
            otel::set_parent(&span, &TraceContext::of(&request.headers));
        }
        RunSpan(span)
    }

    pub(crate) fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        self.0.in_scope(run)
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn around<F: Future>(&self, future: F) -> impl Future<Output = F::Output> {
        tracing::Instrument::instrument(future, self.0.clone())
    }

    /// It is answered by what was answered before.
    pub(crate) fn end_from_cache(self, reply: &EncodedReply) {
        self.0.record("guirpc.from_cache", true);
        self.end(reply);
    }

    pub(crate) fn end(self, reply: &EncodedReply) {
        if !self.0.is_disabled() {
            // What callers have done wrong is no error of the server's.
            record_status(&self.0, reply.status, status::INTERNAL);
        }
    }
}

/// What the function of a request with these headers hands on to its calls: the span that it runs in, if an exporter has
/// taken that up, else what the request brought.
pub(crate) fn handed_on(headers: &Headers) -> TraceContext {
    TraceContext::of(headers).in_span(&Span::current())
}

/// A method's name in OpenTelemetry's sense.
fn method(service: &str, function: &str) -> String {
    format!("{service}/{function}")
}

/// A destination of RabbitMQ's in OpenTelemetry's words, without what is empty or said already.
fn destination(parts: &[&str]) -> String {
    let mut parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    parts.dedup();
    parts.join(":")
}

fn record_failure(span: &Span, kind: &'static str) {
    span.record("error.type", kind).record("otel.status_code", "ERROR");
}

/// Records the status of a reply, which is an error from this one on.
fn record_status(span: &Span, code: u16, error: u16) {
    let text = code.to_string();
    span.record("rpc.response.status_code", &*text);
    if code >= status::BAD_REQUEST {
        span.record("error.type", &*text);
    }
    if code >= error {
        span.record("otel.status_code", "ERROR");
    }
}
