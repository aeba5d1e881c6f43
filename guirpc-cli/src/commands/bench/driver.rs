//! Puts a load on a service: makes the calls as they are due, and gathers what comes of them.
//!
//! One thread does it all, so that the command is not what is measured.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use guirpc::{CallError, Client, ConnectionStatus};
use hdrhistogram::Histogram;

use super::LONGEST;
use super::calls::{Calls, Decided, Times};
use super::limits::{Busy, Threads, warnings};
use super::load::{Extent, Load, Next, Schedule};
use super::progress::Progress;
use super::report::Step;
use super::tally::{Tally, Went};
use crate::failure::Failure;

/// How often it is looked whether the connection is still there.
const TICK: Duration = Duration::from_millis(50);

pub(super) struct Driver<'a> {
    pub(super) client: &'a Client,
    pub(super) service: &'a str,
    pub(super) function: &'a str,
    /// As JSON.
    pub(super) arguments: &'a str,
    /// Whether Ctrl-C was pressed.
    pub(super) interrupted: &'a AtomicBool,
}

/// What came of a step.
pub(super) struct Ran {
    pub(super) step: Step,
    pub(super) tally: Tally,
    pub(super) stop: Option<Stop>,
}

/// Why nothing more is called.
#[derive(Debug)]
pub(super) enum Stop {
    Interrupted,
    Failed(Failure),
}

impl Driver<'_> {
    /// Makes the calls of one step, and waits for those that are in flight at its end, until their deadlines.
    pub(super) fn run(&self, load: Load, extent: Extent, progress: &Progress) -> Ran {
        let mut running = Running::new(self, Schedule::new(load, extent));
        let threads = Threads::now();
        let mut calling = None;
        let mut last_tick = Duration::ZERO;
        loop {
            running.gather();
            let until = running.call();
            let now = running.begun.elapsed();
            if until.is_none() && calling.is_none() {
                calling = Some((now, threads.busiest(now)));
            }
            if now >= last_tick + TICK {
                last_tick = now;
                progress.update(now, running.tally.answered());
                running.check();
            }
            if running.stop.is_some() || (until.is_none() && running.calls.in_flight() == 0) {
                break;
            }
            let tick = last_tick + TICK;
            running.calls.wait(until.map_or(tick, |until| until.min(tick)).saturating_sub(running.begun.elapsed()));
        }
        let (calling, busy) = calling.unwrap_or_else(|| {
            let now = running.begun.elapsed();
            (now, threads.busiest(now))
        });
        running.finish(calling, busy.as_ref())
    }
}

/// A step that is under way.
struct Running<'a> {
    driver: &'a Driver<'a>,
    schedule: Schedule,
    begun: Instant,
    calls: Calls,
    tally: Tally,
    /// By how many microseconds calls were made after they were due.
    delays: Histogram<u64>,
    stop: Option<Stop>,
}

impl<'a> Running<'a> {
    fn new(driver: &'a Driver<'a>, schedule: Schedule) -> Self {
        let tally = Tally::new(&schedule);
        let delays = Histogram::new_with_max(LONGEST, 2).expect("two digits of a day are possible");
        Running { driver, schedule, begun: Instant::now(), calls: Calls::new(), tally, delays, stop: None }
    }

    /// Takes the outcomes that have come.
    fn gather(&mut self) {
        let Running { driver, begun, calls, tally, stop, .. } = self;
        calls.decided(|decided| driver.settle(*begun, tally, stop, decided));
    }

    /// Makes what is due; gives the time of the next, if there is one.
    fn call(&mut self) -> Option<Duration> {
        let Driver { client, service, function, arguments, .. } = *self.driver;
        while self.stop.is_none() {
            let now = self.begun.elapsed();
            match self.schedule.next(now, self.calls.in_flight()) {
                Next::Call { due } => {
                    self.delays
                        .saturating_record(u64::try_from(now.saturating_sub(due).as_micros()).unwrap_or(u64::MAX));
                    let pending = client.call_json_text_async(service, function, arguments);
                    if let Some(decided) = self.calls.add(pending, Times { due, made: now }) {
                        self.driver.settle(self.begun, &mut self.tally, &mut self.stop, decided);
                    }
                }
                Next::Wait { until } => return Some(until),
                Next::Over => return None,
            }
        }
        None
    }

    /// Looks for what no call tells.
    fn check(&mut self) {
        if self.stop.is_some() {
            return;
        }
        self.stop = match self.driver.client.status() {
            _ if self.driver.interrupted.load(Ordering::Relaxed) => Some(Stop::Interrupted),
            ConnectionStatus::Connected => None,
            ConnectionStatus::Blocked { reason } => Some(Stop::Failed(blocked(&reason))),
            ConnectionStatus::Disconnected { reason } => Some(Stop::Failed(lost(&reason))),
            other => Some(Stop::Failed(lost(&other.to_string()))),
        };
    }

    fn finish(self, calling: Duration, busy: Option<&Busy>) -> Ran {
        let Running { schedule, calls, tally, delays, stop, .. } = self;
        let (load, abandoned) = (schedule.load(), calls.in_flight() as u64);
        let mut step = tally.to_step(&Went { load, schedule: &schedule, abandoned, calling });
        step.warnings = warnings(&step, &schedule, busy, delays.value_at_quantile(0.99));
        Ran { step, tally, stop }
    }
}

impl Driver<'_> {
    fn settle(&self, begun: Instant, tally: &mut Tally, stop: &mut Option<Stop>, decided: Decided) {
        let Decided { times: Times { due, made }, at, outcome } = decided;
        if stop.is_none()
            && let Err(error) = &outcome
        {
            let is_silent = tally.answered() == 0 || tally.last_answer() < made;
            *stop = self.fatal(error, is_silent).map(Stop::Failed);
        }
        tally.record(due, at.saturating_duration_since(begun), outcome);
    }

    /// Why further calls would measure nothing, if so.
    fn fatal(&self, error: &CallError<String>, is_silent: bool) -> Option<Failure> {
        match error {
            CallError::Disconnected { reason, .. } => Some(lost(reason)),
            CallError::Blocked { reason } => Some(blocked(reason)),
            CallError::Unroutable { service } => {
                Some(CallError::<String>::Unroutable { service: service.clone() }.into())
            }
            CallError::Unsendable { message } => {
                Some(CallError::<String>::Unsendable { message: message.clone() }.into())
            }
            // Nothing at all was answered while it waited.
            &CallError::TimedOut { timeout, idempotent } if is_silent => {
                let error = CallError::<String>::TimedOut { timeout, idempotent };
                Some(Failure::no_reply(error, self.client, self.service))
            }
            _ => None,
        }
    }
}

fn lost(reason: &str) -> Failure {
    Failure::broker(format!("the connection to the broker was lost: {reason}"))
}

fn blocked(reason: &str) -> Failure {
    Failure::broker(format!("the broker takes no messages at the moment: {reason}"))
}
