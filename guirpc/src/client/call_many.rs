//! Many calls of one function: each is made as soon as there is room for it, and the results come in order.

use std::collections::VecDeque;
use std::fmt;
use std::iter::{Fuse, FusedIterator};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::{CallFuture, Client, Pending, Prepared, outcome};
use crate::arguments::ArgumentsOf;
use crate::error::CallError;
use crate::function::{CallResult, Function};

/// Calls that are under way at a time, unless the caller says otherwise.
const IN_FLIGHT: usize = 1024;

#[allow(clippy::needless_pass_by_value, reason = "iterators are given away")]
impl Client {
    /// Calls `F` with each of these arguments, and gives an iterator of the outcomes, in the same order; the stub's
    /// `call_many` does this.
    ///
    /// Calls are made while outcomes are taken: 1,024 at most are under way at a time, which
    /// [`in_flight`](CallMany::in_flight) changes. None is made before the first outcome is asked for, and dropping the
    /// iterator gives up those that are under way.
    /// Many cheap calls are several times faster with [`coalescing`](crate::coalescing).
    ///
    /// ```no_run
    /// # #[guirpc::function(service = "math")] fn add(a: i64, b: i64) -> i64;
    /// # let client = guirpc::Client::connect("amqp://localhost")?;
    /// let sums: Result<Vec<i64>, _> = add::call_many(&client, (0..1_000_000).map(|n| (n, 1))).collect();
    /// assert_eq!(sums?.last(), Some(&1_000_000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn call_many<'a, F, I>(&self, arguments: I) -> CallMany<F, I::IntoIter>
    where
        F: Function,
        I: IntoIterator<Item = ArgumentsOf<'a, F>>,
    {
        CallMany(InOrder::new(self, arguments.into_iter()))
    }

    /// Calls as [`call_many`](Client::call_many) does, and gives a stream of the outcomes, which blocks no thread; the
    /// stub's `call_many_async` does this.
    ///
    /// ```no_run
    /// # use futures_util::StreamExt as _;
    /// # #[guirpc::function(service = "math")] fn add(a: i64, b: i64) -> i64;
    /// # async fn sums(client: &guirpc::Client) -> Result<(), guirpc::CallError> {
    /// let mut sums = add::call_many_async(client, (0..1_000_000).map(|n| (n, 1)));
    /// while let Some(sum) = sums.next().await {
    ///     println!("{}", sum?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn call_many_async<'a, F, I>(&self, arguments: I) -> CallManyStream<F, I::IntoIter>
    where
        F: Function,
        I: IntoIterator<Item = ArgumentsOf<'a, F>>,
    {
        CallManyStream(InOrder::new(self, arguments.into_iter()))
    }
}

/// The outcomes of many calls of `F`, in the order of their arguments; [`Client::call_many`] makes it.
///
/// Each outcome is its call's own: one that fails does not end the iterator.
/// A call is never refused for lack of room in the client ([`CallError::Backpressure`]) while an earlier one is under way:
/// it waits for that.
#[must_use = "calls are made as their outcomes are taken"]
pub struct CallMany<F: Function, I>(InOrder<F, I>);

/// The outcomes of many calls of `F` as a stream; [`Client::call_many_async`] makes it.
///
/// It is as [`CallMany`], and needs no particular runtime.
#[must_use = "calls are made as their outcomes are taken"]
pub struct CallManyStream<F: Function, I>(InOrder<F, I>);

impl<F: Function, I> CallMany<F, I> {
    /// Lets so many calls be under way at a time (the default is 1,024, the least is 1).
    pub fn in_flight(self, calls: usize) -> Self {
        CallMany(self.0.in_flight(calls))
    }
}

impl<F: Function, I> CallManyStream<F, I> {
    /// Lets so many calls be under way at a time (the default is 1,024, the least is 1).
    pub fn in_flight(self, calls: usize) -> Self {
        CallManyStream(self.0.in_flight(calls))
    }
}

impl<'a, F: Function, I: Iterator<Item = ArgumentsOf<'a, F>>> Iterator for CallMany<F, I> {
    type Item = CallResult<F>;

    fn next(&mut self) -> Option<CallResult<F>> {
        self.0.fill();
        self.0.pending.pop_front().map(Pending::wait)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<'a, F: Function, I: Iterator<Item = ArgumentsOf<'a, F>>> FusedIterator for CallMany<F, I> {}

impl<'a, F: Function, I: Iterator<Item = ArgumentsOf<'a, F>>> Stream for CallManyStream<F, I> {
    type Item = CallResult<F>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<CallResult<F>>> {
        let InOrder { pending, .. } = self.0.fill();
        let Some(first) = pending.front_mut() else { return Poll::Ready(None) };
        let outcome = ready!(Pin::new(first).poll(context));
        pending.pop_front();
        Poll::Ready(Some(outcome))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

/// Nothing in it is ever pinned.
impl<F: Function, I> Unpin for CallManyStream<F, I> {}

impl<F: Function, I> fmt::Debug for CallMany<F, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallMany").field("under_way", &self.0.pending.len()).finish_non_exhaustive()
    }
}

impl<F: Function, I> fmt::Debug for CallManyStream<F, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallManyStream").field("under_way", &self.0.pending.len()).finish_non_exhaustive()
    }
}

/// What is under way, and what is still to be called.
struct InOrder<F: Function, I> {
    client: Client,
    arguments: Fuse<I>,
    /// For which the client has no room yet.
    next: Option<Prepared>,
    pending: VecDeque<CallFuture<F>>,
    in_flight: usize,
}

impl<F: Function, I> InOrder<F, I> {
    fn in_flight(self, calls: usize) -> Self {
        InOrder { in_flight: calls.max(1), ..self }
    }
}

impl<'a, F: Function, I: Iterator<Item = ArgumentsOf<'a, F>>> InOrder<F, I> {
    fn new(client: &Client, arguments: I) -> Self {
        let (client, arguments) = (client.clone(), arguments.fuse());
        InOrder { client, arguments, next: None, pending: VecDeque::new(), in_flight: IN_FLIGHT }
    }

    /// Makes as many calls as there is room for.
    fn fill(&mut self) -> &mut Self {
        while self.pending.len() < self.in_flight {
            let prepared = match self.next.take() {
                Some(prepared) => Ok(prepared),
                None => match self.arguments.next() {
                    Some(arguments) => self.client.prepare_function::<F>(&arguments),
                    None => break,
                },
            };
            let call = match prepared {
                Ok(prepared) => match self.client.begin(&prepared) {
                    Err(CallError::Backpressure { .. }) if !self.pending.is_empty() => {
                        self.next = Some(prepared);
                        break;
                    }
                    begun => begun.inspect_err(|error| prepared.fail(error)),
                },
                Err(error) => Err(error),
            };
            self.pending.push_back(Pending::of(call, outcome::decode::<F>));
        }
        self
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.arguments.size_hint();
        let known = self.pending.len() + usize::from(self.next.is_some());
        (least.saturating_add(known), most.and_then(|most| most.checked_add(known)))
    }
}
