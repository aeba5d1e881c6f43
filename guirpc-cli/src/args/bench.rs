//! `guirpc bench`: what can be typed.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::Request;

/// Calls in flight, or calls a second, beyond which the command itself would be measured.
const MOST_IN_FLIGHT: u32 = 16_384;
const MOST_CALLS_A_SECOND: f64 = 1e6;
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_hours(24);

#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    #[command(flatten)]
    pub(crate) load: LoadFlags,
    #[command(flatten)]
    pub(crate) results: Results,
    #[command(flatten, next_help_heading = "Request")]
    pub(crate) request: Request,
}

/// What is put on the service, and for how long.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Load")]
pub(crate) struct LoadFlags {
    /// Closed loop: keep so many calls in flight, one step for each number; the next call is made when one is answered
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [1, 8, 64], value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_IN_FLIGHT)))]
    pub(crate) concurrency: Vec<u32>,
    /// Open loop: make so many calls a second whether or not earlier ones are answered, one step for each number. The
    /// latency counts from the moment at which a call was due, so a service that cannot keep the rate shows its queue
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = rate, conflicts_with = "concurrency")]
    pub(crate) rate: Vec<f64>,
    /// How long calls are made in each step; those in flight then are waited for, up to their timeout
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub(crate) duration: Duration,
    /// How long calls are made first that are not counted, at the load of the first step. A single one comes before them
    /// in any case, which tells whether the function is there and takes the arguments
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = warm_up)]
    pub(crate) warm_up: Duration,
    /// The most calls of each step, and of the warm-up; a step ends with its last call or its duration, what is sooner
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_calls: Option<u64>,
    /// Let calls travel together in one message, as the client's setting `coalescing` does
    #[arg(long)]
    pub(crate) coalesce: bool,
}

/// What becomes of the results.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Results")]
pub(crate) struct Results {
    /// Print one object in JSON instead of the table; `--help` describes it
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw the latency by percentile, and over time, into this file
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,
    /// Compare with an earlier run, the output of `--json`, and show what differs beyond noise
    #[arg(long, value_name = "FILE.json")]
    pub(crate) against: Option<PathBuf>,
    /// End with exit code 10 if something got worse by more than this, beyond noise, such as `10%`
    #[arg(long, value_name = "PERCENT", value_parser = percent, requires = "against")]
    pub(crate) max_regression: Option<f64>,
}

/// What `--json` prints.
pub(crate) const BENCH_JSON: &str = "\
JSON (version 1; numbers that end in _us are microseconds, in _s seconds):
  guirpc_bench  1, the version; fields may be added to it
  guirpc, unix_time, cpus         the command's version, when the run began, and on how many CPUs
  service, function, arguments, duration_s, warm_up_s, max_calls   what was asked for
  coalesce      whether calls travel together, by --coalesce or by the client's settings
  ended         \"done\"; \"interrupted\" by Ctrl-C; \"failed\", and the reason is on the standard error
  steps         each step that was begun:
    load          {\"concurrency\": N} or {\"rate\": CALLS_A_SECOND}
    elapsed_s     from the first call to the last answer
    made, answered, abandoned, not_made   calls; abandoned: still unanswered when the run ended early;
                  not_made: due by the rate, and not made within the duration
    calls_per_s   answered / elapsed_s; an error of the function's own and a fault are answers
    rate_kept     whether the service kept the rate; null without a rate
    latency_us    mean, p50, p90, p99, p99.9, max of the calls that were answered, and of those that timed out
    errors        by kind: count, and first, the message of the first
    warnings      what limits the use of these figures
    slices        the same over time: length_s of a slice, and of each in turn answered, p50_us, p90_us, p99_us
    histogram_us  all latencies as [microseconds, calls], three significant digits
  comparison    with --against: notes, and steps, by load with the changes of each figure:
    figure        calls_per_s, p50_us, p90_us, p99_us, or failed_share of the calls that were decided
    earlier, now, by   by is the change as a share of the earlier one; of failed_share the difference
    verdict       \"same\", \"better\", \"worse\", or \"unclear\" where a step has too few slices to tell";

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.01..=MOST_CALLS_A_SECOND).contains(rate));
    rate.ok_or_else(|| "a rate is a number of calls a second, from 0.01 to 1000000".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    within(text, SHORTEST, "from 100ms to 24h")
}

fn warm_up(text: &str) -> Result<Duration, String> {
    within(text, Duration::ZERO, "up to 24h")
}

fn within(text: &str, shortest: Duration, bounds: impl fmt::Display) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).ok().filter(|time| (shortest..=LONGEST).contains(time));
    time.ok_or_else(|| format!("a time {bounds} is written as `500ms`, `5s` or `2min`"))
}

/// As a share of 1.
fn percent(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').unwrap_or(text).trim_end().parse::<f64>().ok();
    let share = percent.filter(|percent| (0.0..=1000.0).contains(percent)).map(|percent| percent / 100.0);
    share.ok_or_else(|| "a percentage from 0% to 1000% is written as `10%`".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Command};

    fn parse(arguments: &[&str]) -> Result<Bench, clap::Error> {
        let all = ["guirpc", "bench", "math", "add"].iter().chain(arguments);
        Args::try_parse_from(all).map(|args| match args.command {
            Command::Bench(bench) => *bench,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn steps_are_listed_with_commas() {
        assert_eq!(parse(&["{}"]).unwrap().load.concurrency, [1, 8, 64]);
        assert_eq!(parse(&["--concurrency", "3,5", "[1]"]).unwrap().load.concurrency, [3, 5]);
        assert_eq!(parse(&["--rate", "0.5,500"]).unwrap().load.rate, [0.5, 500.0]);
    }

    #[test]
    fn what_has_no_bounds_is_refused() {
        for mistaken in [
            &["--concurrency", "0"][..],
            &["--concurrency", "20000"],
            &["--rate", "0"],
            &["--rate", "NaN"],
            &["--rate", "inf"],
            &["--rate", "1", "--concurrency", "1"],
            &["--duration", "0s"],
            &["--duration", "30days"],
            &["--max-calls", "0"],
            &["--max-regression", "10%"],
            &["--against", "a.json", "--max-regression", "-1%"],
        ] {
            assert!(parse(mistaken).is_err(), "{mistaken:?}");
        }
    }

    #[test]
    fn a_percentage_is_a_share() {
        for (text, share) in [("10%", 0.1), ("2.5 %", 0.025), ("7", 0.07)] {
            assert!((percent(text).unwrap() - share).abs() < 1e-9, "{text}");
        }
        assert!(percent("ten").is_err());
    }
}
