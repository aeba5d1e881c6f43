//! What a step puts on the service, and when each of its calls is due: pure.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::number::{float, grouped};

/// Calls of an open loop that may be in flight: what is due beyond them is made when some are answered.
pub(super) const MOST_IN_FLIGHT: usize = 16_384;

/// How long after the end of an open loop calls may be made that were due before it.
const GRACE: Duration = Duration::from_secs(1);

/// The load of a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Load {
    /// So many calls are in flight at a time.
    Concurrency(u32),
    /// So many calls are due each second.
    Rate(f64),
}

impl Load {
    /// What tells the steps of one run apart, as the title of a column.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Load::Concurrency(_) => "concurrency",
            Load::Rate(_) => "rate",
        }
    }

    pub(super) fn figure(self) -> String {
        match self {
            Load::Concurrency(calls) => grouped(f64::from(calls)),
            Load::Rate(rate) if rate < 100.0 => rate.to_string(),
            Load::Rate(rate) => grouped(rate),
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.unit(), self.figure())?;
        if matches!(self, Load::Rate(_)) { f.write_str("/s") } else { Ok(()) }
    }
}

/// How much of a load is put on the service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) duration: Duration,
    pub(super) max_calls: u64,
}

/// The calls of one step; times count from its beginning.
#[derive(Debug)]
pub(super) struct Schedule {
    load: Load,
    extent: Extent,
    made: u64,
    /// Whether calls that were due had to wait for others to be answered.
    held_back: bool,
}

/// What is to be done now.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Make a call, which was due at this time.
    Call { due: Duration },
    /// Nothing before this time, unless a call is answered.
    Wait { until: Duration },
    /// No further call is made.
    Over,
}

impl Schedule {
    pub(super) fn new(load: Load, extent: Extent) -> Self {
        Schedule { load, extent, made: 0, held_back: false }
    }

    /// What is to be done at this time; a call counts as made.
    pub(super) fn next(&mut self, now: Duration, in_flight: usize) -> Next {
        let Extent { duration, max_calls } = self.extent;
        let (due, most) = match self.load {
            Load::Concurrency(calls) => (now, usize::try_from(calls).unwrap_or(usize::MAX)),
            Load::Rate(rate) => (due(rate, self.made), MOST_IN_FLIGHT),
        };
        // Calls that were due are made, also if this thread was kept from it, unless too many are in flight.
        let is_late = now >= duration && (in_flight >= most || now >= duration + GRACE);
        if self.made >= max_calls || due >= duration || is_late {
            return Next::Over;
        }
        if now < due {
            return Next::Wait { until: due };
        }
        if in_flight >= most {
            self.held_back |= matches!(self.load, Load::Rate(_));
            return Next::Wait { until: duration };
        }
        self.made += 1;
        Next::Call { due }
    }

    pub(super) fn load(&self) -> Load {
        self.load
    }

    pub(super) fn made(&self) -> u64 {
        self.made
    }

    /// Of a step that ended by itself at this time, the calls that were due and not made.
    pub(super) fn not_made(&self, now: Duration) -> u64 {
        match self.load {
            Load::Concurrency(_) => 0,
            Load::Rate(rate) => {
                let Extent { duration, max_calls } = self.extent;
                due_before(rate, now.min(duration)).min(max_calls).saturating_sub(self.made)
            }
        }
    }

    pub(super) fn was_held_back(&self) -> bool {
        self.held_back
    }

    /// The second half of an open loop, in which it shows whether the service keeps the rate.
    pub(super) fn second_half(&self) -> Option<SecondHalf> {
        let Load::Rate(rate) = self.load else { return None };
        let calls = due_before(rate, self.extent.duration).min(self.extent.max_calls);
        let end = due(rate, calls).min(self.extent.duration);
        let begin = end / 2;
        Some(SecondHalf { begin, end, due: calls - due_before(rate, begin).min(calls) })
    }
}

/// A part of an open loop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SecondHalf {
    pub(super) begin: Duration,
    pub(super) end: Duration,
    /// Calls that are due in it.
    pub(super) due: u64,
}

impl SecondHalf {
    /// Whether a service that answered so many calls in it keeps up: no queue grows, but for one call or 5 %.
    pub(super) fn is_kept_by(&self, answered: u64) -> bool {
        float(answered) + 1.0 >= 0.95 * float(self.due)
    }
}

/// When the call of this number is due, the first being 0.
fn due(rate: f64, number: u64) -> Duration {
    Duration::try_from_secs_f64(float(number) / rate).unwrap_or(Duration::MAX)
}

/// How many calls are due before this time.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time and a rate are positive, and small"
)]
fn due_before(rate: f64, time: Duration) -> u64 {
    // The nanoseconds of a time are rounded, so a call that is due at the end of it is not before it.
    (time.as_secs_f64() * rate - 1e-6).ceil().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn schedule(load: Load, max_calls: u64) -> Schedule {
        Schedule::new(load, Extent { duration: SECOND, max_calls })
    }

    #[test]
    fn a_closed_loop_keeps_its_calls_in_flight() {
        let mut schedule = schedule(Load::Concurrency(2), 3);
        assert_eq!(schedule.next(at(0), 0), Next::Call { due: at(0) });
        assert_eq!(schedule.next(at(1), 1), Next::Call { due: at(1) });
        assert_eq!(schedule.next(at(2), 2), Next::Wait { until: SECOND });
        assert_eq!(schedule.next(at(3), 1), Next::Call { due: at(3) });
        assert_eq!(schedule.next(at(4), 1), Next::Over);
        assert_eq!((schedule.made(), schedule.not_made(at(4))), (3, 0));
    }

    #[test]
    fn a_step_ends_with_its_duration() {
        assert_eq!(schedule(Load::Concurrency(2), 9).next(SECOND, 0), Next::Over);
        // Nothing that was due is left out.
        let mut late = schedule(Load::Rate(10.0), 9);
        assert_eq!(late.next(SECOND, 0), Next::Call { due: at(0) });
        assert_eq!(late.next(SECOND, MOST_IN_FLIGHT), Next::Over);
        assert_eq!(late.next(SECOND + GRACE, 0), Next::Over);
        assert_eq!(late.not_made(SECOND + GRACE), 8);
    }

    #[test]
    fn an_open_loop_goes_by_the_clock() {
        let mut schedule = schedule(Load::Rate(10.0), u64::MAX);
        assert_eq!(schedule.next(at(0), 0), Next::Call { due: at(0) });
        assert_eq!(schedule.next(at(1), 1), Next::Wait { until: at(100) });
        // Late: it counts from when it was due.
        assert_eq!(schedule.next(at(250), 1), Next::Call { due: at(100) });
        assert_eq!(schedule.next(at(250), 2), Next::Call { due: at(200) });
        assert_eq!(schedule.next(at(250), 3), Next::Wait { until: at(300) });
        assert_eq!(schedule.not_made(SECOND), 7);
        assert!(!schedule.was_held_back());
    }

    #[test]
    fn an_open_loop_has_bounds() {
        let mut schedule = schedule(Load::Rate(10.0), u64::MAX);
        assert_eq!(schedule.next(at(0), MOST_IN_FLIGHT), Next::Wait { until: SECOND });
        assert!(schedule.was_held_back());
        assert_eq!(schedule.next(SECOND, MOST_IN_FLIGHT), Next::Over);
    }

    #[test]
    fn every_call_of_a_rate_is_made_once() {
        for rate in [0.5, 1.0, 3.0, 7.3, 10.0, 999.9, 1e4] {
            let mut schedule = schedule(Load::Rate(rate), u64::MAX);
            let mut now = at(0);
            loop {
                match schedule.next(now, 0) {
                    Next::Call { due } => assert!(due <= now),
                    Next::Wait { until } => now = until,
                    Next::Over => break,
                }
            }
            assert_eq!((schedule.made(), schedule.not_made(SECOND)), (due_before(rate, SECOND), 0), "{rate}");
        }
    }

    #[test]
    fn a_rate_is_kept_if_no_queue_grows() {
        let half = |rate, calls| schedule(Load::Rate(rate), calls).second_half().unwrap();
        assert_eq!(half(10.0, u64::MAX), SecondHalf { begin: at(500), end: SECOND, due: 5 });
        // The last call ends it.
        assert_eq!(half(10.0, 4), SecondHalf { begin: at(200), end: at(400), due: 2 });
        let half = half(1000.0, u64::MAX);
        assert!(half.is_kept_by(480) && !half.is_kept_by(470), "{half:?}");
        assert_eq!(schedule(Load::Concurrency(1), 1).second_half(), None);
    }
}
