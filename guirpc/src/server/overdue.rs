//! Functions that run for so long that the broker takes their requests back.
//!
//! RabbitMQ closes a channel on which a delivery is not acknowledged for half an hour, unless its administrator has set
//! another time, which it does not tell before that.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::running::Running;
use crate::broker;
use crate::error::shown;
use crate::log::warn;

/// RabbitMQ's own `consumer_timeout`.
const USUAL: Duration = Duration::from_mins(30);
/// A function is warned about when it has run for this part of the time.
const NEAR: f64 = 2.0 / 3.0;
/// How often to look, at most.
const MOST_PAUSE: Duration = Duration::from_secs(30);

/// How long the broker waits for an acknowledgement, as far as it is known; it outlives sessions.
#[derive(Debug)]
pub(super) struct AckTimeout(AtomicU64);

impl AckTimeout {
    pub(super) fn new() -> Self {
        AckTimeout(AtomicU64::new(USUAL.as_secs() * 1000))
    }

    pub(super) fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    /// Learns it from why a channel was closed, if that says it.
    pub(super) fn learn(&self, reason: &str) {
        if let Some(timeout) = broker::ack_timeout(reason) {
            self.0.store(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }
}

/// Looks for functions that run too long.
#[derive(Debug)]
pub(super) struct Overdue {
    timeout: Duration,
    /// Up to which beginning each worker's function was warned about.
    warned: Vec<Option<Instant>>,
}

impl Overdue {
    pub(super) fn new(timeout: Duration) -> Self {
        Overdue { timeout, warned: Vec::new() }
    }

    /// How often to look.
    pub(super) fn pause(&self) -> Duration {
        (self.timeout / 8).clamp(Duration::from_millis(100), MOST_PAUSE)
    }

    /// Warns about each function once that comes near the time.
    pub(super) fn look(&mut self, running: &Running, now: Instant) {
        self.warned.resize(running.places(), None);
        for (worker, warned) in self.warned.iter_mut().enumerate() {
            let Some((function, since)) = running.run(worker) else { continue };
            let runs = now.saturating_duration_since(since);
            if runs >= self.timeout.mul_f64(NEAR) && *warned != Some(since) {
                *warned = Some(since);
                warn!(
                    function,
                    "it has been running for {}: after {} in all the broker takes a request back and gives it to the \
                     next server, unless its `consumer_timeout` is raised",
                    shown(runs),
                    shown(self.timeout)
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_learnt_from_the_brokers_reason() {
        let timeout = AckTimeout::new();
        timeout.learn("NOT_FOUND - no queue 'math' in vhost '/'");
        assert_eq!(timeout.get(), USUAL);
        timeout.learn("delivery acknowledgement on channel 1 timed out. Timeout value used: 4000 ms. This timeout");
        assert_eq!(timeout.get(), Duration::from_secs(4));
        assert_eq!(Overdue::new(timeout.get()).pause(), Duration::from_millis(500));
        assert_eq!(Overdue::new(USUAL).pause(), MOST_PAUSE);
    }
}
