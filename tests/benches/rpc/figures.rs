//! What many measurements come to, and tables of it in Markdown.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::message::TIMEOUT;

/// A median, and what it is the median of: one value per round.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// That of these values, in any order.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        Self { median: f64::midpoint(at(last / 2), at(last.div_ceil(2))), min: at(0), max: at(last) }
    }
}

impl Display for Spread {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let precision = f.precision().unwrap_or(0);
        write!(f, "{:.precision$} ({:.precision$} to {:.precision$})", self.median, self.min, self.max)
    }
}

/// The latency that so large a share of the calls does not exceed.
pub(crate) fn percentile<'a>(latencies: impl IntoIterator<Item = &'a Duration>, share: f64) -> Duration {
    let longest = u64::try_from(TIMEOUT.as_micros()).unwrap_or(u64::MAX);
    let mut histogram = Histogram::<u64>::new_with_max(longest, 3).expect("three digits of ten seconds are possible");
    for latency in latencies {
        histogram.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }
    Duration::from_micros(histogram.value_at_quantile(share))
}

/// The largest of these, in bytes, as MiB.
pub(crate) fn most_mebibytes(bytes: impl IntoIterator<Item = u64>) -> String {
    format!("{:.1}", mebibytes(bytes.into_iter().max().unwrap_or_default()))
}

/// Bytes in MiB.
#[expect(clippy::cast_precision_loss, reason = "no process is that large")]
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A count, to calculate with.
#[expect(clippy::cast_precision_loss, reason = "nobody makes 2^52 calls in a benchmark")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// A table in Markdown; its first column is text, the others are numbers.
pub(crate) struct Table(Vec<String>);

impl Table {
    /// One with these titles of columns.
    pub(crate) fn new<S: Into<String>>(first: &str, rest: impl IntoIterator<Item = S>) -> Self {
        let mut table = Self(Vec::new());
        let rest: Vec<String> = rest.into_iter().map(Into::into).collect();
        let line = format!("|---|{}", "--:|".repeat(rest.len()));
        table.row(first, rest);
        table.0.push(line);
        table
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, first: &str, rest: impl IntoIterator<Item = String>) {
        let rest: Vec<String> = rest.into_iter().collect();
        self.0.push(format!("| {first} | {} |", rest.join(" | ")));
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
