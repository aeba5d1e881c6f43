//! Queues as the management API has them: what is unacknowledged, how old what waits is, policies, and services.

use std::time::{Duration, SystemTime};

use guirpc::inspect::Inspection;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Management, segment};
use crate::commands::doctor::finding::Finding;
use crate::commands::doctor::{Examination, Target};

const UNACKNOWLEDGED: &str = "queue.unacknowledged";
const AGE: &str = "queue.age";
const POLICY: &str = "queue.policy";
/// The queues that guirpc has beside a service's own.
const BESIDE: [&str; 4] = [".calls", ".retry", ".quarantine", ".dead"];

/// What is found, and what a policy says of the consumer timeout.
pub(in crate::commands::doctor) struct Queue {
    pub(in crate::commands::doctor) consumer_timeout: Option<Duration>,
    pub(in crate::commands::doctor) findings: Vec<Finding>,
}

/// A queue; the statistics are those of the last few seconds, and missing at first.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    messages_ready: Option<u64>,
    messages_unacknowledged: Option<u64>,
    head_message_timestamp: Option<u64>,
    message_stats: Option<Statistics>,
    /// An object; an empty list where there is no policy.
    effective_policy_definition: Value,
    arguments: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Statistics {
    ack_details: Rate,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Rate {
    rate: f64,
}

#[derive(Deserialize)]
struct Binding {
    destination: String,
    destination_type: String,
}

/// The queues of services and of lanes that are bound to the exchange.
pub(in crate::commands::doctor) fn bound(
    management: &Management,
    vhost: &str,
    exchange: &str,
) -> Result<Vec<String>, Box<Finding>> {
    let path = format!("/api/exchanges/{}/{}/bindings/source", segment(vhost), segment(exchange));
    let bindings: Vec<Binding> = management.get("queue.declaration", &path)?.unwrap_or_default();
    Ok(named(bindings))
}

fn named(bindings: Vec<Binding>) -> Vec<String> {
    let queues = bindings.into_iter().filter(|binding| binding.destination_type == "queue");
    let mut names: Vec<String> = queues.map(|binding| binding.destination).collect();
    names.retain(|name| !BESIDE.iter().any(|beside| name.ends_with(beside)));
    names.sort_unstable();
    names.dedup();
    names
}

pub(in crate::commands::doctor) fn examine(
    management: &Management,
    examination: &Examination<'_>,
    target: &Target,
) -> Queue {
    let queues = target.queues(&examination.settings);
    let told = get(management, &examination.inspection, queues[0].name());
    match told {
        Ok(None) => Queue { consumer_timeout: None, findings: Vec::new() },
        Err(finding) => Queue { consumer_timeout: None, findings: vec![finding.about(target.to_string())] },
        Ok(Some(told)) => {
            let findings = [told.unacknowledged(), told.age(SystemTime::now()), told.policy()];
            let findings = findings.into_iter().flatten().map(|finding| finding.about(target.to_string())).collect();
            Queue { consumer_timeout: told.consumer_timeout(), findings }
        }
    }
}

fn get(management: &Management, inspection: &Inspection, queue: &str) -> Result<Option<Told>, Box<Finding>> {
    management.get(UNACKNOWLEDGED, &format!("/api/queues/{}/{}", segment(inspection.vhost()), segment(queue)))
}

impl Told {
    fn setting(&self, policy: &str, argument: &str) -> Option<&Value> {
        let of = |object: &'_ Value, name: &str| object.get(name).is_some();
        if of(&self.arguments, argument) {
            self.arguments.get(argument)
        } else {
            self.effective_policy_definition.get(policy)
        }
    }

    fn consumer_timeout(&self) -> Option<Duration> {
        self.setting("consumer-timeout", "x-consumer-timeout")?.as_u64().map(Duration::from_millis)
    }

    fn acknowledged(&self) -> f64 {
        self.message_stats.as_ref().map_or(0.0, |statistics| statistics.ack_details.rate)
    }

    fn unacknowledged(&self) -> Option<Finding> {
        let count = self.messages_unacknowledged?;
        if count == 0 {
            return Some(Finding::ok(UNACKNOWLEDGED, "no request is unacknowledged"));
        }
        let found =
            format!("{count} requests are unacknowledged, {:.1} are acknowledged each second", self.acknowledged());
        if self.acknowledged() > 0.0 {
            return Some(Finding::ok(UNACKNOWLEDGED, found));
        }
        Some(
            Finding::warning(UNACKNOWLEDGED, found)
                .means(
                    "functions run for long, or hang; after the broker's consumer timeout, 30 minutes unless it is set, it \
                     takes their requests back",
                )
                .advise("look at the server's log, which warns of functions that run for long, and at what they wait for"),
        )
    }

    /// How old the first request that waits is, or about how long one will wait.
    fn age(&self, now: SystemTime) -> Option<Finding> {
        let ready = self.messages_ready.filter(|ready| *ready > 0)?;
        if let Some(seconds) = self.head_message_timestamp {
            let since = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
            let age = Duration::from_secs(now.duration_since(since).unwrap_or_default().as_secs());
            return Some(Finding::note(
                AGE,
                format!("the first of {ready} was sent {} ago", humantime::format_duration(age)),
            ));
        }
        let rate = self.acknowledged();
        if rate <= 0.0 {
            return Some(Finding::note(AGE, format!("{ready} wait, and none was acknowledged in the last seconds")));
        }
        #[allow(clippy::cast_precision_loss, reason = "it is an estimate")]
        let wait = Duration::from_secs_f64((ready as f64 / rate).ceil().min(1e9));
        Some(Finding::note(
            AGE,
            format!("{ready} wait, which takes about {} at this rate", humantime::format_duration(wait)),
        ))
    }

    /// What an administrator has set that drops requests without a word.
    fn policy(&self) -> Option<Finding> {
        let policy: &Map<String, Value> =
            self.effective_policy_definition.as_object().filter(|policy| !policy.is_empty())?;
        let limits = ["max-length", "max-length-bytes"].iter().any(|name| policy.contains_key(*name));
        let rejects = policy
            .get("overflow")
            .and_then(Value::as_str)
            .is_some_and(|overflow| overflow.starts_with("reject-publish"));
        let shown = Value::Object(policy.clone());
        if limits && !rejects {
            return Some(
                Finding::warning(POLICY, format!("its policy is {shown}"))
                    .means("when the queue is full, the oldest requests are dropped, and their callers time out")
                    .advise("add `\"overflow\": \"reject-publish\"` to the policy: calls fail at once with `Overloaded` then"),
            );
        }
        Some(Finding::ok(POLICY, format!("its policy is {shown}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(json: Value) -> Told {
        serde_json::from_value(json).unwrap()
    }

    #[track_caller]
    fn check(finding: Option<Finding>, severity: &str, said: &str) {
        let finding = finding.expect("there is a finding");
        assert_eq!(finding.severity.name(), severity, "{finding:?}");
        assert!(finding.found.contains(said), "{finding:?}");
    }

    #[test]
    fn what_nobody_acknowledges_is_told() {
        check(told(json!({ "messages_unacknowledged": 0 })).unacknowledged(), "ok", "no request");
        let hangs = json!({ "messages_unacknowledged": 3, "message_stats": { "ack_details": { "rate": 0.0 } } });
        check(told(hangs).unacknowledged(), "warning", "3 requests");
        let runs = json!({ "messages_unacknowledged": 3, "message_stats": { "ack_details": { "rate": 7.5 } } });
        check(told(runs).unacknowledged(), "ok", "7.5 are");
    }

    #[test]
    fn the_age_is_told_or_reckoned() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        assert!(told(json!({ "messages_ready": 0 })).age(now).is_none());
        check(told(json!({ "messages_ready": 2, "head_message_timestamp": 940 })).age(now), "note", "1m ago");
        let rate = json!({ "messages_ready": 20, "message_stats": { "ack_details": { "rate": 2.0 } } });
        check(told(rate).age(now), "note", "about 10s");
    }

    #[test]
    fn policies_that_drop_requests_are_told() {
        assert!(told(json!({ "effective_policy_definition": [] })).policy().is_none());
        check(told(json!({ "effective_policy_definition": { "max-length": 9 } })).policy(), "warning", "max-length");
        let rejects = json!({ "effective_policy_definition": { "max-length": 9, "overflow": "reject-publish" } });
        check(told(rejects).policy(), "ok", "reject-publish");
    }

    #[test]
    fn the_consumer_timeout_is_that_of_the_queue() {
        let told = told(json!({
            "arguments": { "x-consumer-timeout": 2000 },
            "effective_policy_definition": { "consumer-timeout": 1000 },
        }));
        assert_eq!(told.consumer_timeout(), Some(Duration::from_secs(2)));
    }

    #[test]
    fn queues_beside_those_of_services_are_left_out() {
        let bound =
            |name: &str, kind: &str| Binding { destination: name.to_owned(), destination_type: kind.to_owned() };
        let bindings =
            vec![bound("shop", "queue"), bound("shop.calls", "queue"), bound("x", "exchange"), bound("a", "queue")];
        assert_eq!(named(bindings), ["a", "shop"]);
    }
}
