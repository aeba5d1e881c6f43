//! What limits the use of figures: that it was not the service that was measured, or that it did not keep up.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use super::load::{Load, MOST_IN_FLIGHT, Schedule};
use super::number::{float, grouped, three_digits};
use super::report::Step;

/// A thread that is ready to run for so large a share of the time is what limits.
const LIMIT: f64 = 0.9;
/// In less time, the counters of the system show nothing.
const SHORTEST: Duration = Duration::from_millis(100);
/// Microseconds by which a timer is late.
const TIMER: u64 = 1000;

/// The threads of this process, and how long each has run and waited for a CPU, in nanoseconds.
pub(super) struct Threads(HashMap<String, (u64, u64)>);

/// The thread that was ready to run for most of the time, as shares of that time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Busy {
    pub(super) ran: f64,
    /// It was ready, and others had the CPUs.
    pub(super) waited: f64,
}

impl Threads {
    /// None, where the system does not tell: Linux does.
    pub(super) fn now() -> Self {
        let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let thread = |task: fs::DirEntry| {
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            let mut counts = text.split_ascii_whitespace().map(str::parse::<u64>);
            let times = (counts.next()?.ok()?, counts.next()?.ok()?);
            Some((task.file_name().to_string_lossy().into_owned(), times))
        };
        Threads(tasks.filter_map(thread).collect())
    }

    /// The busiest since, which was so long ago.
    pub(super) fn busiest(&self, elapsed: Duration) -> Option<Busy> {
        if elapsed < SHORTEST {
            return None;
        }
        busiest(self, &Threads::now(), elapsed)
    }
}

fn busiest(before: &Threads, after: &Threads, elapsed: Duration) -> Option<Busy> {
    let share = |nanoseconds: u64| float(nanoseconds) / 1e9 / elapsed.as_secs_f64();
    let threads = after.0.iter().map(|(thread, (ran, waited))| {
        let (ran_before, waited_before) = before.0.get(thread).copied().unwrap_or_default();
        Busy { ran: share(ran.saturating_sub(ran_before)), waited: share(waited.saturating_sub(waited_before)) }
    });
    threads.max_by(|a, b| (a.ran + a.waited).total_cmp(&(b.ran + b.waited)))
}

/// What is to be known of a step, whose calls were made so many microseconds after they were due (p99).
pub(super) fn warnings(step: &Step, schedule: &Schedule, busy: Option<&Busy>, delay: u64) -> Vec<String> {
    let mut warnings = Vec::new();
    let limit = busy.filter(|busy| busy.ran + busy.waited >= LIMIT);
    if let Some(Busy { ran, waited }) = limit {
        let [ran, waited] = [ran, waited].map(|share| grouped(share * 100.0));
        warnings.push(format!(
            "this machine was the limit, not the service: a thread of this command ran for {ran} % of the time and \
             waited for a CPU for {waited} %; a machine of its own, or several runs at once, can do more"
        ));
    }
    let Load::Rate(rate) = step.load else { return warnings };
    if step.rate_kept == Some(false) {
        let who = if limit.is_some() { "it" } else { "the service" };
        warnings.push(format!(
            "{who} did not keep the rate: of {} calls/s that were due, {} were answered; the latencies are those of a \
             queue that grows, and the longer a step, the larger they are",
            three_digits(rate),
            three_digits(step.calls_per_s),
        ));
    }
    if step.not_made > 0 {
        let why = if schedule.was_held_back() {
            format!("{} were in flight, which is the most", grouped(float(MOST_IN_FLIGHT as u64)))
        } else {
            "this machine was too slow".to_owned()
        };
        warnings.push(format!("{} calls that were due were not made: {why}", grouped(float(step.not_made))));
    } else if !schedule.was_held_back() && delay > TIMER && delay * 10 > step.latency_us.p99 {
        warnings.push(format!(
            "this machine made calls up to {} ms (p99) after they were due, which is in their latency",
            three_digits(float(delay) / 1e3)
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::super::load::{Extent, Next};
    use super::super::report::tests::step;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn threads(times: [(u64, u64); 2]) -> Threads {
        Threads(["1", "2"].map(str::to_owned).into_iter().zip(times).collect())
    }

    #[test]
    fn the_busiest_thread_counts() {
        let [before, after] = [[(5, 7), (0, 0)], [(200_000_005, 700_000_007), (600_000_000, 0)]].map(threads);
        let busy = busiest(&before, &after, SECOND).unwrap();
        assert!((busy.ran - 0.2).abs() < 1e-6 && (busy.waited - 0.7).abs() < 1e-6, "{busy:?}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_busy_thread_is_seen() {
        let share = || {
            let (threads, begun) = (Threads::now(), std::time::Instant::now());
            while begun.elapsed() < SHORTEST * 3 {}
            let busy = threads.busiest(begun.elapsed()).expect("the kernel counts");
            busy.ran + busy.waited
        };
        // What it does is all that this thread does; the time that a hypervisor takes is counted nowhere.
        assert!((0..10).any(|_| share() > 0.8));
        assert_eq!(Threads::now().busiest(SHORTEST / 2), None);
    }

    fn check(load: Load, change: impl Fn(&mut Step), busy: Option<Busy>, delay: u64, expected: &[&str]) {
        let mut step = step(load, &[10; 10], &[500; 10]);
        change(&mut step);
        let schedule = Schedule::new(load, Extent { duration: SECOND, max_calls: 1 });
        let warnings = warnings(&step, &schedule, busy.as_ref(), delay);
        let are_as_expected = warnings.iter().zip(expected).all(|(warning, expected)| warning.contains(expected));
        assert!(warnings.len() == expected.len() && are_as_expected, "{warnings:?}");
    }

    #[test]
    fn what_limits_is_told() {
        let (closed, open) = (Load::Concurrency(1), Load::Rate(500.0));
        let busy = |ran, waited| Some(Busy { ran, waited });
        check(closed, |_| {}, busy(0.5, 0.3), 0, &[]);
        check(closed, |_| {}, busy(0.5, 0.45), 0, &["ran for 50 % of the time and waited for a CPU for 45 %"]);
        check(open, |_| {}, None, 900, &[]);
        check(open, |_| {}, None, 1500, &["1.50 ms (p99) after they were due"]);
        check(open, |step| step.rate_kept = Some(true), None, 0, &[]);
        let not_kept = |step: &mut Step| step.rate_kept = Some(false);
        check(open, not_kept, None, 0, &["the service did not keep the rate: of 500 calls/s that were due, 10.0 were"]);
        check(open, not_kept, busy(1.0, 0.0), 0, &["this machine", "it did not keep the rate"]);
        check(
            open,
            |step| step.not_made = 1000,
            None,
            9999,
            &["1,000 calls that were due were not made: this machine"],
        );
    }

    #[test]
    fn what_was_held_back_is_no_fault_of_the_machine() {
        let load = Load::Rate(500.0);
        let mut schedule = Schedule::new(load, Extent { duration: SECOND, max_calls: 9 });
        assert!(matches!(schedule.next(Duration::ZERO, usize::MAX), Next::Wait { .. }));
        let step = Step { not_made: 9, ..step(load, &[10; 10], &[500; 10]) };
        let warnings = warnings(&step, &schedule, None, 9999);
        assert_eq!(warnings, ["9 calls that were due were not made: 16,384 were in flight, which is the most"]);
    }
}
