//! How long to wait before the next attempt to connect.

use std::time::Duration;

/// Full jitter: anything from nothing to a bound that doubles, so that many clients of one broker spread out.
#[derive(Debug)]
pub(crate) struct Backoff {
    bound: Duration,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const MOST: Duration = Duration::from_secs(30);

    pub(crate) fn new() -> Self {
        Backoff { bound: Backoff::FIRST }
    }

    /// How long to wait now; the next wait may be twice as long.
    pub(crate) fn next_delay(&mut self) -> Duration {
        let bound = self.bound;
        self.bound = (bound * 2).min(Backoff::MOST);
        bound.mul_f64(fastrand::f64())
    }

    /// Begins anew, after a connection that held.
    pub(crate) fn reset(&mut self) {
        self.bound = Backoff::FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_bounded_and_begin_anew_after_a_reset() {
        let mut backoff = Backoff::new();
        assert!(backoff.next_delay() <= Backoff::FIRST);
        assert!((0..20).all(|_| backoff.next_delay() <= Backoff::MOST));
        assert_eq!(backoff.bound, Backoff::MOST);
        backoff.reset();
        assert!(backoff.next_delay() <= Backoff::FIRST);
    }
}
