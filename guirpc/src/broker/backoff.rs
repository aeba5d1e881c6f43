//! How long to wait before the next attempt to connect.

use std::time::{Duration, Instant};

/// Exponential backoff with full jitter: anything from nothing to as long as the outage has lasted so far.
///
/// So the clients of one broker spread out, and after an outage of n seconds the last of them is back after about n
/// more: at no time does one wait longer than it has waited already.
#[derive(Debug)]
pub(crate) struct Backoff {
    since: Option<Instant>,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const MOST: Duration = Duration::from_secs(30);
    /// A connection that held this long was no false start.
    const STABLE: Duration = Duration::from_secs(10);

    pub(crate) fn new() -> Self {
        Backoff { since: None }
    }

    /// How long to wait now; the outage begins with the first question.
    pub(crate) fn next_delay(&mut self, now: Instant) -> Duration {
        let since = *self.since.get_or_insert(now);
        let bound = now.duration_since(since).clamp(Backoff::FIRST, Backoff::MOST);
        bound.mul_f64(fastrand::f64())
    }

    /// Begins anew, if the connection that ended had held.
    pub(crate) fn after_connection(&mut self, held: Duration) {
        if held >= Backoff::STABLE {
            self.since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When an outage of this length is over for one client, which takes no time to be refused.
    fn back_after(outage: Duration) -> Duration {
        let start = Instant::now();
        let (mut backoff, mut now) = (Backoff::new(), start);
        while now.duration_since(start) < outage {
            // An attempt takes some time.
            now += backoff.next_delay(now) + Duration::from_millis(1);
        }
        now.duration_since(start)
    }

    #[test]
    fn nobody_waits_much_longer_than_the_outage_lasted() {
        for outage in [1, 3, 10].map(Duration::from_secs) {
            let backs: Vec<Duration> = (0..200).map(|_| back_after(outage)).collect();
            assert!(backs.iter().all(|back| *back <= 2 * outage + Duration::from_millis(1)));
            let (first, last) = (backs.iter().min().unwrap(), backs.iter().max().unwrap());
            assert!(last.saturating_sub(*first) > outage / 4, "they come back in a crowd: from {first:?} to {last:?}");
        }
    }

    #[test]
    fn delays_are_bounded_and_begin_anew_after_a_connection_that_held() {
        let start = Instant::now();
        let mut backoff = Backoff::new();
        assert!(backoff.next_delay(start) <= Backoff::FIRST);
        let later = start + Duration::from_hours(1);
        assert!((0..1000).all(|_| backoff.next_delay(later) <= Backoff::MOST));
        backoff.after_connection(Backoff::STABLE);
        assert!(backoff.next_delay(later) <= Backoff::FIRST);
    }
}
