//! The results as people read them.

use std::fmt::Write;

use super::compare::{Change, Comparison, Figure, Verdict};
use super::number::{float, grouped, milliseconds, three_digits};
use super::report::{Report, Step};
use crate::terminal::line;

/// Characters of a message that is shown.
const MESSAGE: usize = 160;

/// The steps, and what is to be known of them.
pub(super) fn results(report: &Report) -> String {
    let shown = |text: &str| line(text, MESSAGE);
    let mut text = format!("{}/{}", shown(&report.service), shown(&report.function));
    if report.coalesce {
        text.push_str(", calls travel together");
    }
    text.push_str("; latencies in ms\n\n");
    text.push_str(&table(&report.steps));
    for step in &report.steps {
        for (kind, errors) in &step.errors {
            let count = grouped(float(errors.count));
            put(&mut text, &format!("\n{}: {count} × {kind}: {}", step.load, first_line(&errors.first)));
        }
        if step.abandoned > 0 {
            let count = grouped(float(step.abandoned));
            put(&mut text, &format!("\n{}: {count} calls were still unanswered when the run ended", step.load));
        }
        for warning in &step.warnings {
            put(&mut text, &format!("\n{}: {warning}", step.load));
        }
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Of a message, whose details are in the JSON.
fn first_line(message: &str) -> String {
    line(message.lines().next().unwrap_or_default(), MESSAGE)
}

/// Writing to a text does not fail.
fn put(text: &mut String, more: &str) {
    let _ = write!(text, "{more}");
}

fn table(steps: &[Step]) -> String {
    let unit = steps.first().map_or("load", |step| step.load.unit());
    let titles = [unit, "calls", "calls/s", "p50", "p90", "p99", "p99.9", "max", "errors"].map(str::to_owned);
    let rows = steps.iter().map(|step| {
        let latency = &step.latency_us;
        let [p50, p90, p99, p99_9, max] =
            [latency.p50, latency.p90, latency.p99, latency.p99_9, latency.max].map(milliseconds);
        let [calls, errors] = [step.decided(), step.failed()].map(|count| grouped(float(count)));
        [step.load.figure(), calls, three_digits(step.calls_per_s), p50, p90, p99, p99_9, max, errors]
    });
    aligned(&std::iter::once(titles).chain(rows).collect::<Vec<_>>())
}

/// Columns of numbers, each to the right.
fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let cell = |(cell, width): (&String, &usize)| format!("{cell:>width$}");
    let lines = rows.iter().map(|row| row.iter().zip(&widths).map(cell).collect::<Vec<_>>().join("  ") + "\n");
    lines.collect()
}

/// What changed since the earlier run.
pub(super) fn changes(comparison: &Comparison, against: &str) -> String {
    let mut text = format!("\nAgainst {}, latencies in ms:\n\n", line(against, MESSAGE));
    let mut rows = vec![["load", "figure", "earlier", "now", "change", ""].map(str::to_owned)];
    for step in &comparison.steps {
        rows.extend(step.changes.iter().map(|change| row(step.load.to_string(), change)));
    }
    text.push_str(&aligned(&rows));
    for note in &comparison.notes {
        put(&mut text, &format!("\nnote: {}", line(note, MESSAGE)));
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn row(load: String, change: &Change) -> [String; 6] {
    let shown = |figure: f64| match change.figure {
        Figure::CallsPerS => three_digits(figure),
        Figure::P50Us | Figure::P90Us | Figure::P99Us => in_milliseconds(figure),
        Figure::FailedShare => format!("{:.2}%", figure * 100.0),
    };
    let verdict = match change.verdict {
        Verdict::Same => "same",
        Verdict::Better => "better",
        Verdict::Worse => "WORSE",
        Verdict::Unclear => "too short to tell",
    };
    let percent = format!("{:+.1}%", change.by * 100.0);
    [load, change.figure.name().to_owned(), shown(change.earlier), shown(change.now), percent, verdict.to_owned()]
}

fn in_milliseconds(microseconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a count of microseconds")]
    milliseconds(microseconds as u64)
}

#[cfg(test)]
mod tests {
    use super::super::load::Load;
    use super::super::report::Errors;
    use super::super::report::tests::{report, step};
    use super::*;

    #[test]
    fn steps_are_rows() {
        let mut slow = step(Load::Concurrency(64), &[1234; 10], &[41_234; 10]);
        slow.errors =
            [("fault".to_owned(), Errors { count: 3, first: "fault 409: taken\ndetails: 1".to_owned() })].into();
        slow.abandoned = 2;
        slow.warnings = vec!["this machine was the limit".to_owned()];
        let report = report(vec![step(Load::Concurrency(8), &[10; 10], &[500; 10]), slow]);
        assert_eq!(
            results(&report),
            "\
math/add; latencies in ms

concurrency   calls  calls/s    p50    p90    p99  p99.9    max  errors
          8     100     10.0  0.250  0.500  0.500  0.500  0.500       0
         64  12,338    1,234   20.6   41.2   41.2   41.2   41.2       3

concurrency 64: 3 × fault: fault 409: taken
concurrency 64: 2 calls were still unanswered when the run ended
concurrency 64: this machine was the limit
"
        );
    }

    #[test]
    fn changes_are_rows() {
        let load = Load::Rate(50.0);
        let earlier = report(vec![step(load, &[50; 10], &[500; 10])]);
        let now = report(vec![step(load, &[50; 10], &[1000; 10]), step(Load::Rate(9.5), &[9], &[1])]);
        assert_eq!(
            changes(&Comparison::of(&earlier, &now), "run.json"),
            "
Against run.json, latencies in ms:

     load   figure  earlier    now   change       
rate 50/s  calls/s     50.0   50.0    +0.0%   same
rate 50/s      p50    0.250  0.500  +100.0%  WORSE
rate 50/s      p90    0.500   1.00  +100.0%  WORSE
rate 50/s      p99    0.500   1.00  +100.0%  WORSE
rate 50/s   failed    0.00%  0.00%    +0.0%   same

note: the earlier run has no step with rate 9.5/s
"
        );
    }
}
