//! Functions that are `async`: their futures, and a thread that waits for one.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, SystemTime};

use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::{Checked, Dispatcher};
use crate::codec::{self, Format};
use crate::invocation::{Answer, AnswerFuture};
use crate::log::debug;
use crate::message::{EncodedReply, Request};
use crate::registry::{Invoke, Registration};
use crate::trace::Source;

impl Dispatcher {
    /// Runs the function that the request names, as [`dispatch`](Dispatcher::dispatch) does, and blocks no thread for
    /// an `async fn`; any other function is run by the first poll.
    ///
    /// It has to be polled on a tokio runtime with whatever the functions use of it: its I/O, its timers. Those of
    /// functions that say `cancel` are used in any case.
    pub async fn dispatch_async(&self, request: &Request, now: SystemTime) -> EncodedReply {
        self.dispatch_async_from(None, request, now).await
    }

    /// Does so with a request that comes from there.
    pub(crate) async fn dispatch_async_from(
        &self,
        source: Option<&Source<'_>>,
        request: &Request,
        now: SystemTime,
    ) -> EncodedReply {
        let span = self.span(source, request, now);
        let scope = span.in_scope(|| Self::scope(request));
        let dispatched = scope.wrap(async {
            let format = self.format(request);
            let answer = match self.check(request, format, now) {
                Ok(Checked::Answered(reply)) => Ok(reply),
                Ok(Checked::Run(function, format)) => self.run_async(function, request, format, now).await,
                Err(not_run) => Err(not_run),
            };
            self.reply(request, format, now, answer)
        });
        let reply = span.around(dispatched).await;
        span.end(&reply);
        reply
    }

    pub(super) async fn run_async(
        &self,
        function: &'static Registration,
        request: &Request,
        format: Format,
        now: SystemTime,
    ) -> Answer {
        let Invoke::Async { run, cancel } = function.invoke else { return self.run(function, request, format, now) };
        let invocation = self.invocation(function, request, format, now);
        let left = invocation.context.remaining().filter(|_| cancel);
        let future = invocation.context.scope(now).wrap(CatchUnwind(Some(run(&invocation))));
        let ran = match left {
            None => future.await,
            Some(left) => {
                timeout(left, future).await.unwrap_or_else(|_| Ok(Ok(cancelled(function, request, format, left))))
            }
        };
        self.finish(function, invocation, ran)
    }
}

/// The caller does not wait for this any more.
fn cancelled(function: &Registration, request: &Request, format: Format, after: Duration) -> EncodedReply {
    debug!(function = function.name, correlation_id = request.correlation_id, after, "cancelled");
    let message = format!("`{}` was cancelled at the deadline of its caller, in the midst of it", function.name);
    codec::unexpected(format, "CancelledError", &message)
}

/// A function's future, with a panic as what comes of it, also one while it is dropped.
struct CatchUnwind<'a>(Option<AnswerFuture<'a>>);

impl Future for CatchUnwind<'_> {
    type Output = thread::Result<Answer>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.0.as_mut().expect("it is not polled again after its end");
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(answer)) => Poll::Ready(Ok(answer)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

impl Drop for CatchUnwind<'_> {
    fn drop(&mut self) {
        let future = self.0.take();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(future))) {
            // To drop the payload could panic again; the panic itself is in the log, by its hook.
            std::mem::forget(panic);
        }
    }
}

/// A runtime for those who wait for an `async fn` on a thread; it is made when the first one does.
#[derive(Default)]
pub(super) struct Executor(OnceLock<Runtime>);

impl Executor {
    /// Runs a future to its end on this thread, which may be one of a runtime.
    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        let runtime = self.0.get_or_init(|| Runtime::new().expect("a runtime needs threads and epoll"));
        // Not the runtime's own `block_on`, which panics on a thread of another one.
        let _entered = runtime.enter();
        pollster::block_on(future)
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // On a thread of a runtime, dropping it would panic.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Executor")
    }
}
