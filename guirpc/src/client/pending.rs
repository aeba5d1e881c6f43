//! A call that is under way: to be waited for by a thread, or polled as a future.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::outcome::Outcome;
use super::patience::Patience;
use super::supervisor::Supervisor;
use crate::error::CallError;
use crate::health::Status;
use crate::message::{EncodedReply, Reply};

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
    ticket: Ticket,
    decode: fn(&EncodedReply) -> Result<Reply<T>, CallError<E>>,
}

impl<T, E> Pending<T, E> {
    pub(super) fn new(ticket: Ticket, decode: fn(&EncodedReply) -> Result<Reply<T>, CallError<E>>) -> Self {
        Pending { ticket, decode }
    }

    /// Waits for the output, until the call's deadline at most.
    pub fn wait(self) -> Result<T, CallError<E>> {
        self.wait_reply().map(Reply::into_value)
    }

    /// Waits for the output with the status and the headers that the function gave it.
    pub fn wait_reply(mut self) -> Result<Reply<T>, CallError<E>> {
        let outcome = self.ticket.wait_until(self.ticket.patience.deadline).unwrap_or(Outcome::TimedOut);
        self.finish(outcome)
    }

    /// Waits this long at most; if there is no outcome by then, the call goes on and comes back as the error.
    pub fn wait_timeout(mut self, timeout: Duration) -> Result<Result<T, CallError<E>>, Self> {
        let until = Instant::now().checked_add(timeout).filter(|until| *until < self.ticket.patience.deadline);
        let Some(until) = until else { return Ok(self.wait()) };
        match self.ticket.wait_until(until) {
            Some(outcome) => Ok(self.finish(outcome).map(Reply::into_value)),
            None => Err(self),
        }
    }

    fn finish(&self, outcome: Outcome) -> Result<Reply<T>, CallError<E>> {
        let reply = self.ticket.reply(outcome).map_err(CallError::widen)?;
        (self.decode)(&reply)
    }
}

impl<T, E> Future for Pending<T, E> {
    type Output = Result<T, CallError<E>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.ticket.poll(context).map(|outcome| self.finish(outcome).map(Reply::into_value))
    }
}

impl<T, E> fmt::Debug for Pending<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("number", &self.ticket.number).finish_non_exhaustive()
    }
}

/// What a caller holds for a call: where the outcome comes, and how long to wait for it.
pub(super) struct Ticket {
    /// Keeps the client connected for as long as somebody waits.
    client: Arc<Supervisor>,
    number: u64,
    receiver: oneshot::AsyncReceiver<Outcome>,
    service: Box<str>,
    patience: Patience,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Waiting,
    /// The pump has been asked to give the call up at its deadline.
    Watched,
    Done,
}

impl Ticket {
    pub(super) fn new(
        client: Arc<Supervisor>,
        number: u64,
        receiver: oneshot::AsyncReceiver<Outcome>,
        service: &str,
        patience: Patience,
    ) -> Self {
        Ticket { client, number, receiver, service: service.into(), patience, state: State::Waiting }
    }

    /// The reply, or why there is none.
    fn reply(&self, outcome: Outcome) -> Result<EncodedReply, CallError> {
        let Patience { timeout, idempotent, .. } = self.patience;
        if outcome == Outcome::TimedOut
            && let Status::Disconnected { reason } = self.client.status()
        {
            // It waited for a connection, to be made again.
            return Err(CallError::Disconnected { reason, sent: true, idempotent });
        }
        outcome.into_reply(&self.service, timeout, idempotent)
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
            self.client.callers().expire_at(self.patience.deadline, self.number);
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

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.state != State::Done {
            self.client.callers().table().take(self.number);
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
