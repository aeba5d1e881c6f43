//! How long something took, each time, in the buckets of OpenTelemetry.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// OpenTelemetry's bounds for the duration of a call, each of the bucket that it ends; what is longer has one more.
pub(super) const BOUNDS: [Duration; 14] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(75),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(750),
    Duration::from_secs(1),
    Duration::from_millis(2500),
    Duration::from_secs(5),
    Duration::from_millis(7500),
    Duration::from_secs(10),
];
pub(super) const BUCKETS: usize = BOUNDS.len() + 1;

/// Counts of times, recorded by any number of threads without a lock.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    /// They last for five centuries of time spent, and then begin again.
    nanoseconds: AtomicU64,
}

/// What a histogram held at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Buckets {
    pub(super) counts: [u64; BUCKETS],
    pub(super) nanoseconds: u64,
}

impl Histogram {
    pub(crate) fn record(&self, time: Duration) {
        let bucket = BOUNDS.partition_point(|bound| *bound < time);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    pub(super) fn buckets(&self) -> Buckets {
        let counts = self.buckets.each_ref().map(|count| count.load(Ordering::Relaxed));
        Buckets { counts, nanoseconds: self.nanoseconds.load(Ordering::Relaxed) }
    }
}

impl Buckets {
    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(super) fn add(&mut self, other: &Buckets) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.nanoseconds = self.nanoseconds.wrapping_add(other.nanoseconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_the_first_bucket_that_holds_it() {
        let histogram = Histogram::default();
        let times = [0, 5, 6, 10_000, 10_001].map(Duration::from_millis);
        for time in times {
            histogram.record(time);
        }
        let Buckets { counts, nanoseconds } = histogram.buckets();
        assert_eq!((counts[0], counts[1], counts[13], counts[14]), (2, 1, 1, 1));
        assert_eq!(Duration::from_nanos(nanoseconds), times.iter().sum::<Duration>());
    }
}
