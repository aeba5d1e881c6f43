//! A call that is under way: to be waited for by a thread, or polled as a future.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::Connected;
use super::call_options::CallOptions;
use super::outcome::{Outcome, Told};
use crate::error::CallError;
use crate::log::warn;
use crate::message::{EncodedReply, IGNORED_ARGUMENTS, Name, Reply};

/// For an outcome that is on its way from another thread.
const LONG: Duration = Duration::from_secs(1);

/// A call that is under way; drop it to give it up (the function may run all the same).
///
/// Wait for it, or await it: it is a future that needs no runtime.
/// Either way it has an outcome by its deadline.
///
/// ```no_run
/// # #[guirpc::function] fn add(a: i64, b: i64) -> i64 { a + b }
/// let client = guirpc::Client::connect("amqp://localhost")?;
/// let calls = (0..10_000).map(|n| add::start(&client, n, 1)).collect::<Result<Vec<_>, _>>()?;
/// for (n, call) in (0..).zip(calls) {
///     assert_eq!(call.wait()?, n + 1);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a call that nobody waits for should be a `send`, which the broker confirms"]
pub struct Pending<T, E = Infallible> {
    /// What is wrong with a call that was not made is taken out with the outcome.
    call: Result<CallHandle, Option<CallError>>,
    decode: Decode<T, E>,
}

/// What makes the output of a reply; a send has none.
pub(super) type Decode<T, E> = fn(Option<&EncodedReply>) -> Result<Reply<T>, CallError<E>>;

impl<T, E> Pending<T, E> {
    pub(super) fn new(call: CallHandle, decode: Decode<T, E>) -> Self {
        Pending { call: Ok(call), decode }
    }

    /// A call that was made or not; if it was not, that is its outcome.
    pub(super) fn of(call: Result<CallHandle, CallError>, decode: Decode<T, E>) -> Self {
        Pending { call: call.map_err(Some), decode }
    }

    /// Waits for the output, until the call's deadline at most.
    pub fn wait(self) -> Result<T, CallError<E>> {
        self.wait_reply().map(Reply::into_value)
    }

    /// Waits for the output with the status and the headers that the function gave it.
    pub fn wait_reply(mut self) -> Result<Reply<T>, CallError<E>> {
        let outcome = self.begun()?.wait();
        self.finish(outcome)
    }

    /// Waits this long at most; if there is no outcome by then, the call goes on and comes back as the error.
    pub fn wait_timeout(mut self, timeout: Duration) -> Result<Result<T, CallError<E>>, Self> {
        let call = match self.begun() {
            Ok(call) => call,
            Err(error) => return Ok(Err(error)),
        };
        let until = Instant::now().checked_add(timeout).filter(|until| *until < call.options.deadline);
        let Some(until) = until else { return Ok(self.wait()) };
        match call.wait_until(until) {
            Some(outcome) => Ok(self.finish(outcome).map(Reply::into_value)),
            None => Err(self),
        }
    }

    fn begun(&mut self) -> Result<&mut CallHandle, CallError<E>> {
        self.call.as_mut().map_err(|error| error.take().expect("an outcome is taken once").widen())
    }

    fn finish(&mut self, outcome: Outcome) -> Result<Reply<T>, CallError<E>> {
        let reply = self.begun()?.reply(outcome).map_err(CallError::widen)?;
        let idempotent = self.begun()?.options.idempotent;
        (self.decode)(reply.as_ref()).map_err(|error| error.of_function(idempotent))
    }
}

impl<T, E> Future for Pending<T, E> {
    type Output = Result<T, CallError<E>>;

    /// # Panics
    /// If it is polled again after its outcome.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = match self.begun() {
            Ok(call) => call.poll(context),
            Err(error) => return Poll::Ready(Err(error)),
        };
        polled.map(|outcome| self.finish(outcome).map(Reply::into_value))
    }
}

impl<T, E> fmt::Debug for Pending<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.call.as_ref().ok().map(|call| call.number);
        f.debug_struct("Pending").field("number", &number).finish_non_exhaustive()
    }
}

/// What a caller holds for a call: where the outcome comes, and how long to wait for it.
pub(super) struct CallHandle {
    /// Keeps the client connected for as long as somebody waits.
    client: Arc<Connected>,
    number: u64,
    receiver: oneshot::AsyncReceiver<Outcome>,
    routing_key: Name,
    options: CallOptions,
    /// How many bytes the reply may have.
    max_body: usize,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Waiting,
    /// The driver has been asked to give the call up at its deadline.
    Watched,
    Done,
}

impl CallHandle {
    pub(super) fn new(
        client: Arc<Connected>,
        number: u64,
        receiver: oneshot::AsyncReceiver<Outcome>,
        routing_key: Name,
        options: CallOptions,
        max_body: usize,
    ) -> Self {
        CallHandle { client, number, receiver, routing_key, options, max_body, state: State::Waiting }
    }

    /// The reply, or why there is none.
    fn reply(&self, outcome: Outcome) -> Result<Option<EncodedReply>, CallError> {
        let CallOptions { timeout, idempotent, .. } = self.options;
        let reply =
            outcome.into_reply(Told { service: &self.routing_key, timeout, idempotent, max_body: self.max_body })?;
        if let Some(ignored) = reply.as_ref().and_then(|reply| reply.headers.get(IGNORED_ARGUMENTS)?.as_str()) {
            self.warn_of_ignored(ignored);
        }
        Ok(reply)
    }

    #[cold]
    fn warn_of_ignored(&self, ignored: &str) {
        if self.client.core.ignored_arguments.note(&self.routing_key, ignored) {
            warn!("service `{}` ignored an argument: {ignored}", self.routing_key);
        }
    }

    /// Blocks this thread until there is an outcome, which there is by the deadline.
    fn wait(&mut self) -> Outcome {
        if let Some(outcome) = self.wait_until(self.options.deadline) {
            return outcome;
        }
        // Whoever is quicker decides, and it is decided afterwards.
        self.client.core.expire(self.number);
        self.wait_until(Instant::now() + LONG).unwrap_or(Outcome::TimedOut)
    }

    /// Blocks this thread until there is an outcome, or until then.
    fn wait_until(&mut self, until: Instant) -> Option<Outcome> {
        thread_local! {
            static UNPARK: Waker = Waker::from(Arc::new(Unpark(thread::current())));
        }
        UNPARK.with(|waker| {
            let mut context = Context::from_waker(waker);
            loop {
                if let Poll::Ready(outcome) = self.receive(&mut context) {
                    return Some(outcome);
                }
                let now = Instant::now();
                if now >= until {
                    return None;
                }
                thread::park_timeout(until - now);
            }
        })
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Outcome> {
        let polled = self.receive(context);
        if polled.is_pending() && self.state == State::Waiting {
            self.client.core.watch(self.number);
            self.state = State::Watched;
        }
        polled
    }

    fn receive(&mut self, context: &mut Context<'_>) -> Poll<Outcome> {
        Pin::new(&mut self.receiver).poll(context).map(|received| {
            self.state = State::Done;
            received.unwrap_or_else(|_| Outcome::Lost("the client was closed".to_owned()))
        })
    }
}

impl Drop for CallHandle {
    fn drop(&mut self) {
        if self.state != State::Done {
            self.client.core.forget(self.number);
        }
    }
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
