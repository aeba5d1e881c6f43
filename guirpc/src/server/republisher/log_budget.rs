//! How many dead letters the log tells of one by one: strangers can send as many as they like. Pure data, no clock.

use std::time::{Duration, Instant};

/// So many are told of one by one in each period, and of the others how many they were.
const MOST: u32 = 50;
const PERIOD: Duration = Duration::from_secs(1);

/// What was told and what was not, in the present period.
#[derive(Debug, Default)]
pub(super) struct LogBudget {
    /// When it began, if it is not over.
    began: Option<Instant>,
    told: u32,
    untold: u64,
}

impl LogBudget {
    /// Counts one more; whether it is told of by itself.
    pub(super) fn tells(&mut self, now: Instant) -> bool {
        self.began.get_or_insert(now);
        if self.told == MOST {
            self.untold += 1;
            return false;
        }
        self.told += 1;
        true
    }

    /// When the period is over.
    pub(super) fn due(&self) -> Option<Instant> {
        self.began.map(|began| began + PERIOD)
    }

    /// Ends the period, if it is over; gives how many were not told of, if there are any.
    pub(super) fn end(&mut self, now: Instant) -> Option<u64> {
        self.due().filter(|due| *due <= now)?;
        let untold = std::mem::take(self).untold;
        (untold > 0).then_some(untold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_of_by_its_size() {
        let (mut budget, start) = (LogBudget::default(), Instant::now());
        assert_eq!((budget.due(), budget.end(start)), (None, None));
        assert_eq!((0..1000).filter(|_| budget.tells(start)).count(), 50);
        assert_eq!(budget.end(start + PERIOD / 2), None, "the period is not over");
        assert_eq!(budget.due(), Some(start + PERIOD));
        assert_eq!(budget.end(start + PERIOD), Some(950));
        assert_eq!((budget.due(), budget.end(start + PERIOD * 2)), (None, None));
        assert!(budget.tells(start + PERIOD * 2));
        assert_eq!(budget.end(start + PERIOD * 3), None, "nothing was left out");
    }
}
