//! What the calls that a function makes inherit from the call that it answers.

use std::cell::RefCell;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;

use crate::trace::TraceContext;

thread_local! {
    static CURRENT: RefCell<Scope> = const { RefCell::new(Scope::NONE) };
}

/// What the calls that a function makes inherit from the call that it answers: they end by its deadline, and belong to its
/// trace.
///
/// The headers `traceparent`, `tracestate` and `baggage` of the call, as W3C defines them, are those of the calls that the
/// function makes, unless a client has a header of that name itself. What breaks W3C's rules is ignored.
///
/// The thread that runs a function is in its scope, and so is the task of an `async fn`, also after an `.await`.
/// Threads and tasks that the function starts itself are in none, unless they are brought into it:
///
/// ```no_run
/// use guirpc::{Client, Fault, Scope};
///
/// # #[guirpc::function(service = "stock")] fn left(article: &str) -> u32;
/// # #[cfg(feature = "tokio")]
/// #[guirpc::function]
/// async fn left_in_all(#[state] client: &Client, articles: Vec<String>) -> Result<u32, Fault> {
///     let tasks = articles.into_iter().map(|article| {
///         let client = client.clone();
///         tokio::spawn(Scope::current().wrap(async move { left::call_async(&client, &article).await }))
///     });
///     let mut sum = 0;
///     for task in tasks.collect::<Vec<_>>() {
///         sum += task.await??;
///     }
///     Ok(sum)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Scope {
    deadline: Option<Instant>,
    trace: TraceContext,
}

impl Scope {
    const NONE: Self = Scope { deadline: None, trace: TraceContext::NONE };

    /// The scope that this thread or task is in; outside of any function it holds nothing.
    pub fn current() -> Self {
        // A thread that is ending may have none any more.
        CURRENT.try_with(|current| current.borrow().clone()).unwrap_or(Scope::NONE)
    }

    /// The scope of a call that ends by then, in this trace.
    pub(crate) fn new(deadline: Option<Instant>, trace: TraceContext) -> Self {
        Scope { deadline, trace }
    }

    /// When the caller of the function stops to wait.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// What the calls of the function hand on.
    pub(crate) fn trace(&self) -> &TraceContext {
        &self.trace
    }

    /// Runs a closure in this scope, on this thread: for threads that a function starts, and for `spawn_blocking`.
    ///
    /// ```
    /// let scope = guirpc::Scope::current();
    /// std::thread::spawn(move || scope.run(|| { /* calls */ })).join().unwrap();
    /// ```
    pub fn run<T>(&self, closure: impl FnOnce() -> T) -> T {
        let _entered = Entered { former: CURRENT.replace(self.clone()) };
        closure()
    }

    /// The future, polled in this scope: for tasks that a function starts.
    pub fn wrap<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped { scope: self.clone(), future }
    }
}

/// Brings back the scope that the thread was in before, however the closure ends.
struct Entered {
    former: Scope,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(mem::replace(&mut self.former, Scope::NONE));
    }
}

pin_project! {
    /// A future in a [`Scope`], which [`Scope::wrap`] makes.
    #[derive(Clone, Debug)]
    #[must_use = "futures do nothing unless they are polled"]
    pub struct Scoped<F> {
        scope: Scope,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.scope.run(|| this.future.poll(context))
    }
}

#[cfg(test)]
mod tests {
    use std::future::{poll_fn, ready};
    use std::panic::catch_unwind;
    use std::task::Waker;
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn current() -> Option<Instant> {
        Scope::current().deadline()
    }

    fn until(deadline: Option<Instant>) -> Scope {
        Scope::new(deadline, TraceContext::default())
    }

    #[test]
    fn a_scope_holds_on_its_thread_until_the_former_comes_back() {
        let soon = Instant::now();
        let later = soon + Duration::from_secs(1);
        let (inner, outer) = (until(Some(soon)), until(Some(later)));
        outer.run(|| {
            inner.run(|| {
                assert_eq!(current(), Some(soon));
                assert_eq!(thread::spawn(current).join().unwrap(), None);
                let scope = Scope::current();
                assert_eq!(thread::spawn(move || scope.run(current)).join().unwrap(), Some(soon));
            });
            assert_eq!(current(), Some(later));
            assert!(catch_unwind(|| inner.run(|| panic!("on purpose"))).is_err());
            assert_eq!(current(), Some(later));
        });
        assert_eq!(current(), None);
    }

    #[test]
    fn a_future_is_in_its_scope_whoever_polls_it() {
        let soon = Some(Instant::now());
        let future = async {
            let before = current();
            ready(()).await;
            let mut polls = 0;
            let after = poll_fn(|_| {
                polls += 1;
                if polls < 2 { Poll::Pending } else { Poll::Ready(current()) }
            });
            (before, after.await)
        };
        let mut future = Box::pin(until(soon).wrap(future));
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
        assert_eq!(current(), None);
        assert_eq!(future.as_mut().poll(&mut context), Poll::Ready((soon, soon)));
    }
}
