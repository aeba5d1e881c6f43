//! `guirpc bench`: puts a load on a function, and shows how fast it is answered.
//!
//! Calls are made as `guirpc call` makes them. It ends by itself: no step calls longer than its duration, every call
//! has a deadline, and a broker or a service that does not answer ends the run with what there is.

use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::value::RawValue;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::args::{Bench, LoadFlags, Results};
use crate::failure::Failure;
use crate::output;

mod calls;
mod compare;
mod driver;
mod limits;
mod load;
mod number;
mod plot;
mod progress;
mod report;
mod slices;
mod table;
mod tally;

use compare::Comparison;
use driver::{Driver, Ran, Stop};
use load::{Extent, Load};
use number::{float, grouped};
use progress::Progress;
use report::{Ended, Report, Step};
use tally::Tally;

/// Of a latency, in microseconds: a day.
const LONGEST: u64 = 24 * 3600 * 1_000_000;

pub(super) fn run(bench: &Bench) -> Result<(), Failure> {
    let Bench { load, results, request } = bench;
    let loads = loads(load)?;
    let mut prepared = request.prepare()?;
    let arguments = prepared.arguments()?;
    if load.coalesce {
        prepared = prepared.coalescing()?;
    }
    let earlier = results.against.as_deref().map(Report::read).transpose()?;
    results.plot.as_deref().map(check_folder).transpose()?;
    let client = prepared.connect()?;
    let interrupted = interrupted()?;
    let mut report = begin(bench, &arguments, prepared.is_coalescing())?;
    let (service, function) = (request.service.as_str(), request.function.as_str());
    let driver = Driver { client: &client, service, function, arguments: &arguments, interrupted: &interrupted };
    let (stop, ran) = run_all(&driver, &loads, load)?;
    for ignored in client.ignored_arguments() {
        output::warn(&ignored);
    }
    let tallies: Vec<Tally>;
    (report.steps, tallies) = ran.into_iter().map(|Ran { step, tally, .. }| (step, tally)).unzip();
    report.ended = match &stop {
        None => Ended::Done,
        Some(Stop::Interrupted) => Ended::Interrupted,
        Some(Stop::Failed(_)) => Ended::Failed,
    };
    report.comparison = earlier.map(|earlier| Comparison::of(&earlier, &report));
    show(&report, results)?;
    match stop {
        Some(Stop::Failed(failure)) => return Err(failure),
        Some(Stop::Interrupted) => output::warn("interrupted: these are the results so far"),
        None => {}
    }
    failed_calls(&report.steps, &tallies)?;
    regressions(&report, results)
}

/// What is known before the first call.
fn begin(bench: &Bench, arguments: &str, coalesce: bool) -> Result<Report, Failure> {
    let Bench { load, request, .. } = bench;
    Ok(Report {
        guirpc_bench: Report::VERSION,
        guirpc: env!("CARGO_PKG_VERSION").to_owned(),
        unix_time: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
        cpus: thread::available_parallelism().map_or(1, NonZero::get),
        service: request.service.clone(),
        function: request.function.clone(),
        arguments: RawValue::from_string(arguments.to_owned())
            .map_err(|error| Failure::usage(format!("the arguments are not JSON: {error}")))?,
        coalesce,
        duration_s: load.duration.as_secs_f64(),
        warm_up_s: load.warm_up.as_secs_f64(),
        max_calls: load.max_calls,
        ended: Ended::Done,
        steps: Vec::new(),
        comparison: None,
    })
}

fn loads(flags: &LoadFlags) -> Result<Vec<Load>, Failure> {
    let rates = flags.rate.iter().map(|rate| Load::Rate(*rate));
    let concurrencies = flags.concurrency.iter().map(|calls| Load::Concurrency(*calls));
    let loads: Vec<Load> = if flags.rate.is_empty() { concurrencies.collect() } else { rates.collect() };
    match loads.iter().enumerate().find(|(place, load)| loads[..*place].contains(load)) {
        Some((_, twice)) => Err(Failure::usage(format!("the step with {twice} is there twice; name it once"))),
        None => Ok(loads),
    }
}

/// Better before a long run than after it.
fn check_folder(plot: &Path) -> Result<(), Failure> {
    let folder = plot.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() && !plot.is_dir() {
        return Ok(());
    }
    Err(Failure::usage(format!("the plot cannot be written to `{}`: it is a folder, or in none", plot.display())))
}

/// Set by Ctrl-C; a second one ends the process at once.
fn interrupted() -> Result<Arc<AtomicBool>, Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&interrupted))
            .and_then(|_| flag::register(signal, Arc::clone(&interrupted)))
            .map_err(|error| Failure::other(format!("cannot listen to signals: {error}")))?;
    }
    Ok(interrupted)
}

/// A first call, the warm-up and the steps; why they ended early, if so.
fn run_all(driver: &Driver<'_>, loads: &[Load], flags: &LoadFlags) -> Result<(Option<Stop>, Vec<Ran>), Failure> {
    let max_calls = flags.max_calls.unwrap_or(u64::MAX);
    let longest = Duration::from_secs(1);
    let first = (Load::Concurrency(1), Extent { duration: longest, max_calls: 1 }, "first call");
    let warm_up = loads.first().map(|load| (*load, Extent { duration: flags.warm_up, max_calls }, "warm-up"));
    for (load, extent, title) in std::iter::once(first).chain(warm_up) {
        match step(driver, load, extent, title.to_owned()).stop {
            Some(Stop::Failed(failure)) => return Err(failure),
            Some(Stop::Interrupted) => return Ok((Some(Stop::Interrupted), Vec::new())),
            None => {}
        }
    }
    let mut ran = Vec::new();
    for load in loads {
        let mut next = step(driver, *load, Extent { duration: flags.duration, max_calls }, load.to_string());
        let stop = next.stop.take();
        ran.push(next);
        if stop.is_some() {
            return Ok((stop, ran));
        }
    }
    Ok((None, ran))
}

fn step(driver: &Driver<'_>, load: Load, extent: Extent, title: String) -> Ran {
    let ran = driver.run(load, extent, &Progress::begin(title, extent.duration));
    if ran.stop.is_some() || ran.step.answered > 0 {
        return ran;
    }
    // The next step would end no better.
    let stop = ran.tally.most_frequent_failure().map(|(_, failure)| Stop::Failed(failure));
    Ran { stop, ..ran }
}

fn show(report: &Report, results: &Results) -> Result<(), Failure> {
    if results.json {
        // It is written by its own types, field after field, so that no number passes through another type.
        let json = serde_json::to_string(report).map_err(|error| Failure::other(format!("no JSON: {error}")))?;
        output::print_output(&json, false)?;
    } else {
        let against = results.against.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let changes = report.comparison.as_ref().map(|comparison| table::changes(comparison, &against));
        output::print(&(table::results(report) + &changes.unwrap_or_default()))?;
    }
    let Some(path) = &results.plot else { return Ok(()) };
    let cannot = |error: &dyn std::fmt::Display| Failure::other(format!("cannot write `{}`: {error}", path.display()));
    let Some(svg) = plot::draw(report).map_err(|error| cannot(&error))? else {
        output::warn("there is nothing to plot: no call was answered");
        return Ok(());
    };
    fs::write(path, svg).map_err(|error| cannot(&error))
}

/// Calls that failed are an error: the results stand, and a script learns of it.
fn failed_calls(steps: &[Step], tallies: &[Tally]) -> Result<(), Failure> {
    let [failed, calls] = [Step::failed, Step::decided].map(|of| grouped(float(steps.iter().map(of).sum())));
    let most = tallies.iter().filter_map(Tally::most_frequent_failure).max_by_key(|(count, _)| *count);
    match most {
        None => Ok(()),
        Some((_, failure)) => Err(failure.after(&format!("{failed} of {calls} calls failed, most so: "))),
    }
}

fn regressions(report: &Report, results: &Results) -> Result<(), Failure> {
    let (Some(comparison), Some(most)) = (&report.comparison, results.max_regression) else { return Ok(()) };
    let mut worse = comparison.regressions(most).peekable();
    if worse.peek().is_none() {
        return Ok(());
    }
    let worse: Vec<String> = worse
        .map(|(load, change)| format!("{} at {load} by {:+.1} %", change.figure.name(), change.by * 100.0))
        .collect();
    let most = (most * 1000.0).round() / 10.0;
    Err(Failure::regression(format!("worse than the earlier run by more than {most} %: {}", worse.join(", "))))
}
