//! From a request to its reply: finds the function, decodes, runs, encodes.
//!
//! Pure: no I/O, no clock of its own, and nothing in a request or in a function can make it unwind.
//! It knows neither queues nor acknowledgements.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use crate::codec::{self, Codec, Format};
use crate::context::{Context, StateMap};
use crate::error::{Error, Refusal, shown};
use crate::invocation::{Answer, Invocation, NotRun};
use crate::log::{debug, error, warn};
use crate::message::{
    Dialect, EncodedReply, Headers, IGNORED_ARGUMENTS, IGNORED_ARGUMENTS_OF, PING, Request, ServiceInfo, TIME, status,
};
use crate::registry::{Invoke, Registration, Service};
use crate::scope::Scope;
use crate::trace::{RunSpan, Source, handed_on};

#[cfg(feature = "tokio")]
mod asynchronous;
#[cfg(test)]
mod tests;

/// Answers the requests of one service, in process.
///
/// A [`Server`](crate::Server) has one for each service; on its own it is good for carrying the same functions
/// over something else than a queue.
#[derive(Debug)]
pub struct Dispatcher {
    service: Service,
    state: StateMap,
    limits: Limits,
    #[cfg(feature = "tokio")]
    executor: asynchronous::Executor,
    /// The functions of which it is in the log that they ignored an argument.
    warned: Mutex<BTreeSet<&'static str>>,
}

/// What there is to do for a request.
enum Checked {
    /// Nothing: guirpc answers it.
    Answered(EncodedReply),
    Run(&'static Registration, Format),
}

/// What a dispatcher takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The largest body, of requests and of replies, in bytes.
    pub(crate) max_body: usize,
    /// Whether functions may be called by pickles.
    pub(crate) pickle: bool,
    /// Whether a request is refused that has an argument which its function does not take.
    pub(crate) refuses_unknown_arguments: bool,
    /// How far a deadline may have passed by our clock, which may be ahead of the caller's.
    pub(crate) clock_tolerance: Duration,
}

impl Dispatcher {
    /// The functions of `service`, with the state that they ask for.
    ///
    /// # Errors
    /// State is missing.
    pub(crate) fn new(service: Service, state: StateMap, limits: Limits) -> Result<Self, Error> {
        service.require(&state)?;
        Ok(Dispatcher {
            service,
            state,
            limits,
            #[cfg(feature = "tokio")]
            executor: asynchronous::Executor::default(),
            warned: Mutex::default(),
        })
    }

    pub(crate) fn service(&self) -> &Service {
        &self.service
    }

    /// The function that a request names, if there is one.
    pub(crate) fn function(&self, request: &Request) -> Option<&'static Registration> {
        self.service.function(&request.function)
    }

    /// Whether the request has expired by now.
    pub(crate) fn is_expired(&self, request: &Request, now: SystemTime) -> bool {
        self.lateness(request, now).is_some()
    }

    /// How long ago the deadline was, if that is more than two clocks may differ by.
    fn lateness(&self, request: &Request, now: SystemTime) -> Option<Duration> {
        let late = now.duration_since(request.deadline()?).ok()?;
        let tolerance = self.limits.clock_tolerance;
        // Without any, a deadline that is reached has passed.
        Some(late).filter(|late| *late > tolerance || tolerance.is_zero())
    }

    /// Runs the function that the request names and encodes what comes of it.
    ///
    /// Whatever the request holds, there is a reply: `now` decides whether it has expired.
    /// For an `async fn` this thread waits, on a runtime of the dispatcher's own;
    /// [`dispatch_async`](Dispatcher::dispatch_async) does not.
    pub fn dispatch(&self, request: &Request, now: SystemTime) -> EncodedReply {
        self.dispatch_from(None, request, now)
    }

    /// Does so with a request that comes from there.
    pub(crate) fn dispatch_from(
        &self,
        source: Option<&Source<'_>>,
        request: &Request,
        now: SystemTime,
    ) -> EncodedReply {
        let span = self.span(source, request, now);
        let reply = span.in_scope(|| {
            Self::scope(request).run(|| {
                let format = self.format(request);
                let answer = match self.check(request, format, now) {
                    Ok(Checked::Answered(reply)) => Ok(reply),
                    Ok(Checked::Run(function, format)) => self.run(function, request, format, now),
                    Err(not_run) => Err(not_run),
                };
                self.reply(request, format, now, answer)
            })
        });
        span.end(&reply);
        reply
    }

    /// The trace of a request, in whose span it is called.
    fn scope(request: &Request) -> Scope {
        Scope::new(None, handed_on(&request.headers))
    }

    /// The span of a request that comes from there.
    pub(crate) fn span(&self, source: Option<&Source<'_>>, request: &Request, now: SystemTime) -> RunSpan {
        let function = || self.function(request).map(|function| function.name);
        RunSpan::begin(&self.service.name, function, request, source, now)
    }

    /// The reply of what came of a request.
    fn reply(&self, request: &Request, format: Option<Format>, now: SystemTime, answer: Answer) -> EncodedReply {
        let correlation_id = request.correlation_id.as_deref();
        match answer {
            Ok(reply) => self.limited(request, format, reply),
            Err(NotRun::Refused(refusal)) => {
                debug!(correlation_id, status = refusal.status(), "refused: {}", refusal.message());
                // What cannot be read is answered in what anybody can read.
                let mut reply = codec::refusal(format.unwrap_or(Format::readable(request.dialect)), &refusal);
                if refusal.status() == status::EXPIRED {
                    // It may be a matter of clocks, which only the caller can tell.
                    let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                    reply.headers.set_own(TIME, i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX));
                }
                reply
            }
            Err(NotRun::Unreadable(options, why)) => {
                debug!(correlation_id, "refused: {}", why.reason());
                codec::invalid_arguments(options, &why)
            }
        }
    }

    /// How the request is written and its reply will be; `None` if its content type is unknown.
    fn format(&self, request: &Request) -> Option<Format> {
        match request.dialect {
            Dialect::Native => {
                let codec = request.content_type.as_deref().map_or(Some(Codec::default()), Codec::from_content_type);
                codec.map(Format::Native)
            }
            // There the function says it, whatever the properties do.
            Dialect::Python => {
                Some(Format::Python(self.function(request).map(|function| function.python).unwrap_or_default()))
            }
        }
    }

    /// Answers what is not for a function, and finds the function that is to be run.
    fn check(&self, request: &Request, format: Option<Format>, now: SystemTime) -> Result<Checked, NotRun> {
        if request.dropped.is_some() || request.body.len() > self.limits.max_body {
            return Err(too_large(request.size(), self.limits.max_body).into());
        }
        let format = format.ok_or_else(|| unknown_content_type(request))?;
        if request.function == PING {
            return Ok(Checked::Answered(self.service_info(format)));
        }
        let Some(function) = self.function(request) else {
            return self.unknown_function(request).map(Checked::Answered);
        };
        if let Some(late) = self.lateness(request, now) {
            let message = format!("the deadline had passed {} before `{}` could run", shown(late), function.name);
            return Err(Refusal::new(status::EXPIRED, message).into());
        }
        if let Format::Python(options) = format
            && options.pickles()
            && !self.limits.pickle
        {
            return Err(no_pickles(function).into());
        }
        Ok(Checked::Run(function, format))
    }

    /// The reply, if it is not too large to be sent; else the news that it is.
    ///
    /// RabbitMQ closes the channel of whoever publishes too large a message, and would deliver the request again.
    fn limited(&self, request: &Request, format: Option<Format>, reply: EncodedReply) -> EncodedReply {
        if reply.body.len() <= self.limits.max_body {
            return reply;
        }
        let message = format!(
            "what `{}` returned has {} bytes, this service sends at most {} (its setting `max_body`)",
            request.function,
            reply.body.len(),
            self.limits.max_body
        );
        error!(function = request.function, correlation_id = request.correlation_id, "{message}");
        codec::unexpected(format.unwrap_or(Format::Native(Codec::default())), "OverflowError", &message)
    }

    fn run(&self, function: &'static Registration, request: &Request, format: Format, now: SystemTime) -> Answer {
        match function.invoke {
            Invoke::Blocking(run) => {
                let invocation = self.invocation(function, request, format, now);
                let ran = catch_unwind(AssertUnwindSafe(|| invocation.context.scope(now).run(|| run(&invocation))));
                self.finish(function, invocation, ran)
            }
            #[cfg(feature = "tokio")]
            Invoke::Async { .. } => self.executor.block_on(self.run_async(function, request, format, now)),
        }
    }

    fn invocation<'a>(
        &'a self,
        function: &'static Registration,
        request: &'a Request,
        format: Format,
        now: SystemTime,
    ) -> Invocation<'a> {
        Invocation {
            function: function.name,
            request,
            format,
            context: Context::new(&self.service.name, request, now),
            state: &self.state,
            refuses_unknown: self.limits.refuses_unknown_arguments,
            ignored: OnceLock::new(),
        }
    }

    /// The answer of a function that has ended, in whatever way.
    fn finish(
        &self,
        function: &'static Registration,
        invocation: Invocation<'_>,
        ran: std::thread::Result<Answer>,
    ) -> Answer {
        let Invocation { request, format, ignored, .. } = invocation;
        let mut answer = ran.unwrap_or_else(|panic| {
            let message = panic_message(panic);
            error!(function = function.name, correlation_id = request.correlation_id, "panicked: {message}");
            let message = match format {
                Format::Native(_) => format!("`{}` panicked: {message}", function.name),
                // Its clients know from the words around it that something went wrong, and read what was said.
                Format::Python(_) => message,
            };
            Ok(codec::unexpected(format, "Panic", &message))
        });
        if let (Ok(reply), Some(ignored)) = (&mut answer, ignored.into_inner()) {
            let ignored = format!("`{}`{IGNORED_ARGUMENTS_OF}{ignored}", function.name);
            self.report_ignored(function, request, &ignored);
            reply.headers.set_own(IGNORED_ARGUMENTS, ignored);
        }
        answer
    }

    /// The caller learns of it from the reply; whoever waits for none does not, so that it is in our log once.
    fn report_ignored(&self, function: &Registration, request: &Request, ignored: &str) {
        let name = function.name;
        debug!(function = name, correlation_id = request.correlation_id, "ignored an argument: {ignored}");
        let is_first = || self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        if !request.is_awaited() && is_first() {
            warn!(function = name, app_id = request.app_id, "ignored an argument of a `send`: {ignored}");
        }
    }

    fn service_info(&self, format: Format) -> EncodedReply {
        let info = ServiceInfo {
            service: self.service.name.clone(),
            guirpc: env!("CARGO_PKG_VERSION").to_owned(),
            functions: self.service.functions().map(|function| function.name.to_owned()).collect(),
        };
        codec::output(format, status::OK, Headers::new(), &info)
            .or_else(|_| codec::output(Format::Native(Codec::Text), status::OK, Headers::new(), &self.service.name))
            .expect("a text can be sent as text")
    }

    fn unknown_function(&self, request: &Request) -> Answer {
        if request.dialect == Dialect::Python {
            return Ok(codec::not_registered(&request.function));
        }
        let nearest = self.service.nearest(&request.function);
        let hint = nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
        let message = format!("no function named `{}` in service `{}`{hint}", request.function, self.service.name);
        Err(Refusal::new(status::NOT_FOUND, message).into())
    }
}

fn too_large(length: u64, limit: usize) -> Refusal {
    let message = format!("the request has {length} bytes, this service takes at most {limit}");
    Refusal::new(status::TOO_LARGE, message)
}

fn no_pickles(function: &Registration) -> Refusal {
    let message = format!(
        "`{}` is called by pickles, which this service does not read: its setting `pickle` is off",
        function.name
    );
    Refusal::new(status::UNSUPPORTED_CONTENT_TYPE, message)
}

fn unknown_content_type(request: &Request) -> Refusal {
    let content_type = request.content_type.as_deref().unwrap_or_default();
    let message = format!("content type `{content_type}` is unknown here; known are {}", Codec::choices());
    Refusal::new(status::UNSUPPORTED_CONTENT_TYPE, message)
}

/// What a panic said; the payload itself is given up, since dropping it could panic again.
fn panic_message(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => match panic.downcast::<&'static str>() {
            Ok(message) => (*message).to_owned(),
            Err(panic) => {
                std::mem::forget(panic);
                "(no message)".to_owned()
            }
        },
    }
}
