//! What fails again and again, and is told once a while.

use std::time::{Duration, Instant};

/// Between two lines that say the same.
const REMINDER: Duration = Duration::from_mins(1);
/// Texts that differ each time are not all kept.
const MOST_TEXTS: usize = 8;

/// Says of each failure whether it is to be logged: at once if it is new, then every minute.
#[derive(Debug, Default)]
pub(crate) struct Reminder {
    told: Vec<(String, Instant)>,
    /// Failures that were not logged since the last one that was.
    untold: u32,
}

impl Reminder {
    /// The line about a failure, if there is to be one.
    pub(crate) fn line(&mut self, failure: &str, now: Instant) -> Option<String> {
        self.told.retain(|(_, at)| now.duration_since(*at) < REMINDER);
        if self.told.len() == MOST_TEXTS || self.told.iter().any(|(told, _)| told == failure) {
            self.untold = self.untold.saturating_add(1);
            return None;
        }
        self.told.push((failure.to_owned(), now));
        Some(match std::mem::take(&mut self.untold) {
            0 => failure.to_owned(),
            1 => format!("{failure} (and one more attempt failed since the last line)"),
            untold => format!("{failure} (and {untold} more attempts failed since the last line)"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_every_minute_and_what_is_new_at_once() {
        let (mut reminder, start) = (Reminder::default(), Instant::now());
        let mut at = |seconds: u64, failure: &str| reminder.line(failure, start + Duration::from_secs(seconds));
        assert_eq!(at(0, "refused").as_deref(), Some("refused"));
        assert_eq!((at(1, "refused"), at(59, "refused")), (None, None));
        assert_eq!(at(59, "silent").as_deref(), Some("silent (and 2 more attempts failed since the last line)"));
        assert_eq!(at(60, "refused").as_deref(), Some("refused"));
        assert_eq!(at(61, "silent"), None);
        assert_eq!(at(119, "silent").as_deref(), Some("silent (and one more attempt failed since the last line)"));
    }

    #[test]
    fn failures_that_differ_each_time_do_not_fill_the_log() {
        let (mut reminder, now) = (Reminder::default(), Instant::now());
        let told = (0..100).filter_map(|number| reminder.line(&number.to_string(), now)).count();
        assert_eq!(told, MOST_TEXTS);
    }
}
