//! Clients whose callers are tasks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::runtime::{Builder, Runtime};

use crate::load::{Call, Calls, Extent, Load, Tally};
use crate::message::{Answer, Question};

/// The runtime of a program that has no other.
pub(crate) fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread().enable_all().build().context("start tokio")
}

/// A client that any number of tasks share, driven by [`drive`].
pub(crate) trait Tasks: Send + Sync + 'static {
    /// Calls a function and waits for its answer.
    fn call(&self, question: Question) -> impl Future<Output = Result<Answer>> + Send;
}

/// Puts the load on a client: one task per caller.
pub(crate) fn drive(runtime: &Runtime, client: &Arc<impl Tasks>, load: Load, extent: Extent) -> Result<Tally> {
    let (begun, end) = (Instant::now(), extent.begin());
    let latencies = runtime.block_on(async {
        let callers: Vec<_> = (0..load.callers)
            .map(|caller| tokio::spawn(call_all(Arc::clone(client), load.window, load.calls(caller, end))))
            .collect();
        let mut latencies = Vec::new();
        for caller in callers {
            latencies.append(&mut caller.await??);
        }
        Ok::<_, anyhow::Error>(latencies)
    })?;
    Ok(Tally { latencies, elapsed: begun.elapsed() })
}

async fn call_all(client: Arc<impl Tasks>, window: usize, calls: Calls) -> Result<Vec<Duration>> {
    let answered = async |call: Call| call.answered(&client.call(call.question).await?);
    stream::iter(calls).map(answered).buffer_unordered(window).try_collect().await
}
