//! What came of the calls of a step.

use std::collections::BTreeMap;
use std::time::Duration;

use guirpc::CallError;
use hdrhistogram::Histogram;

use super::LONGEST;
use super::load::{Load, Schedule, SecondHalf};
use super::number::float;
use super::report::{Errors, Latency, Step};
use super::slices::Slices;
use crate::failure::Failure;

/// Characters of a message that is kept.
const MESSAGE: usize = 500;

/// What came of a call.
pub(super) type Outcome = Result<String, CallError<String>>;

pub(super) struct Tally {
    /// In microseconds.
    latencies: Histogram<u64>,
    slices: Slices,
    answered: u64,
    /// When the last answer came.
    last_answer: Duration,
    second_half: Option<SecondHalf>,
    answered_in_second_half: u64,
    errors: BTreeMap<&'static str, (u64, Failure)>,
}

/// How a step went.
pub(super) struct Went<'a> {
    pub(super) load: Load,
    pub(super) schedule: &'a Schedule,
    pub(super) abandoned: u64,
    /// When the last call was made, or the end of the duration.
    pub(super) calling: Duration,
}

impl Tally {
    pub(super) fn new(schedule: &Schedule) -> Self {
        Tally {
            latencies: Histogram::new_with_max(LONGEST, 3).expect("three digits of a day are possible"),
            slices: Slices::new(),
            answered: 0,
            last_answer: Duration::ZERO,
            second_half: schedule.second_half(),
            answered_in_second_half: 0,
            errors: BTreeMap::new(),
        }
    }

    /// The outcome of a call that was due and decided at these times from the beginning of the step.
    pub(super) fn record(&mut self, due: Duration, decided: Duration, outcome: Outcome) {
        let Err(error) = outcome else { return self.answer(due, decided) };
        let kind = kind(&error);
        match error {
            CallError::Function(_) | CallError::Fault(_) | CallError::Undecodable { .. } => self.answer(due, decided),
            // It would have been longer; to leave it out would flatter the service.
            CallError::TimedOut { .. } => self.latencies.saturating_record(microseconds(due, decided)),
            _ => {}
        }
        let (count, _) = self.errors.entry(kind).or_insert_with(|| (0, error.into()));
        *count += 1;
    }

    fn answer(&mut self, due: Duration, decided: Duration) {
        let latency = microseconds(due, decided);
        self.latencies.saturating_record(latency);
        self.slices.record(decided, latency);
        self.answered += 1;
        self.last_answer = self.last_answer.max(decided);
        if self.second_half.is_some_and(|half| (half.begin..half.end).contains(&decided)) {
            self.answered_in_second_half += 1;
        }
    }

    pub(super) fn answered(&self) -> u64 {
        self.answered
    }

    pub(super) fn last_answer(&self) -> Duration {
        self.last_answer
    }

    /// How many calls failed in the way in which most did, and the first of them.
    pub(super) fn most_frequent_failure(&self) -> Option<(u64, Failure)> {
        self.errors.values().max_by_key(|(count, _)| *count).cloned()
    }

    pub(super) fn to_step(&self, went: &Went<'_>) -> Step {
        let &Went { load, schedule, abandoned, calling } = went;
        let elapsed = if self.answered > 0 { self.last_answer } else { calling };
        // What ended early shows nothing.
        let is_whole = abandoned == 0;
        let rate_kept = self.second_half.filter(|_| is_whole).map(|half| half.is_kept_by(self.answered_in_second_half));
        let quantile = |quantile| self.latencies.value_at_quantile(quantile).min(self.latencies.max());
        let errors = |(kind, (count, failure)): (&&str, &(u64, Failure))| {
            ((*kind).to_owned(), Errors { count: *count, first: failure.message().chars().take(MESSAGE).collect() })
        };
        Step {
            load,
            elapsed_s: elapsed.as_secs_f64(),
            made: schedule.made(),
            answered: self.answered,
            abandoned,
            not_made: if is_whole { schedule.not_made(calling) } else { 0 },
            calls_per_s: float(self.answered) / elapsed.as_secs_f64().max(1e-6),
            rate_kept,
            latency_us: Latency {
                mean: self.latencies.mean(),
                p50: quantile(0.5),
                p90: quantile(0.9),
                p99: quantile(0.99),
                p99_9: quantile(0.999),
                max: self.latencies.max(),
            },
            slices: self.slices.until(elapsed.min(calling)),
            histogram_us: self
                .latencies
                .iter_recorded()
                .map(|bucket| (bucket.value_iterated_to(), bucket.count_at_value()))
                .collect(),
            errors: self.errors.iter().map(errors).collect(),
            warnings: Vec::new(),
        }
    }
}

fn microseconds(due: Duration, decided: Duration) -> u64 {
    u64::try_from(decided.saturating_sub(due).as_micros()).unwrap_or(u64::MAX).max(1)
}

fn kind(error: &CallError<String>) -> &'static str {
    match error {
        CallError::Function(_) => "function error",
        CallError::Fault(_) => "fault",
        CallError::Refused(_) => "refused",
        CallError::Unroutable { .. } => "unroutable",
        CallError::TimedOut { .. } => "timed out",
        CallError::Disconnected { .. } => "disconnected",
        CallError::Blocked { .. } => "blocked",
        CallError::Overloaded { .. } => "overloaded",
        CallError::Backpressure { .. } => "backpressure",
        CallError::Unsendable { .. } => "unsendable",
        CallError::Undecodable { .. } => "undecodable",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::{Extent, Next};
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// All calls of a step of a second are made in time, and their outcomes recorded; gives the step.
    fn step(load: Load, outcomes: impl Fn(u64) -> Option<(Duration, Outcome)>) -> Step {
        let mut schedule = Schedule::new(load, Extent { duration: SECOND, max_calls: 100 });
        let mut tally = Tally::new(&schedule);
        let mut now = Duration::ZERO;
        let mut abandoned = 0;
        loop {
            match schedule.next(now, 0) {
                Next::Call { due } => match outcomes(schedule.made() - 1) {
                    Some((latency, outcome)) => tally.record(due, due + latency, outcome),
                    None => abandoned += 1,
                },
                Next::Wait { until } => now = until,
                Next::Over => break,
            }
        }
        tally.to_step(&Went { load, schedule: &schedule, abandoned, calling: now })
    }

    #[test]
    fn a_service_that_keeps_the_rate_shows_its_latency() {
        let step = step(Load::Rate(100.0), |_| Some((at(5), Ok(String::new()))));
        assert_eq!((step.made, step.answered, step.not_made, step.rate_kept), (100, 100, 0, Some(true)));
        assert!((99.0..101.0).contains(&step.calls_per_s), "{step:?}");
        assert_eq!((step.latency_us.p50, step.latency_us.max), (5003, 5003));
        assert_eq!(step.histogram_us, [(5003, 100)]);
    }

    #[test]
    fn a_queue_that_grows_shows_in_the_latency() {
        // One worker that takes 20 ms for each call, of which 100 come a second.
        let step = step(Load::Rate(100.0), |call| Some((at(20 + call * 10), Ok(String::new()))));
        assert_eq!((step.answered, step.rate_kept), (100, Some(false)));
        assert!(step.latency_us.p99 > 900_000 && step.latency_us.p50 > 450_000, "{step:?}");
        assert!((49.0..52.0).contains(&step.calls_per_s), "{step:?}");
    }

    #[test]
    fn a_call_that_times_out_is_slow_and_no_answer() {
        let late = || CallError::TimedOut { timeout: SECOND, idempotent: false };
        let step = step(Load::Rate(100.0), |call| {
            if call < 90 { Some((at(1), Ok(String::new()))) } else { Some((SECOND, Err(late()))) }
        });
        assert_eq!((step.answered, step.failed(), step.decided()), (90, 10, 100));
        assert!((step.failed_share() - 0.1).abs() < 1e-9);
        assert_eq!(step.errors["timed out"], Errors { count: 10, first: "no reply within 1s".to_owned() });
        assert!(step.latency_us.p99 >= 1_000_000, "{step:?}");
    }

    #[test]
    fn what_a_function_says_is_an_answer_and_an_error() {
        let step = step(Load::Rate(10.0), |_| Some((at(1), Err(CallError::Function("\"no\"".to_owned())))));
        assert_eq!((step.answered, step.failed()), (10, 10));
        assert_eq!(step.errors["function error"].first, "\"no\"");
    }

    #[test]
    fn what_ends_early_says_nothing_of_the_rate() {
        let step = step(Load::Rate(10.0), |call| (call < 3).then(|| (at(1), Ok(String::new()))));
        assert_eq!((step.made, step.answered, step.abandoned, step.decided(), step.rate_kept), (10, 3, 7, 3, None));
    }
}
