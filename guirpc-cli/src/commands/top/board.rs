//! What happened between two samples, function by function. Pure data, no I/O.

use std::collections::{BTreeMap, VecDeque};

use guirpc::control::FunctionStatistics;
use serde::Serialize;

use super::Sample;
use crate::args::TopSort;
use crate::commands::stats::{Key, rows};

/// So many samples are kept of each function.
const HISTORY: usize = 60;

/// The functions that there are, and how they did lately.
pub(super) struct Board {
    service: Option<String>,
    last: Option<Sample>,
    servers: usize,
    lines: BTreeMap<(String, String), Line>,
}

/// A function, in one lane, of all its servers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Line {
    /// `SERVICE.FUNCTION`.
    pub(super) function: String,
    /// Empty for functions that name none.
    pub(super) lane: String,
    pub(super) servers: u64,
    /// Requests per second since the sample before.
    pub(super) rate: f64,
    /// Errors, faults and refusals per second since the sample before.
    pub(super) failures: f64,
    pub(super) requests: u64,
    pub(super) in_flight: u64,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
    pub(super) queue_p99_us: u64,
    /// The rates of the last samples, oldest first.
    pub(super) history: VecDeque<f64>,
}

/// How many requests and failures there were by now.
fn counts(statistics: &FunctionStatistics) -> [u64; 2] {
    let refused: u64 = statistics.refusals.values().sum();
    [statistics.requests, statistics.errors + statistics.faults + refused]
}

impl Board {
    pub(super) fn new(service: Option<String>) -> Self {
        Board { service, last: None, servers: 0, lines: BTreeMap::new() }
    }

    /// How many servers have answered the last time.
    pub(super) fn servers(&self) -> usize {
        self.servers
    }

    /// Takes a sample in.
    pub(super) fn update(&mut self, (answers, at): &Sample) {
        let service = self.service.as_deref();
        let of_each = |answers: &[_]| {
            let all = rows(answers, service, true).into_iter();
            all.map(|(key, row)| (key, counts(&row.statistics))).collect::<BTreeMap<Key, [u64; 2]>>()
        };
        let (now, before) = (of_each(answers), self.last.as_ref().map(|(answers, _)| of_each(answers)));
        let seconds = self.last.as_ref().map(|(_, last)| at.duration_since(*last).as_secs_f64().max(1e-3));
        let mut differences: BTreeMap<(String, String), [f64; 2]> = BTreeMap::new();
        for (key, [requests, failures]) in &now {
            // A server that was not there before has done nothing lately that could be known.
            let Some([old_requests, old_failures]) = before.as_ref().and_then(|before| before.get(key)) else {
                continue;
            };
            let sums = differences.entry(name(key)).or_default();
            sums[0] += float(requests.saturating_sub(*old_requests));
            sums[1] += float(failures.saturating_sub(*old_failures));
        }
        let mut lines = BTreeMap::new();
        for (key, row) in rows(answers, service, false) {
            let (function, lane) = name(&key);
            let name = (function.clone(), lane.clone());
            let [rate, failures] = differences
                .get(&name)
                .copied()
                .unwrap_or_default()
                .map(|sum| seconds.map_or(0.0, |seconds| sum / seconds));
            let mut history = self.lines.remove(&name).map(|line| line.history).unwrap_or_default();
            if seconds.is_some() {
                history.push_back(rate);
                history.drain(..history.len().saturating_sub(HISTORY));
            }
            let FunctionStatistics { requests, in_flight, run_time, queue_time, .. } = row.statistics;
            let shown = Line {
                function,
                lane,
                servers: row.servers,
                rate,
                failures,
                requests,
                in_flight,
                p50_us: run_time.p50_us,
                p99_us: run_time.p99_us,
                queue_p99_us: queue_time.p99_us,
                history,
            };
            lines.insert(name, shown);
        }
        (self.lines, self.servers) = (lines, answers.len());
        self.last = Some((answers.clone(), *at));
    }

    /// The lines with this text in their name, in this order or the other way round.
    pub(super) fn lines(&self, sort: TopSort, reversed: bool, filter: &str) -> Vec<&Line> {
        let mut lines: Vec<&Line> = self.lines.values().filter(|line| line.function.contains(filter)).collect();
        let most = |one: f64, other: f64| other.total_cmp(&one);
        lines.sort_by(|one, other| match sort {
            TopSort::Rate => most(one.rate, other.rate),
            TopSort::Failures => most(one.failures, other.failures),
            TopSort::InFlight => other.in_flight.cmp(&one.in_flight),
            TopSort::P99 => other.p99_us.cmp(&one.p99_us),
            TopSort::Name => one.function.cmp(&other.function),
        });
        if reversed {
            lines.reverse();
        }
        lines
    }
}

fn name((service, function, lane, _): &Key) -> (String, String) {
    (format!("{service}.{function}"), lane.clone())
}

/// As a number to calculate with: a count of requests is far from where that is inexact.
#[allow(clippy::cast_precision_loss, reason = "no count is as large as 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use guirpc::control::Statistics;
    use serde_json::json;

    use super::*;

    /// The answer of a server of this id, with so many requests for `add`, so many of which failed.
    fn answer(id: &str, requests: u64, faults: u64) -> Statistics {
        let times = json!({ "count": 1, "sum_us": 1, "p50_us": 1, "p99_us": 1, "max_us": 1 });
        let function = json!({
            "function": "add", "requests": requests, "in_flight": 1, "outputs": requests, "errors": 0, "faults": faults,
            "refusals": {}, "cached": 0, "redelivered": 0, "retries": 0, "dead_letters": 0, "run_time": times,
            "queue_time": times, "last_failure": null,
        });
        let services = json!([{ "service": "math", "functions": [function] }]);
        let instance = json!({
            "id": id, "host": "h", "pid": 1, "program": "p", "guirpc": "0", "since": 0, "services": ["math"],
        });
        let lanes = json!([{
            "lane": null, "status": "connected", "reconnects": 0, "places": 1, "busy": 0, "services": services,
        }]);
        let answer = json!({ "version": 1, "instance": instance, "uptime_ms": 1, "lanes": lanes });
        serde_json::from_value(answer).expect("it is an answer")
    }

    fn rate(board: &Board) -> (f64, f64) {
        let lines = board.lines(TopSort::Rate, false, "");
        (lines[0].rate, lines[0].failures)
    }

    #[test]
    fn rates_are_of_what_was_between() {
        let start = Instant::now();
        let mut board = Board::new(Some("math".to_owned()));
        board.update(&(vec![answer("a", 1000, 0)], start));
        assert_eq!(rate(&board), (0.0, 0.0));
        // Another server has come, which had a history before.
        board.update(&(vec![answer("a", 1100, 4), answer("b", 5000, 1)], start + Duration::from_secs(2)));
        assert_eq!(rate(&board), (50.0, 2.0));
        assert_eq!(board.servers(), 2);
        // One was started anew, under another id; the other goes on.
        board.update(&(vec![answer("c", 10, 0), answer("b", 5300, 1)], start + Duration::from_secs(3)));
        assert_eq!(rate(&board), (300.0, 0.0));
        let line = board.lines(TopSort::Name, false, "math.")[0];
        assert_eq!((line.servers, line.requests, line.in_flight), (2, 5310, 2));
        assert_eq!(line.history, [50.0, 300.0]);
        assert!(board.lines(TopSort::Name, false, "sub").is_empty());
    }

    #[test]
    fn another_service_is_not_shown() {
        let mut board = Board::new(Some("users".to_owned()));
        board.update(&(vec![answer("a", 1000, 0)], Instant::now()));
        assert!(board.lines(TopSort::Rate, true, "").is_empty());
    }
}
