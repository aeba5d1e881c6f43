//! What a server counts of each function: how often it ran, what came of it, how long it took.
//!
//! Whoever asks takes a snapshot; recording one run takes a handful of atomic additions and no lock.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use foldhash::fast::RandomState;
use histogram::AtomicHistogram;

#[cfg(feature = "metrics")]
use crate::message::UNKNOWN_FUNCTION;
use crate::message::{EncodedReply, PING, ReplyKind, status};

mod coalesced;
#[cfg(feature = "metrics")]
mod measured;

pub(crate) use coalesced::Coalesced;
#[cfg(feature = "metrics")]
use measured::MeasuredTimes;

/// Waking another worker costs about as much, so that for anything quicker it is not worth it.
const SLOW: Duration = Duration::from_micros(50);
/// The weight of one run in the average: 1/8.
const WEIGHT: u64 = 8;
/// A time that is read from a histogram is right within 1/32.
const GROUPING: u8 = 5;
/// The longest time that is told from longer ones: 2^36 µs, 19 hours.
const LONGEST: u8 = 36;
/// The refusals that are counted each for itself; whatever else there is counts as the last.
const REFUSALS: [u16; 6] = [
    status::NOT_FOUND,
    status::EXPIRED,
    status::DELIVERED_BEFORE,
    status::TOO_LARGE,
    status::UNSUPPORTED_CONTENT_TYPE,
    status::BAD_REQUEST,
];

/// The statistics of the functions of one service in one lane.
#[derive(Debug)]
pub(crate) struct ServiceStatistics {
    functions: HashMap<&'static str, FunctionStatistics, RandomState>,
    /// Requests for what the service does not have.
    unknown: FunctionStatistics,
    /// guirpc's own answers to pings, which nobody asks for.
    pings: FunctionStatistics,
}

/// The statistics of one function.
#[derive(Debug, Default)]
pub(crate) struct FunctionStatistics {
    /// In nanoseconds: a guess that decides about speed only, so updates that overtake each other do no harm.
    usual_time: AtomicU64,
    begun: AtomicU64,
    ended: AtomicU64,
    outputs: AtomicU64,
    errors: AtomicU64,
    faults: AtomicU64,
    refusals: [AtomicU64; REFUSALS.len()],
    cached: AtomicU64,
    redelivered: AtomicU64,
    retries: AtomicU64,
    dead_letters: AtomicU64,
    run_time: Times,
    queue_time: Times,
    last_failure: Mutex<Option<LastFailure>>,
    /// Once somebody wants to have it.
    #[cfg(feature = "metrics")]
    measured: OnceLock<Box<MeasuredTimes>>,
}

/// How long something took, each time.
#[derive(Debug, Default)]
struct Times {
    /// It takes some kilobytes, so there is none before there is a time.
    histogram: OnceLock<AtomicHistogram>,
    microseconds: AtomicU64,
}

/// The last failure of a function, without anything that its caller has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastFailure {
    pub(crate) status: u16,
    pub(crate) time: SystemTime,
}

/// What the statistics of a function were at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) begun: u64,
    pub(crate) in_flight: u64,
    pub(crate) outputs: u64,
    pub(crate) errors: u64,
    pub(crate) faults: u64,
    /// By status; only those that there were.
    pub(crate) refusals: Vec<(u16, u64)>,
    pub(crate) cached: u64,
    pub(crate) redelivered: u64,
    pub(crate) retries: u64,
    pub(crate) dead_letters: u64,
    pub(crate) run_time: TimesSnapshot,
    pub(crate) queue_time: TimesSnapshot,
    pub(crate) last_failure: Option<LastFailure>,
}

/// How long something took by one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TimesSnapshot {
    pub(crate) count: u64,
    pub(crate) sum: Duration,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

impl ServiceStatistics {
    pub(crate) fn new(functions: impl Iterator<Item = &'static str>) -> Self {
        let functions = functions.map(|name| (name, FunctionStatistics::default())).collect();
        ServiceStatistics { functions, unknown: FunctionStatistics::default(), pings: FunctionStatistics::default() }
    }

    /// Those of this function, or of all that are unknown.
    pub(crate) fn of(&self, function: &str) -> &FunctionStatistics {
        let others = if function == PING { &self.pings } else { &self.unknown };
        self.functions.get(function).unwrap_or(others)
    }

    /// From now on, how long calls take and wait is kept for metrics.
    #[cfg(feature = "metrics")]
    pub(crate) fn measure(&self) {
        for function in self.functions.values().chain([&self.unknown]) {
            function.measured.get_or_init(Box::default);
        }
    }

    /// Those of each function, and of all that are unknown.
    #[cfg(feature = "metrics")]
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &FunctionStatistics)> {
        let known = self.functions.iter().map(|(name, statistics)| (*name, statistics));
        known.chain([(UNKNOWN_FUNCTION, &self.unknown)])
    }

    /// Those of requests for functions that the service does not have.
    pub(crate) fn unknown(&self) -> &FunctionStatistics {
        &self.unknown
    }
}

impl FunctionStatistics {
    /// Whether it usually takes so long that it pays to hand the lead on before it runs.
    pub(crate) fn is_usually_slow(&self) -> bool {
        Duration::from_nanos(self.usual_time.load(Ordering::Relaxed)) >= SLOW
    }

    /// Notes how long a worker was held up by it.
    pub(crate) fn held_up(&self, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX) / WEIGHT;
        let old = self.usual_time.load(Ordering::Relaxed);
        self.usual_time.store(old - old / WEIGHT + took, Ordering::Relaxed);
    }

    /// A request is about to run, this long after it was made if that is known.
    pub(crate) fn begin(&self, waited: Option<Duration>, is_redelivered: bool) {
        add(&self.begun);
        if is_redelivered {
            add(&self.redelivered);
        }
        if let Some(waited) = waited {
            self.queue_time.record(waited);
            #[cfg(feature = "metrics")]
            if let Some(measured) = self.measured.get() {
                measured.queue.record(waited);
            }
        }
    }

    /// A request has run, or was refused: what was answered, and how long it took.
    pub(crate) fn end(&self, reply: &EncodedReply, took: Duration) {
        add(&self.ended);
        let outcome = reply.outcome();
        #[cfg(feature = "metrics")]
        if let Some(measured) = self.measured.get() {
            measured.calls(outcome).record(took);
        }
        match outcome {
            ReplyKind::Refusal => {
                let last = REFUSALS.len() - 1;
                let at = REFUSALS.iter().position(|status| *status == reply.status).unwrap_or(last);
                add(&self.refusals[at]);
                return;
            }
            ReplyKind::Error => self.fail(&self.errors, reply.status),
            ReplyKind::Fault => self.fail(&self.faults, reply.status),
            ReplyKind::Output => add(&self.outputs),
        }
        self.run_time.record(took);
    }

    /// Its times, if they are kept for metrics.
    #[cfg(feature = "metrics")]
    pub(crate) fn measured(&self) -> Option<&MeasuredTimes> {
        self.measured.get().map(Box::as_ref)
    }

    /// It ended without an answer.
    #[cfg(feature = "tokio")]
    pub(crate) fn abandon(&self) {
        add(&self.ended);
    }

    fn fail(&self, counter: &AtomicU64, status: u16) {
        add(counter);
        let failure = LastFailure { status, time: SystemTime::now() };
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }

    /// A request was answered as one before, without a run.
    pub(crate) fn answer_again(&self) {
        add(&self.cached);
    }

    /// A request that failed is to be tried again.
    pub(crate) fn retry(&self) {
        add(&self.retries);
    }

    /// A request becomes a dead letter.
    pub(crate) fn dead_letter(&self) {
        add(&self.dead_letters);
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // Read in this order it is never negative.
        let ended = read(&self.ended);
        let begun = read(&self.begun);
        let refusals = REFUSALS.iter().zip(&self.refusals).map(|(status, count)| (*status, read(count)));
        Snapshot {
            begun,
            in_flight: begun.saturating_sub(ended),
            outputs: read(&self.outputs),
            errors: read(&self.errors),
            faults: read(&self.faults),
            refusals: refusals.filter(|(_, count)| *count > 0).collect(),
            cached: read(&self.cached),
            redelivered: read(&self.redelivered),
            retries: read(&self.retries),
            dead_letters: read(&self.dead_letters),
            run_time: self.run_time.snapshot(),
            queue_time: self.queue_time.snapshot(),
            last_failure: self.last_failure.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl Times {
    fn record(&self, time: Duration) {
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).min((1 << LONGEST) - 1);
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
        let histogram = self
            .histogram
            .get_or_init(|| AtomicHistogram::new(GROUPING, LONGEST).expect("there are histograms of this resolution"));
        // It is not too long for it.
        let _ = histogram.increment(microseconds);
    }

    fn snapshot(&self) -> TimesSnapshot {
        let Some(histogram) = self.histogram.get() else { return TimesSnapshot::default() };
        let histogram = histogram.load();
        let count = histogram.as_slice().iter().sum();
        let time = |quantile: f64| {
            let bucket = histogram.quantile_bucket(quantile).ok().flatten();
            bucket.map_or(Duration::ZERO, |bucket| Duration::from_micros(bucket.end()))
        };
        let sum = Duration::from_micros(self.microseconds.load(Ordering::Relaxed));
        TimesSnapshot { count, sum, p50: time(0.5), p99: time(0.99), max: time(1.0) }
    }
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::message::{Headers, ReplyKind};

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn reply(kind: Option<ReplyKind>, status: u16) -> EncodedReply {
        let (content_type, content_encoding, headers, body) = ("".into(), None, Headers::new(), Vec::new());
        EncodedReply { kind, status, content_type, content_encoding, headers, body }
    }

    #[test]
    fn a_function_is_slow_once_it_usually_takes_long() {
        let statistics = FunctionStatistics::default();
        assert!(!statistics.is_usually_slow());
        (0..20).for_each(|_| statistics.held_up(MILLISECOND));
        assert!(statistics.is_usually_slow());
        (0..50).for_each(|_| statistics.held_up(MILLISECOND / 1000));
        assert!(!statistics.is_usually_slow());
    }

    #[test]
    fn what_comes_of_requests_is_counted_by_kind() {
        let statistics = FunctionStatistics::default();
        let replies = [
            (Some(ReplyKind::Output), 200),
            (Some(ReplyKind::Error), 422),
            (Some(ReplyKind::Fault), 503),
            (Some(ReplyKind::Refusal), 404),
            (Some(ReplyKind::Refusal), 400),
            (Some(ReplyKind::Refusal), 499),
            (None, 200),
            (None, 500),
        ];
        for (kind, status) in replies {
            statistics.begin(Some(3 * MILLISECOND), status == 503);
            statistics.end(&reply(kind, status), MILLISECOND);
        }
        statistics.begin(None, false);
        let snapshot = statistics.snapshot();
        let Snapshot { begun, in_flight, outputs, errors, faults, redelivered, .. } = snapshot;
        assert_eq!((begun, in_flight, outputs, errors, faults, redelivered), (9, 1, 2, 1, 2, 1));
        assert_eq!(snapshot.refusals, [(404, 1), (400, 2)]);
        assert_eq!(snapshot.last_failure.map(|failure| failure.status), Some(500));
        assert_eq!((snapshot.run_time.count, snapshot.queue_time.count), (5, 8));
        assert_eq!(snapshot.run_time.sum, 5 * MILLISECOND);
    }

    #[test]
    fn what_nobody_knows_counts_together() {
        let statistics = ServiceStatistics::new(["add"].into_iter());
        for function in ["add", "a", "b"] {
            statistics.of(function).begin(None, false);
        }
        assert_eq!((statistics.of("add").snapshot().begun, statistics.unknown().snapshot().begun), (1, 2));
    }

    proptest! {
        /// Any quantile is that of the times, within 1/32.
        #[test]
        fn quantiles_are_right(mut times in vec(0_u64..10_000_000, 1..200)) {
            let recorded = Times::default();
            for time in &times {
                recorded.record(Duration::from_micros(*time));
            }
            times.sort_unstable();
            let snapshot = recorded.snapshot();
            prop_assert_eq!(snapshot.count, times.len() as u64);
            prop_assert_eq!(snapshot.sum, Duration::from_micros(times.iter().sum()));
            let (max, median) = (times[times.len() - 1], times[(times.len() - 1) / 2]);
            for (told, exact) in [(snapshot.max, max), (snapshot.p50, median)] {
                let told = u64::try_from(told.as_micros()).unwrap();
                prop_assert!(told >= exact && told <= exact + exact / 32 + 1, "{} for {}", told, exact);
            }
        }

        #[test]
        fn no_time_is_too_long(seconds in any::<u64>()) {
            let recorded = Times::default();
            recorded.record(Duration::from_secs(seconds));
            prop_assert_eq!(recorded.snapshot().count, 1);
        }
    }
}
