//! What may wait for the broker without a bound, on a thread that can be given up.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Runs `work` on a thread of its own and gives up on it after `bound`.
pub(crate) fn bounded<T: Send + 'static>(bound: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = mpsc::sync_channel(1);
    thread::Builder::new().name("guirpc-bounded".to_owned()).spawn(move || done.send(work())).ok()?;
    result.recv_timeout(bound).ok()
}

/// How long it is until then.
pub(super) fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}
