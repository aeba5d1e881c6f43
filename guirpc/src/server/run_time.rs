//! How long each function usually takes: whether it pays to hand the lead on before running it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foldhash::fast::RandomState;

/// Waking another worker costs about as much, so that for anything quicker it is not worth it.
const SLOW: Duration = Duration::from_micros(50);
/// The weight of one run in the average: 1/8.
const WEIGHT: u64 = 8;

/// The average run times of the functions of one service.
///
/// They are a guess that decides about speed only, so updates that overtake each other do no harm.
#[derive(Debug)]
pub(super) struct RunTimes(HashMap<&'static str, AtomicU64, RandomState>);

impl RunTimes {
    pub(super) fn new(functions: impl Iterator<Item = &'static str>) -> Self {
        RunTimes(functions.map(|name| (name, AtomicU64::new(0))).collect())
    }

    pub(super) fn is_slow(&self, function: &str) -> bool {
        let average = self.0.get(function).map_or(0, |average| average.load(Ordering::Relaxed));
        Duration::from_nanos(average) >= SLOW
    }

    pub(super) fn record(&self, function: &str, took: Duration) {
        if let Some(average) = self.0.get(function) {
            let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX) / WEIGHT;
            let old = average.load(Ordering::Relaxed);
            average.store(old - old / WEIGHT + took, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_slow_once_it_usually_takes_long() {
        let run_times = RunTimes::new(["f"].into_iter());
        assert!(!run_times.is_slow("f"));
        (0..20).for_each(|_| run_times.record("f", Duration::from_millis(1)));
        assert!(run_times.is_slow("f"));
        (0..50).for_each(|_| run_times.record("f", Duration::from_micros(1)));
        assert!(!run_times.is_slow("f"));
    }
}
