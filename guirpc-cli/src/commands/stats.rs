//! `guirpc stats`: how servers do, function by function.

use std::collections::BTreeMap;

use guirpc::control::{Control, FunctionStatistics, LaneStatistics, Statistics};

use super::servers::{ago, table, time};
use crate::args::Stats;
use crate::failure::Failure;

pub(super) fn run(Stats { service, instances, gather }: &Stats) -> Result<(), Failure> {
    let answers = gather.ask(service.as_deref(), Control::statistics)?;
    gather.print(&answers, |answers| text(&rows(answers, service.as_deref(), *instances)))
}

/// A function, in one lane, of one server or of all.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Row {
    pub(super) servers: u64,
    pub(super) statistics: FunctionStatistics,
}

/// What a row is about: service, function, lane, instance.
pub(super) type Key = (String, String, String, String);

/// The statistics by what they are about, added up over servers unless each is asked for.
pub(super) fn rows(answers: &[Statistics], service: Option<&str>, by_instance: bool) -> BTreeMap<Key, Row> {
    let mut rows: BTreeMap<Key, Row> = BTreeMap::new();
    for answer in answers {
        for LaneStatistics { lane, services, .. } in &answer.lanes {
            for served in services.iter().filter(|served| service.is_none_or(|service| served.service == service)) {
                for function in &served.functions {
                    let instance = if by_instance { answer.instance.id.clone() } else { String::new() };
                    let lane = lane.clone().unwrap_or_default();
                    let key = (served.service.clone(), function.function.clone(), lane, instance);
                    rows.entry(key).or_default().add(function);
                }
            }
        }
    }
    rows
}

impl Row {
    /// Counts are added; of times the longest is told, since quantiles cannot be added.
    fn add(&mut self, other: &FunctionStatistics) {
        self.servers += 1;
        let all = &mut self.statistics;
        let counts = [
            (&mut all.requests, other.requests),
            (&mut all.in_flight, other.in_flight),
            (&mut all.outputs, other.outputs),
            (&mut all.errors, other.errors),
            (&mut all.faults, other.faults),
            (&mut all.cached, other.cached),
            (&mut all.redelivered, other.redelivered),
            (&mut all.retries, other.retries),
            (&mut all.dead_letters, other.dead_letters),
        ];
        for (sum, count) in counts {
            *sum += count;
        }
        for (status, count) in &other.refusals {
            *all.refusals.entry(*status).or_default() += count;
        }
        for (all, other) in [(&mut all.run_time, other.run_time), (&mut all.queue_time, other.queue_time)] {
            all.count += other.count;
            all.sum_us += other.sum_us;
            all.p50_us = all.p50_us.max(other.p50_us);
            all.p99_us = all.p99_us.max(other.p99_us);
            all.max_us = all.max_us.max(other.max_us);
        }
        let later = other.last_failure.filter(|other| all.last_failure.is_none_or(|last| last.time < other.time));
        all.last_failure = later.or(all.last_failure);
    }
}

const HEAD: [&str; 14] = [
    "function",
    "servers",
    "requests",
    "in flight",
    "errors",
    "faults",
    "refused",
    "cached",
    "retries",
    "dead",
    "p50",
    "p99",
    "queued p99",
    "last failure",
];

fn text(rows: &BTreeMap<Key, Row>) -> String {
    let row = |((service, function, lane, instance), Row { servers, statistics }): (&Key, &Row)| {
        let lane = if lane.is_empty() { String::new() } else { format!(" ({lane})") };
        let whose = if instance.is_empty() { servers.to_string() } else { instance.clone() };
        let refused: u64 = statistics.refusals.values().sum();
        let counts = [
            statistics.requests,
            statistics.in_flight,
            statistics.errors,
            statistics.faults,
            refused,
            statistics.cached,
            statistics.retries,
            statistics.dead_letters,
        ];
        let times = [statistics.run_time.p50_us, statistics.run_time.p99_us, statistics.queue_time.p99_us];
        let failure = statistics.last_failure;
        let failure = failure.map_or_else(String::new, |last| format!("{}, {} ago", last.status, ago(last.time)));
        let first = [format!("{service}.{function}{lane}"), whose];
        let (counts, times) = (counts.map(|count| count.to_string()), times.map(time));
        first.into_iter().chain(counts).chain(times).chain([failure]).collect()
    };
    let head = HEAD.map(str::to_owned).to_vec();
    if rows.is_empty() {
        return "no requests yet\n".to_owned();
    }
    table(&[head].into_iter().chain(rows.iter().map(row)).collect::<Vec<_>>())
}
