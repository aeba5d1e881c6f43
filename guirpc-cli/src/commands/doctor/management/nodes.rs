//! The nodes of the cluster: whether they run, are short of something, or are parted; and the broker's clock.

use serde::Deserialize;

use super::Management;
use crate::commands::doctor::finding::Finding;
use guirpc::__private_0_1::Exit;

const CHECK: &str = "node.resources";
/// What a request's way and whole seconds explain.
const TOLERANCE: i64 = 2;
/// From this part of a limit on it is told, in percent.
const NEARLY_ALL: u64 = 80;

/// What is found, and how many nodes there are, if that is known.
#[derive(Default)]
pub(in crate::commands::doctor) struct Nodes {
    pub(in crate::commands::doctor) count: Option<usize>,
    pub(in crate::commands::doctor) findings: Vec<Finding>,
}

/// A node; one that is down tells little.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Node {
    name: String,
    running: bool,
    mem_alarm: bool,
    disk_free_alarm: bool,
    partitions: Vec<String>,
    fd_used: Option<u64>,
    fd_total: Option<u64>,
    sockets_used: Option<u64>,
    sockets_total: Option<u64>,
    proc_used: Option<u64>,
    proc_total: Option<u64>,
    mem_used: Option<u64>,
    mem_limit: Option<u64>,
}

pub(in crate::commands::doctor) fn examine(management: &Management) -> Nodes {
    let mut findings: Vec<Finding> = clock(management.ahead).into_iter().collect();
    let nodes = match management.get::<Vec<Node>>(CHECK, "/api/nodes") {
        Ok(nodes) => nodes.unwrap_or_default(),
        Err(finding) => {
            findings.push(*finding);
            return Nodes { count: None, findings };
        }
    };
    findings.extend(nodes.iter().flat_map(Node::examine));
    Nodes { count: Some(nodes.len()).filter(|count| *count > 0), findings }
}

fn clock(ahead: Option<i64>) -> Option<Finding> {
    const CHECK: &str = "broker.clock";
    let ahead = ahead?;
    let found = format!(
        "the broker's clock is {} s {} this machine's",
        ahead.abs(),
        if ahead < 0 { "behind" } else { "ahead of" }
    );
    if ahead.abs() <= TOLERANCE {
        return Some(Finding::ok(CHECK, "the broker's clock agrees with this machine's, to the second"));
    }
    Some(
        Finding::warning(CHECK, found)
            .means("deadlines are times by the caller's clock: a server whose clock is ahead refuses calls as expired (408), one behind runs those that are")
            .advise("set all clocks by NTP: `timedatectl set-ntp true`, `chronyc tracking`"),
    )
}

impl Node {
    fn examine(&self) -> Vec<Finding> {
        if !self.running {
            return vec![
                Finding::error("node.running", Exit::Broker, "the node is down")
                    .means("classic queues on it cannot be reached; quorum queues live while most of their nodes do")
                    .advise("start it, or `rabbitmqctl forget_cluster_node` if it is gone for good")
                    .about(&*self.name),
            ];
        }
        let mut findings = vec![Finding::ok("node.running", "the node runs")];
        if !self.partitions.is_empty() {
            findings.push(
                Finding::error("node.partition", Exit::Broker, format!("it does not see {}", self.partitions.join(", ")))
                    .means("the cluster has fallen apart: queues differ between its parts")
                    .advise("mend the network, then restart the nodes of the part that is to lose: `rabbitmqctl cluster_status`"),
            );
        }
        for (alarm, what, advice) in [
            (self.mem_alarm, "memory", "free memory on its machine, or raise `vm_memory_high_watermark`"),
            (self.disk_free_alarm, "disk", "free disk on its machine, or lower `disk_free_limit`"),
        ] {
            findings.extend(alarm.then(|| {
                Finding::error("node.alarm", Exit::Broker, format!("it is short of {what}"))
                    .means("the whole cluster takes no messages")
                    .advise(advice)
            }));
        }
        findings.push(self.resources());
        findings.into_iter().map(|finding| finding.about(&*self.name)).collect()
    }

    fn resources(&self) -> Finding {
        let of = |used: Option<u64>, total: Option<u64>| used.zip(total).filter(|(_, total)| *total > 0);
        let all = [
            ("file descriptors", of(self.fd_used, self.fd_total)),
            ("sockets", of(self.sockets_used, self.sockets_total)),
            ("Erlang processes", of(self.proc_used, self.proc_total)),
            ("memory in bytes", of(self.mem_used, self.mem_limit)),
        ];
        let told = all.iter().filter_map(|(what, of)| of.map(|(used, total)| (*what, used, total)));
        let nearly: Vec<String> = told
            .clone()
            .filter(|(_, used, total)| used.saturating_mul(100) >= total.saturating_mul(NEARLY_ALL))
            .map(|(what, used, total)| format!("{used} of {total} {what} are used"))
            .collect();
        if nearly.is_empty() {
            let told: Vec<String> = told.map(|(what, used, total)| format!("{what} {used} of {total}")).collect();
            if told.is_empty() {
                return Finding::skipped(
                    CHECK,
                    "there are no statistics: the node has just been started, or collects none",
                );
            }
            return Finding::ok(CHECK, told.join(", "));
        }
        Finding::warning(CHECK, nearly.join(", "))
            .means("at the limit the broker refuses connections, or messages")
            .advise("find what uses it by `rabbitmq-diagnostics status`; raise `LimitNOFILE` of its unit for file descriptors")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> Vec<(&'static str, &'static str)> {
        let node: Node = serde_json::from_str(json).unwrap();
        node.examine().iter().map(|finding| (finding.check, finding.severity.name())).collect()
    }

    #[test]
    fn what_a_node_lacks_is_told() {
        let well = r#"{"name": "a", "running": true, "fd_used": 40, "fd_total": 1024, "unknown": []}"#;
        assert_eq!(found(well), [("node.running", "ok"), (CHECK, "ok")]);
        assert_eq!(found(r#"{"name": "a", "running": false}"#), [("node.running", "error")]);
        let full = r#"{"running": true, "fd_used": 1000, "fd_total": 1024, "mem_alarm": true, "partitions": ["b"]}"#;
        let expected =
            [("node.running", "ok"), ("node.partition", "error"), ("node.alarm", "error"), (CHECK, "warning")];
        assert_eq!(found(full), expected);
    }

    #[test]
    fn whole_seconds_are_no_skew() {
        let severity = |ahead| clock(Some(ahead)).map(|finding| finding.severity.name());
        assert_eq!([-1, 0, 2].map(severity), [Some("ok"); 3]);
        assert_eq!([-3, 60].map(severity), [Some("warning"); 2]);
        assert!(clock(None).is_none());
    }
}
