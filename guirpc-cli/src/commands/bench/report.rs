//! The results as `--json` has them and `--against` reads them; `--help` describes the fields.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::compare::Comparison;
use super::load::Load;
use super::number::float;
use super::slices::SliceFigures;
use crate::failure::Failure;

/// A field that is added leaves it as it is; one that goes or changes its meaning does not.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) guirpc_bench: u32,
    pub(super) guirpc: String,
    pub(super) unix_time: u64,
    pub(super) cpus: usize,
    pub(super) service: String,
    pub(super) function: String,
    pub(super) arguments: Box<RawValue>,
    pub(super) coalesce: bool,
    pub(super) duration_s: f64,
    pub(super) warm_up_s: f64,
    pub(super) max_calls: Option<u64>,
    pub(super) ended: Ended,
    pub(super) steps: Vec<Step>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) comparison: Option<Comparison>,
}

/// Why there are no further steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Ended {
    Done,
    Interrupted,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) load: Load,
    pub(super) elapsed_s: f64,
    pub(super) made: u64,
    pub(super) answered: u64,
    pub(super) abandoned: u64,
    pub(super) not_made: u64,
    pub(super) calls_per_s: f64,
    pub(super) rate_kept: Option<bool>,
    pub(super) latency_us: Latency,
    pub(super) errors: BTreeMap<String, Errors>,
    pub(super) warnings: Vec<String>,
    pub(super) slices: SliceFigures,
    pub(super) histogram_us: Vec<(u64, u64)>,
}

impl Step {
    pub(super) fn failed(&self) -> u64 {
        self.errors.values().map(|errors| errors.count).sum()
    }

    /// Of the calls that have an outcome, the share that failed.
    pub(super) fn failed_share(&self) -> f64 {
        float(self.failed()) / float(self.decided().max(1))
    }

    /// Calls that have an outcome.
    pub(super) fn decided(&self) -> u64 {
        self.made - self.abandoned
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Latency {
    pub(super) mean: f64,
    pub(super) p50: u64,
    pub(super) p90: u64,
    pub(super) p99: u64,
    #[serde(rename = "p99.9")]
    pub(super) p99_9: u64,
    pub(super) max: u64,
}

/// Calls that failed in one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Errors {
    pub(super) count: u64,
    pub(super) first: String,
}

impl Report {
    pub(super) const VERSION: u32 = VERSION;

    /// An earlier run.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Version {
            guirpc_bench: u32,
        }
        let refused = |why: String| Failure::usage(format!("`{}` {why}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| refused(format!("cannot be read: {error}")))?;
        let foreign = |error| refused(format!("is not an output of `guirpc bench --json`: {error}"));
        match serde_json::from_str(&text).map_err(foreign)? {
            Version { guirpc_bench: VERSION } => {}
            Version { guirpc_bench } => {
                return Err(refused(format!(
                    "has version {guirpc_bench} of the output of `guirpc bench --json`, and this command reads version \
                     {VERSION}; make the earlier run again with this command"
                )));
            }
        }
        let report: Report = serde_json::from_str(&text).map_err(foreign)?;
        match report.steps.iter().find(|step| step.abandoned > step.made) {
            Some(step) => Err(refused(format!("abandons more calls than it makes at {}", step.load))),
            None => Ok(report),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::args::BENCH_JSON;

    /// A step with these slices, each of a second.
    pub(in super::super) fn step(load: Load, answered: &[u64], p99_us: &[u64]) -> Step {
        let sum = answered.iter().sum();
        let middle = p99_us[p99_us.len() / 2];
        let latency_us = Latency { mean: 1.0, p50: middle / 2, p90: middle, p99: middle, p99_9: middle, max: middle };
        let p50_us: Vec<u64> = p99_us.iter().map(|p99| p99 / 2).collect();
        Step {
            load,
            elapsed_s: float(answered.len() as u64),
            made: sum,
            answered: sum,
            abandoned: 0,
            not_made: 0,
            calls_per_s: float(sum) / float(answered.len() as u64),
            rate_kept: None,
            latency_us,
            errors: BTreeMap::new(),
            warnings: Vec::new(),
            slices: SliceFigures {
                length_s: 1.0,
                answered: answered.to_vec(),
                p50_us,
                p90_us: p99_us.to_vec(),
                p99_us: p99_us.to_vec(),
            },
            histogram_us: vec![(middle, sum)],
        }
    }

    pub(in super::super) fn report(steps: Vec<Step>) -> Report {
        Report {
            guirpc_bench: VERSION,
            guirpc: "0.1.0".to_owned(),
            unix_time: 0,
            cpus: 2,
            service: "math".to_owned(),
            function: "add".to_owned(),
            arguments: RawValue::from_string("[1,2]".to_owned()).unwrap(),
            coalesce: false,
            duration_s: 5.0,
            warm_up_s: 1.0,
            max_calls: None,
            ended: Ended::Done,
            steps,
            comparison: None,
        }
    }

    fn written(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let report = report(vec![step(Load::Rate(0.5), &[1, 2], &[3, 4]), step(Load::Concurrency(8), &[1], &[3])]);
        let read = Report::read(written(&serde_json::to_string(&report).unwrap()).path()).unwrap();
        assert_eq!(read.steps, report.steps);
        assert_eq!(read.arguments.get(), "[1,2]");
    }

    #[test]
    fn what_is_no_report_is_refused_by_name() {
        let newer = serde_json::to_string(&Report { guirpc_bench: 2, ..report(Vec::new()) }).unwrap();
        for (text, why) in [
            ("{}", "is not an output of `guirpc bench --json`: missing field `guirpc_bench`"),
            ("x", "is not an output"),
            ("{\"guirpc_bench\": 1}", "missing field `guirpc`"),
            (newer.as_str(), "has version 2"),
        ] {
            let error = format!("{:?}", Report::read(written(text).path()).unwrap_err());
            assert!(error.contains(why), "{error}");
        }
        let error = format!("{:?}", Report::read(Path::new("/nonexistent")).unwrap_err());
        assert!(error.contains("`/nonexistent` cannot be read"), "{error}");
    }

    fn check_described(value: &serde_json::Value) {
        match value {
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    assert!(BENCH_JSON.contains(name) || name == "fault", "{name}");
                    check_described(value);
                }
            }
            serde_json::Value::Array(values) => values.iter().for_each(check_described),
            _ => {}
        }
    }

    #[test]
    fn the_help_describes_every_field() {
        let mut report = report(vec![Step {
            errors: [("fault".to_owned(), Errors { count: 1, first: String::new() })].into(),
            ..step(Load::Rate(1.0), &[1], &[1])
        }]);
        report.comparison = Some(Comparison::of(&report, &report));
        check_described(&serde_json::to_value(&report).unwrap());
    }
}
