//! What a client's calls took, by function and by what came of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Instant;

use foldhash::fast::RandomState;

use super::families::Metric;
use super::histogram::Histogram;
use super::samples::Samples;
use crate::message::UNKNOWN_FUNCTION;

/// Beyond so many, functions count together: their names may be made up by whoever calls.
const MOST_FUNCTIONS: usize = 1000;

macro_rules! outcomes {
    ($($outcome:ident = $label:literal),+ $(,)?) => {
        /// What came of a call or a send.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum CallOutcome {
            $($outcome),+
        }

        /// As labels, in the same order.
        const LABELS: &[&str] = &[$($label),+];
    };
}

outcomes! {
    Output = "output",
    Error = "error",
    Fault = "fault",
    Refusal = "refusal",
    Accepted = "accepted",
    TooLarge = "too_large",
    Unroutable = "unroutable",
    Overloaded = "overloaded",
    Blocked = "blocked",
    Denied = "denied",
    Disconnected = "disconnected",
    NotSent = "not_sent",
    TimedOut = "timed_out",
    Abandoned = "abandoned",
}

/// The calls of all clients, by service, lane and function.
#[derive(Debug, Default)]
pub(super) struct Calls(RwLock<HashMap<String, Services, RandomState>>);

type Services = HashMap<String, HashMap<String, Arc<CallTimes>, RandomState>, RandomState>;

/// Those of one function.
#[derive(Debug, Default)]
pub(crate) struct CallTimes {
    begun: AtomicU64,
    ended: AtomicU64,
    calls: ByOutcome,
    sends: ByOutcome,
}

/// Most functions know few outcomes.
#[derive(Debug, Default)]
struct ByOutcome([OnceLock<Box<Histogram>>; LABELS.len()]);

/// A call or a send that is under way; without an outcome it was not made.
#[derive(Debug)]
pub(crate) struct Measured {
    times: Arc<CallTimes>,
    begun: Instant,
    is_send: bool,
}

impl Calls {
    pub(super) fn of(&self, service: &str, function: &str, lane: &str) -> Arc<CallTimes> {
        let found = {
            let services = self.0.read().unwrap_or_else(PoisonError::into_inner);
            services.get(service).and_then(|lanes| lanes.get(lane)?.get(function).cloned())
        };
        found.unwrap_or_else(|| self.add(service, function, lane))
    }

    #[cold]
    fn add(&self, service: &str, function: &str, lane: &str) -> Arc<CallTimes> {
        let mut services = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let known: usize = services.values().flat_map(HashMap::values).map(HashMap::len).sum();
        let [service, lane, function] = match known {
            0..MOST_FUNCTIONS => [service, lane, function],
            _ => [UNKNOWN_FUNCTION, "", UNKNOWN_FUNCTION],
        };
        let lanes = services.entry(service.to_owned()).or_default();
        Arc::clone(lanes.entry(lane.to_owned()).or_default().entry(function.to_owned()).or_default())
    }

    pub(super) fn collect(&self, samples: &mut Samples) {
        let services = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for (service, lanes) in &*services {
            for (lane, functions) in lanes {
                for (function, times) in functions {
                    times.collect([service, function, lane], samples);
                }
            }
        }
    }
}

impl CallTimes {
    fn collect(&self, [service, function, lane]: [&str; 3], samples: &mut Samples) {
        // Read in this order it is never negative.
        let ended = self.ended.load(Ordering::Acquire);
        let in_flight = self.begun.load(Ordering::Relaxed).saturating_sub(ended);
        samples.add(Metric::ClientInFlight, &[service, function, lane], in_flight);
        for (metric, times) in [(Metric::ClientCallDuration, &self.calls), (Metric::ClientSendDuration, &self.sends)] {
            for (outcome, times) in LABELS.iter().zip(&times.0) {
                if let Some(times) = times.get() {
                    samples.add_times(metric, &[service, function, lane, outcome], times);
                }
            }
        }
    }
}

impl Measured {
    pub(crate) fn begin(times: &Arc<CallTimes>, is_send: bool) -> Self {
        times.begun.fetch_add(1, Ordering::Relaxed);
        Measured { times: Arc::clone(times), begun: Instant::now(), is_send }
    }

    pub(crate) fn end(self, outcome: CallOutcome) {
        let times = if self.is_send { &self.times.sends } else { &self.times.calls };
        times.0[outcome as usize].get_or_init(Box::default).record(self.begun.elapsed());
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        self.times.ended.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn names_that_are_made_up_take_no_more_memory() {
        let metrics = Metrics::new();
        for number in 0..3 * MOST_FUNCTIONS {
            Measured::begin(&metrics.calls_of("math", &number.to_string(), ""), false).end(CallOutcome::Refusal);
        }
        let text = metrics.encode();
        let counts: Vec<&str> =
            text.lines().filter(|line| line.starts_with("rpc_client_call_duration_seconds_count")).collect();
        assert_eq!(counts.len(), MOST_FUNCTIONS + 1);
        let rest = counts.iter().find(|count| count.contains("function=\"_OTHER\"")).unwrap();
        assert!(rest.ends_with(&format!(" {}", 2 * MOST_FUNCTIONS)), "{rest}");
    }

    #[test]
    fn what_is_under_way_is_in_flight_until_it_has_an_outcome() {
        let metrics = Metrics::new();
        let has = |line: &str| metrics.encode().lines().any(|found| found == line);
        let times = metrics.calls_of("math", "add", "slow");
        let call = Measured::begin(&times, false);
        let labels = "service=\"math\",function=\"add\",lane=\"slow\"";
        assert!(has(&format!("guirpc_client_in_flight{{{labels}}} 1")), "{}", metrics.encode());
        call.end(CallOutcome::Abandoned);
        drop(Measured::begin(&times, false));
        Measured::begin(&times, true).end(CallOutcome::Accepted);
        assert!(has(&format!("guirpc_client_in_flight{{{labels}}} 0")), "{}", metrics.encode());
        let abandoned = format!("rpc_client_call_duration_seconds_count{{{labels},outcome=\"abandoned\"}} 1");
        let accepted = format!("guirpc_client_send_duration_seconds_count{{{labels},outcome=\"accepted\"}} 1");
        assert!(has(&abandoned) && has(&accepted), "{}", metrics.encode());
    }
}
