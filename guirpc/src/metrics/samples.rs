//! What one scrape finds: the sum of what all sources have of each metric and labels.

use std::collections::BTreeMap;

use super::families::{Kind, Metric};
use super::histogram::{Buckets, Histogram};

/// Values by metric and by the values of its labels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(BTreeMap<Metric, BTreeMap<Vec<String>, Value>>);

#[derive(Clone, Debug)]
pub(super) enum Value {
    Number(u64),
    /// Boxed, since most are numbers.
    Times(Box<Buckets>),
}

impl Value {
    fn add(&mut self, other: Value) {
        match (self, other) {
            (Value::Number(sum), Value::Number(more)) => *sum += more,
            (Value::Times(sum), Value::Times(more)) => sum.add(&more),
            (Value::Number(_), Value::Times(_)) | (Value::Times(_), Value::Number(_)) => {
                debug_assert!(false, "a metric is a histogram, or it is none");
            }
        }
    }
}

impl Samples {
    /// Adds to a counter or a gauge.
    pub(crate) fn add(&mut self, metric: Metric, labels: &[&str], value: u64) {
        self.add_value(metric, labels.iter().map(|label| (*label).to_owned()).collect(), Value::Number(value));
    }

    /// Adds to a histogram, if there is anything to add.
    pub(crate) fn add_times(&mut self, metric: Metric, labels: &[&str], times: &Histogram) {
        let buckets = times.buckets();
        if buckets.count() > 0 {
            let labels = labels.iter().map(|label| (*label).to_owned()).collect();
            self.add_value(metric, labels, Value::Times(Box::new(buckets)));
        }
    }

    /// Adds what only ever grows.
    pub(super) fn add_totals(&mut self, other: Samples) {
        for (metric, values) in other.0.into_iter().filter(|(metric, _)| metric.family().kind != Kind::Gauge) {
            for (labels, value) in values {
                self.add_value(metric, labels, value);
            }
        }
    }

    fn add_value(&mut self, metric: Metric, labels: Vec<String>, value: Value) {
        debug_assert_eq!(labels.len(), metric.family().labels.len(), "{metric:?}");
        let values = self.0.entry(metric).or_default();
        match values.get_mut(&labels) {
            Some(sum) => sum.add(value),
            None => {
                values.insert(labels, value);
            }
        }
    }

    /// The values of a metric, each with those of its labels.
    pub(super) fn of(&self, metric: Metric) -> impl Iterator<Item = (&Vec<String>, &Value)> {
        self.0.get(&metric).into_iter().flatten()
    }
}
