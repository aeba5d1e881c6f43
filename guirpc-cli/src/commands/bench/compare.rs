//! A run against an earlier one: what changed, and whether by more than noise; pure.
//!
//! The slices of a step say how much its figures vary by themselves.
//! A figure is worse or better if those of both runs differ by the test of Welch, and it by 5 % or more: that much lies
//! between any two runs on one machine.
//! The test is of logarithms, so that a stall does not outweigh all else; slices that resemble those before them, as when
//! a figure drifts, count for as much less.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::load::Load;
use super::number::float;
use super::report::{Report, Step};

/// What is called a change at all.
const LEAST: f64 = 0.05;
/// In standard errors.
const SIGNIFICANT: f64 = 4.0;
/// Fewer slices of either run than these tell nothing.
const FEWEST_SLICES: usize = 8;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Comparison {
    pub(super) steps: Vec<StepChanges>,
    pub(super) notes: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StepChanges {
    pub(super) load: Load,
    pub(super) changes: Vec<Change>,
}

/// A figure of a step, in both runs.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Change {
    pub(super) figure: Figure,
    pub(super) earlier: f64,
    pub(super) now: f64,
    /// As a share of the earlier one; of `failed_share` the difference.
    pub(super) by: f64,
    pub(super) verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Figure {
    CallsPerS,
    P50Us,
    P90Us,
    P99Us,
    FailedShare,
}

impl Figure {
    pub(super) fn name(self) -> &'static str {
        match self {
            Figure::CallsPerS => "calls/s",
            Figure::P50Us => "p50",
            Figure::P90Us => "p90",
            Figure::P99Us => "p99",
            Figure::FailedShare => "failed",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// No change beyond noise.
    Same,
    Better,
    Worse,
    /// The step was too short to tell.
    Unclear,
}

impl Comparison {
    pub(super) fn of(earlier: &Report, now: &Report) -> Self {
        let of_load = |steps: &[Step], load| steps.iter().position(|step| step.load == load);
        let mut notes = differences(earlier, now);
        let mut steps = Vec::new();
        for step in &now.steps {
            match of_load(&earlier.steps, step.load) {
                Some(place) => steps.push(StepChanges::of(&earlier.steps[place], step)),
                None => notes.push(format!("the earlier run has no step with {}", step.load)),
            }
        }
        let missing = earlier.steps.iter().filter(|step| of_load(&now.steps, step.load).is_none());
        notes.extend(missing.map(|step| format!("only the earlier run has a step with {}", step.load)));
        Comparison { steps, notes }
    }

    /// What got worse by more than this share, beyond noise.
    pub(super) fn regressions(&self, most: f64) -> impl Iterator<Item = (Load, &Change)> {
        let all = self.steps.iter().flat_map(|step| step.changes.iter().map(|change| (step.load, change)));
        all.filter(move |(_, change)| change.verdict == Verdict::Worse && change.by.abs() > most)
    }
}

/// What may be the reason for another result.
fn differences(earlier: &Report, now: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |differs: bool, text: String| notes.extend(differs.then_some(text));
    let [before, after] = [earlier, now].map(|run| format!("{}/{}", run.service, run.function));
    note(before != after, format!("the earlier run called {before}"));
    let [before, after] = [earlier, now].map(|run| serde_json::from_str::<Value>(run.arguments.get()).ok());
    note(before != after, "the earlier run had other arguments".to_owned());
    note(earlier.coalesce != now.coalesce, format!("coalescing was {} in the earlier run", on(earlier.coalesce)));
    note(earlier.cpus != now.cpus, format!("the earlier run had {} CPUs, this one {}", earlier.cpus, now.cpus));
    note(earlier.guirpc != now.guirpc, format!("the earlier run was of guirpc {}", earlier.guirpc));
    notes
}

fn on(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

impl StepChanges {
    fn of(earlier: &Step, now: &Step) -> Self {
        let length = |step: &Step| step.slices.length_s.max(1e-6);
        // None in a slice is as good as half a call, of which there is a logarithm.
        let rates =
            |step: &Step| step.slices.answered.iter().map(|calls| float(*calls).max(0.5) / length(step)).collect();
        // A slice without answers has no latency.
        let latencies = |values: &[u64]| values.iter().filter(|value| **value > 0).map(|value| float(*value)).collect();
        let change = |figure, earlier: (f64, Vec<f64>), now: (f64, Vec<f64>)| Change::of(figure, &earlier, &now);
        let latency = |figure, value: fn(&Step) -> u64, slices: fn(&Step) -> &[u64]| {
            let both = [earlier, now].map(|step| (float(value(step)), latencies(slices(step))));
            let [earlier, now] = both;
            change(figure, earlier, now)
        };
        let changes = vec![
            change(Figure::CallsPerS, (earlier.calls_per_s, rates(earlier)), (now.calls_per_s, rates(now))),
            latency(Figure::P50Us, |step| step.latency_us.p50, |step| &step.slices.p50_us),
            latency(Figure::P90Us, |step| step.latency_us.p90, |step| &step.slices.p90_us),
            latency(Figure::P99Us, |step| step.latency_us.p99, |step| &step.slices.p99_us),
            Change::of_failures(earlier, now),
        ];
        StepChanges { load: now.load, changes }
    }
}

impl Change {
    /// Of a figure, and its values in the slices.
    fn of(figure: Figure, (earlier, before): &(f64, Vec<f64>), (now, after): &(f64, Vec<f64>)) -> Self {
        let change = if *earlier > 0.0 { now / earlier - 1.0 } else { 0.0 };
        let verdict = if before.len().min(after.len()) < FEWEST_SLICES {
            Verdict::Unclear
        } else if change.abs() < LEAST || difference(before, after) * change.signum() < SIGNIFICANT {
            Verdict::Same
        } else if (change > 0.0) == (figure == Figure::CallsPerS) {
            Verdict::Better
        } else {
            Verdict::Worse
        };
        Change { figure, earlier: *earlier, now: *now, by: change, verdict }
    }

    /// Whether more calls fail, by a test of two proportions.
    fn of_failures(earlier: &Step, now: &Step) -> Self {
        let [before, after] = [earlier, now].map(Step::failed_share);
        let [n, m] = [earlier, now].map(|step| float(step.decided()));
        let both = float(earlier.failed() + now.failed()) / (n + m).max(1.0);
        let deviation = (both * (1.0 - both) * (1.0 / n.max(1.0) + 1.0 / m.max(1.0))).sqrt();
        let change = after - before;
        let verdict = match change {
            _ if n.min(m) < 1.0 => Verdict::Unclear,
            // Of everything and nothing there is no deviation, and no doubt.
            change if change == 0.0 || change.abs() < SIGNIFICANT * deviation => Verdict::Same,
            ..0.0 => Verdict::Better,
            _ => Verdict::Worse,
        };
        Change { figure: Figure::FailedShare, earlier: before, now: after, by: change, verdict }
    }
}

/// How far the values of two runs differ, in standard errors; above 0 if the second are larger.
fn difference(first: &[f64], second: &[f64]) -> f64 {
    let [(first, first_error), (second, second_error)] = [first, second].map(mean);
    let (difference, error) = (second - first, first_error.hypot(second_error));
    // Nothing varies: any difference is one.
    if error > 0.0 { difference / error } else { difference * f64::MAX }
}

/// The mean of the logarithms, and its standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let logarithms: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    let count = float(values.len() as u64);
    let mean = logarithms.iter().sum::<f64>() / count;
    let squares: f64 = logarithms.iter().map(|value| (value - mean).powi(2)).sum();
    let products: f64 = logarithms.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    // The autocorrelation, if it is above 0.
    let resemblance = if squares > 0.0 { (products / squares).max(0.0) } else { 0.0 };
    let independent = count * (1.0 - resemblance) / (1.0 + resemblance);
    (mean, (squares / (count - 1.0) / independent).sqrt())
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::super::report::Errors;
    use super::super::report::tests::{report, step};
    use super::*;

    const LOAD: Load = Load::Concurrency(8);

    /// About so much, as measurements are.
    fn around(middle: u64) -> Vec<u64> {
        (0..20).map(|place| middle * (95 + place * 7 % 11) / 100).collect()
    }

    fn verdicts(earlier: &Step, now: &Step) -> Vec<Verdict> {
        StepChanges::of(earlier, now).changes.iter().map(|change| change.verdict).collect()
    }

    #[test]
    fn differences_are_as_in_the_textbook() {
        // Their logarithms are 0, 2, 0, 2 and 3, 5, 3, 5: means 1 and 4, variances 4/3.
        let [low, high] = [[0.0, 2.0, 0.0, 2.0], [3.0, 5.0, 3.0, 5.0]].map(|values| values.map(f64::exp));
        let expected = 3.0 / (2.0 * 4.0 / 3.0 / 4.0_f64).sqrt();
        assert!((difference(&low, &high) - expected).abs() < 1e-9);
        assert!((difference(&high, &low) + expected).abs() < 1e-9);
        assert!(difference(&low, &low).abs() < 1e-9 && difference(&[2.0; 9], &[2.0; 9]).abs() < 1e-9);
        assert!(difference(&[1.0; 9], &[2.0; 9]) > SIGNIFICANT);
    }

    #[test]
    fn the_same_is_the_same() {
        let one = step(LOAD, &around(1000), &around(500));
        assert_eq!(verdicts(&one, &one), [Verdict::Same; 5]);
        let next = step(LOAD, &around(1020), &around(510));
        assert_eq!(verdicts(&one, &next), [Verdict::Same; 5]);
    }

    #[test]
    fn half_as_fast_is_worse_and_the_other_way_round_better() {
        let (fast, slow) = (step(LOAD, &around(1000), &around(500)), step(LOAD, &around(500), &around(1000)));
        assert_eq!(verdicts(&fast, &slow)[..4], [Verdict::Worse; 4]);
        assert_eq!(verdicts(&slow, &fast)[..4], [Verdict::Better; 4]);
    }

    #[test]
    fn what_varies_as_much_by_itself_is_noise() {
        let wild: Vec<u64> = (0..20).map(|place| if place % 2 == 0 { 200 } else { 1000 }).collect();
        let tame = step(LOAD, &around(1000), &around(500));
        let mut one = step(LOAD, &around(1000), &wild);
        one.latency_us.p99 = 1000;
        assert_eq!(StepChanges::of(&tame, &one).changes[3].verdict, Verdict::Same);
    }

    #[test]
    fn one_stall_is_no_verdict() {
        let slow = step(LOAD, &around(500), &around(1000));
        let mut fast = step(LOAD, &around(1000), &around(500));
        fast.latency_us.p99 = 5000;
        assert_eq!(StepChanges::of(&slow, &fast).changes[3].verdict, Verdict::Same);
    }

    #[test]
    fn a_drift_is_noise() {
        let drifting: Vec<f64> = (0..20).map(|place| float(500 + place * 15)).collect();
        assert!(difference(&[520.0; 20], &drifting) < SIGNIFICANT);
        // The same values in no order are none.
        let shuffled: Vec<f64> = (0..20).map(|place| drifting[place * 7 % 20]).collect();
        assert!(difference(&[520.0; 20], &shuffled) > SIGNIFICANT);
    }

    #[test]
    fn a_slice_without_answers_is_slow() {
        let stalls: Vec<u64> =
            around(1000).into_iter().enumerate().map(|(place, n)| if place % 2 == 0 { 0 } else { n }).collect();
        let [steady, halting] = [around(1000), stalls].map(|answered| step(LOAD, &answered, &around(500)));
        assert_eq!(verdicts(&steady, &halting)[0], Verdict::Worse);
    }

    #[test]
    fn too_few_slices_are_unclear() {
        let (fast, slow) = (step(LOAD, &[1000; 7], &[500; 7]), step(LOAD, &around(500), &around(1000)));
        assert_eq!(verdicts(&fast, &slow)[..4], [Verdict::Unclear; 4]);
    }

    #[test]
    fn failures_are_compared_by_their_share() {
        let failing = |count| {
            let mut step = step(LOAD, &around(1000), &around(500));
            step.errors = [("fault".to_owned(), Errors { count, first: String::new() })].into();
            step
        };
        let verdict = |earlier, now| verdicts(&failing(earlier), &failing(now))[4];
        assert_eq!(verdict(0, 2), Verdict::Same);
        assert_eq!(verdict(0, 200), Verdict::Worse);
        assert_eq!(verdict(200, 0), Verdict::Better);
        let all = failing(0).made;
        assert_eq!(verdict(all, all), Verdict::Same);
        assert_eq!(verdict(0, all), Verdict::Worse);
    }

    #[test]
    fn steps_are_matched_by_their_load() {
        let other = Load::Rate(5.0);
        let earlier = report(vec![step(other, &[1], &[1]), step(LOAD, &around(1000), &around(500))]);
        let now = report(vec![step(LOAD, &around(800), &around(600)), step(Load::Concurrency(9), &[1], &[1])]);
        let comparison = Comparison::of(&earlier, &now);
        assert_eq!(comparison.steps.len(), 1);
        assert_eq!(
            comparison.notes,
            ["the earlier run has no step with concurrency 9", "only the earlier run has a step with rate 5/s"]
        );
        assert_eq!(comparison.regressions(0.1).count(), 4);
        assert_eq!(comparison.regressions(0.3).count(), 0);
    }

    #[test]
    fn what_may_be_the_reason_is_noted() {
        let arguments = RawValue::from_string("[1,\n2]".to_owned()).unwrap();
        let now = Report { coalesce: true, cpus: 8, arguments, ..report(Vec::new()) };
        let notes = Comparison::of(&report(Vec::new()), &now).notes;
        assert_eq!(notes, ["coalescing was off in the earlier run", "the earlier run had 2 CPUs, this one 8"]);
    }
}
