//! Runs an `async fn` to its end on the worker's thread.

use std::fmt;
use std::future::Future;

/// Without the feature `tokio`: the thread sleeps until the future wakes it.
#[cfg(not(feature = "tokio"))]
pub(crate) struct Executor;

#[cfg(not(feature = "tokio"))]
impl Executor {
    pub(crate) fn new() -> Self {
        Executor
    }

    #[allow(clippy::unused_self, reason = "its twin has something to hold")]
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        pollster::block_on(future)
    }
}

/// With the feature `tokio`: inside a runtime, so that a function may use tokio's I/O and timers.
///
/// The runtime is made at the first `async fn` that is called.
/// Its own threads drive I/O and whatever is spawned; the function itself runs on the worker.
#[cfg(feature = "tokio")]
pub(crate) struct Executor(std::sync::OnceLock<tokio::runtime::Runtime>);

#[cfg(feature = "tokio")]
impl Executor {
    pub(crate) fn new() -> Self {
        Executor(std::sync::OnceLock::new())
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        let runtime = self.0.get_or_init(|| tokio::runtime::Runtime::new().expect("a runtime needs threads and epoll"));
        runtime.block_on(future)
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Executor")
    }
}
