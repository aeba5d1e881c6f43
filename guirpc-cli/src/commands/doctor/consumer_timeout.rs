//! Whether the longest function ends before the broker takes its request back.

use std::time::Duration;

use super::finding::Finding;
use super::servers::Servers;
use super::{Examination, Target};

const CHECK: &str = "queue.consumer-timeout";
/// RabbitMQ's own, from 3.8.17 on.
const DEFAULT: Duration = Duration::from_mins(30);

/// `timeout` is what a policy sets for the queue, if that is known.
pub(super) fn examine(
    examination: &Examination<'_>,
    target: &Target,
    servers: &Servers,
    timeout: Option<Duration>,
) -> Finding {
    let said = examination.doctor.longest.map(Duration::from);
    let Some(longest) = said.or_else(|| servers.longest(target)) else {
        let why = "no server has run anything yet, and nobody says how long the longest function takes: \
                   `--longest 45min` does";
        return Finding::skipped(CHECK, why).about(target.to_string());
    };
    let fetched = servers.fetched_per_worker(target).unwrap_or_else(|| examination.settings.fetched_per_worker());
    judge(longest, fetched, timeout).about(target.to_string())
}

fn judge(longest: Duration, fetched_per_worker: usize, policy: Option<Duration>) -> Finding {
    let timeout = policy.unwrap_or(DEFAULT);
    let source = if policy.is_some() { "by its policy" } else { "RabbitMQ's default" };
    let shown = humantime::format_duration;
    let found = format!(
        "the broker waits {} for an acknowledgement ({source}), the longest function takes {}",
        shown(timeout),
        shown(longest)
    );
    let raise = "raise `consumer_timeout` in rabbitmq.conf, in milliseconds, or from RabbitMQ 3.12 on by the policy \
                 `consumer-timeout`; `rabbitmqctl environment` shows what it is";
    if longest >= timeout {
        return Finding::warning(CHECK, found)
            .means(
                "the broker takes the request back while it runs, and closes the channel: it runs again elsewhere, and \
                    becomes a dead letter in the end",
            )
            .advise(format!("divide the function into steps, or acknowledge first (`ack = \"early\"`), or {raise}"));
    }
    let fetched = u32::try_from(fetched_per_worker).unwrap_or(u32::MAX);
    if longest.saturating_mul(fetched) >= timeout {
        let most = timeout.as_millis().saturating_sub(1) / longest.as_millis().max(1);
        return Finding::warning(CHECK, format!("{found}, and {fetched} are fetched for each worker"))
            .means("a request that waits behind as many long ones is taken back before it begins")
            .advise(format!("lower `prefetch` to {most} for each worker, give the long function a lane, or {raise}"));
    }
    Finding::ok(CHECK, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Severity;

    #[track_caller]
    fn check(longest: u64, fetched: usize, policy: Option<u64>, severity: Severity, said: &str) {
        let finding = judge(Duration::from_secs(longest), fetched, policy.map(Duration::from_secs));
        assert_eq!(finding.severity, severity);
        let text = format!("{} {}", finding.found, finding.advice.unwrap_or_default());
        assert!(text.contains(said), "{text}");
    }

    #[test]
    fn what_waits_counts_as_well() {
        check(20, 64, None, Severity::Ok, "RabbitMQ's default");
        check(60, 64, None, Severity::Warning, "`prefetch` to 29");
        check(60, 1, None, Severity::Ok, "");
        check(1800, 1, None, Severity::Warning, "divide");
        check(60, 1, Some(60), Severity::Warning, "by its policy");
        check(1800, 1, Some(3600), Severity::Ok, "by its policy");
    }
}
