//! How often something may be done: a token bucket. Pure data, no clock.

use std::time::{Duration, Instant};

/// Tokens in a full bucket: how many may be taken at once.
const MOST: u32 = 10;
/// How long it takes for one token to come.
const EACH: Duration = Duration::from_secs(1);

/// A bucket that is full in the beginning.
#[derive(Debug)]
pub(super) struct Budget {
    tokens: u32,
    /// Since when the next token has been on its way; `None` as long as the bucket is full.
    since: Option<Instant>,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { tokens: MOST, since: None }
    }
}

impl Budget {
    /// Takes a token, if there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        self.refill(now);
        if self.tokens == 0 {
            return false;
        }
        self.tokens -= 1;
        self.since.get_or_insert(now);
        true
    }

    fn refill(&mut self, now: Instant) {
        let Some(since) = self.since else { return };
        let passed = now.saturating_duration_since(since).as_millis() / EACH.as_millis();
        let come = u32::try_from(passed).unwrap_or(u32::MAX).min(MOST - self.tokens);
        self.tokens += come;
        self.since = (self.tokens < MOST).then(|| since + EACH * come);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_a_steady_rate() {
        let (mut budget, start) = (Budget::default(), Instant::now());
        let mut taken = |seconds: u64| {
            let now = start + Duration::from_secs(seconds);
            (0..100).filter(|_| budget.take(now)).count()
        };
        assert_eq!(taken(0), 10);
        assert_eq!(taken(0), 0);
        assert_eq!(taken(1), 1);
        assert_eq!(taken(4), 3);
        assert_eq!(taken(1000), 10, "no more than a full bucket");
        assert_eq!(taken(1001), 1);
    }

    #[test]
    fn a_part_of_a_token_is_not_lost() {
        let (mut budget, start) = (Budget::default(), Instant::now());
        (0..10).for_each(|_| assert!(budget.take(start)));
        assert!(!budget.take(start + Duration::from_millis(900)));
        assert!(budget.take(start + Duration::from_millis(1900)));
        assert!(budget.take(start + Duration::from_secs(2)));
    }
}
