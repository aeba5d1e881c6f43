//! Samples as OpenMetrics text.

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::families::{Family, Kind, Metric};
use super::histogram::{BOUNDS, Buckets};
use super::samples::{Samples, Value};

pub(super) fn encode(samples: Samples) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape(samples)));
    let mut text = String::new();
    text::encode(&mut text, &registry).expect("a text takes everything");
    text
}

#[derive(Debug)]
struct Scrape(Samples);

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for metric in Metric::ALL {
            let Family { name, kind, labels: names, help } = metric.family();
            // The encoder appends what names end in.
            let (name, unit, kind) = match kind {
                Kind::Counter => (name.trim_end_matches("_total"), None, MetricType::Counter),
                Kind::Gauge => (name, None, MetricType::Gauge),
                Kind::Histogram => (name.trim_end_matches("_seconds"), Some(Unit::Seconds), MetricType::Histogram),
            };
            let mut encoder = encoder.encode_descriptor(name, help, unit.as_ref(), kind)?;
            for (values, value) in self.0.of(*metric) {
                let labels: Vec<(&str, &str)> = names.iter().copied().zip(values.iter().map(String::as_str)).collect();
                if labels.is_empty() {
                    encode_value(&mut encoder, kind, value)?;
                } else {
                    encode_value(&mut encoder.encode_family(&labels)?, kind, value)?;
                }
            }
        }
        Ok(())
    }
}

fn encode_value(encoder: &mut MetricEncoder<'_>, kind: MetricType, value: &Value) -> fmt::Result {
    match value {
        Value::Number(number) if matches!(kind, MetricType::Counter) => {
            encoder.encode_counter::<NoLabelSet, _, f64>(number, None)
        }
        Value::Number(number) => encoder.encode_gauge(number),
        Value::Times(times) => {
            let Buckets { counts, .. } = **times;
            let ends = BOUNDS.iter().map(Duration::as_secs_f64).chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = ends.zip(counts).collect();
            encoder.encode_histogram::<NoLabelSet>(seconds(times.nanoseconds), times.count(), &buckets, None)
        }
    }
}

fn seconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Histogram;

    #[test]
    fn samples_are_written_as_open_metrics() {
        let (mut samples, times) = (Samples::default(), Histogram::default());
        for time in [1, 300, 20_000] {
            times.record(Duration::from_millis(time));
        }
        samples.add_times(Metric::ServerCallDuration, &["math", "add", "", "output"], &times);
        samples.add(Metric::ServerRefusals, &["math", "_OTHER", "slow\"\n", "404"], 2);
        samples.add(Metric::Clients, &[], 1);
        let text = encode(samples);
        let expected = [
            "# HELP guirpc_clients Clients that there are",
            "# TYPE guirpc_clients gauge",
            "guirpc_clients 1",
            "# TYPE guirpc_server_refusals counter",
            "guirpc_server_refusals_total{service=\"math\",function=\"_OTHER\",lane=\"slow\\\"\\n\",status=\"404\"} 2",
            "# TYPE rpc_server_call_duration_seconds histogram",
            "# UNIT rpc_server_call_duration_seconds seconds",
            "rpc_server_call_duration_seconds_sum{service=\"math\",function=\"add\",lane=\"\",outcome=\"output\"} 20.301",
            "rpc_server_call_duration_seconds_count{service=\"math\",function=\"add\",lane=\"\",outcome=\"output\"} 3",
            "rpc_server_call_duration_seconds_bucket{le=\"0.005\",service=\"math\",function=\"add\",lane=\"\",outcome=\"output\"} 1",
            "rpc_server_call_duration_seconds_bucket{le=\"0.5\",service=\"math\",function=\"add\",lane=\"\",outcome=\"output\"} 2",
            "rpc_server_call_duration_seconds_bucket{le=\"+Inf\",service=\"math\",function=\"add\",lane=\"\",outcome=\"output\"} 3",
            "# EOF",
        ];
        for line in expected {
            assert!(text.lines().any(|found| found == line), "no line {line} in\n{text}");
        }
    }
}
