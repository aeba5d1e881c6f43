//! The exchange, and the queues of a service: declared as they should be, served, and worked off.

use std::time::{Duration, Instant};

use guirpc::__private_0_1::Exit;
use guirpc::inspect::Declared;
use guirpc::{Backlog, CallError, Error};

use super::finding::Finding;
use super::{Examination, Target, argument};

const DECLARATION: &str = "queue.declaration";
const BACKLOG: &str = "queue.backlog";

pub(super) fn exchange(examination: &Examination<'_>) -> Option<Finding> {
    const CHECK: &str = "exchange.declaration";
    let name = examination.settings.exchange();
    let finding = match examination.inspection.exchange(&examination.settings) {
        Ok(Declared::Alike) => Finding::ok(CHECK, "it is declared as servers declare it"),
        Ok(Declared::Missing) => Finding::note(CHECK, "there is none yet").means(
            "no service was served here so far; the first server declares it, and calls are unroutable until then",
        ),
        Ok(Declared::Differently(how)) => Finding::error(CHECK, Exit::Topology, how)
            .means("no server with these settings starts")
            .advise("delete the exchange when no server runs, or set `exchange` to another name"),
        Ok(Declared::Unknown(why)) => {
            Finding::skipped(CHECK, format!("it is there, and this user may not declare it to compare: {why}"))
        }
        Ok(_) => return None,
        Err(error) => unanswered(CHECK, &error),
    };
    Some(finding.about(name))
}

pub(super) fn backlog(examination: &Examination<'_>, target: &Target) -> Result<Option<Backlog>, Error> {
    let queues = target.queues(&examination.settings);
    examination.inspection.backlog(queues[0].name())
}

/// Whether each queue is as a server would declare it.
pub(super) fn declarations(examination: &Examination<'_>, target: &Target) -> Vec<Finding> {
    let Examination { settings, inspection, .. } = examination;
    let mut findings = Vec::new();
    let mut missing = Vec::new();
    let queues = target.queues(settings);
    for (place, queue) in queues.iter().enumerate() {
        let name = queue.name();
        let declared = match inspection.queue(queue) {
            Ok(declared) => declared,
            Err(error) => {
                findings.push(unanswered(DECLARATION, &error).about(name));
                continue;
            }
        };
        match declared {
            Declared::Missing if place == 0 => return vec![unknown(examination, target).about(name)],
            // That of dead letters is declared with the first.
            Declared::Missing if place + 1 == queues.len() => {}
            Declared::Missing => missing.push(format!("`{name}`")),
            Declared::Differently(how) => findings.push(differs(examination, name, how).about(name)),
            Declared::Unknown(_) => {
                let why = "it is there, and this user may not declare it to compare";
                findings.push(Finding::skipped(DECLARATION, why).about(name));
            }
            _ => {}
        }
    }
    if !missing.is_empty() {
        findings.push(
            Finding::note(DECLARATION, format!("there is no {}", missing.join(", no ")))
                .means(
                    "a server declares them when it starts, if it may; without the one for `.calls` calls come singly, \
                     without the others it does not start",
                )
                .about(target.to_string()),
        );
    }
    if findings.is_empty() {
        findings.push(
            Finding::ok(DECLARATION, "all queues are declared as servers declare them").about(target.to_string()),
        );
    }
    findings
}

/// There is no queue for it.
fn unknown(examination: &Examination<'_>, target: &Target) -> Finding {
    let found = "there is no such queue";
    if examination.inspection.exchange(&examination.settings).is_ok_and(|declared| declared == Declared::Missing) {
        let queues = target.queues(&examination.settings);
        let names: Vec<String> = queues.iter().map(|queue| format!("`{}`", queue.name())).collect();
        return Finding::note(DECLARATION, found)
            .means(format!("nothing of guirpc is declared here yet; the first server declares {}", names.join(", ")));
    }
    Finding::warning(DECLARATION, found)
        .means("other services may be served here, this one never was: calls to it are unroutable")
        .advise("is the name right, and the virtual host? `rabbitmqctl list_queues -p VHOST name consumers messages`")
}

fn differs(examination: &Examination<'_>, queue: &str, how: String) -> Finding {
    let consumed = examination.inspection.backlog(queue).ok().flatten().is_some_and(|backlog| backlog.servers > 0);
    if consumed {
        return Finding::note(DECLARATION, how)
            .means("a server consumes from it, so its settings are others than those that this command has read")
            .advise("`--config FILE` names the settings of the service");
    }
    Finding::error(DECLARATION, Exit::Topology, how).means("a server with these settings does not start").advise(
        "`--config FILE` names the settings of the service, if they are others; else change them to what is declared, \
             or remove the queue when it is empty",
    )
}

/// Whether anybody takes requests, and answers.
pub(super) fn consumers(
    examination: &Examination<'_>,
    target: &Target,
    backlog: &Result<Option<Backlog>, Error>,
) -> Vec<Finding> {
    const CHECK: &str = "queue.consumers";
    match backlog {
        Err(error) => vec![unanswered(CHECK, error).about(target.to_string())],
        Ok(None) => Vec::new(),
        Ok(Some(Backlog { servers: 0, .. })) => vec![
            Finding::error(CHECK, Exit::Unroutable, "no server takes its requests")
                .means("calls wait in the queue until they time out")
                .advise("start a server of the service; if one runs, its log says why it does not consume")
                .about(target.to_string()),
        ],
        Ok(Some(backlog)) => {
            let servers =
                if backlog.servers == 1 { "1 server takes" } else { &format!("{} servers take", backlog.servers) };
            vec![
                Finding::ok(CHECK, format!("{servers} its requests")).about(target.to_string()),
                answers(examination, target),
            ]
        }
    }
}

/// Whether a call gets through, which runs no function.
fn answers(examination: &Examination<'_>, target: &Target) -> Finding {
    const CHECK: &str = "service.answers";
    if examination.is_blocked {
        return Finding::skipped(CHECK, "the broker takes no messages at the moment").about(target.to_string());
    }
    let client = match guirpc::Client::configured(examination.client) {
        Ok(client) => {
            let client = target.lane.iter().fold(client, |client, lane| client.with_lane(lane));
            examination.doctor.broker.timeout.iter().fold(client, |client, time| client.with_timeout((*time).into()))
        }
        Err(error) => return unanswered(CHECK, &error).about(target.to_string()),
    };
    let begin = Instant::now();
    let finding = match client.ping(&target.service) {
        Ok(info) => {
            let milliseconds = begin.elapsed().as_secs_f64() * 1e3;
            let count = info.functions.len();
            Finding::ok(CHECK, format!("within {milliseconds:.1} ms; guirpc {}, {count} functions", info.guirpc))
        }
        Err(error @ CallError::TimedOut { .. }) => Finding::error(CHECK, Exit::TimeUp, error.to_string())
            .means("a server consumes, and does not come to answering: its workers are busy or hang, or it is cut off")
            .advise("look at its log and at what its functions wait for; more `workers`, or a lane for slow functions"),
        Err(error @ CallError::Unroutable { .. }) => Finding::error(CHECK, Exit::Unroutable, error.to_string())
            .means("the queue is there, and not bound to the exchange by the routing key of calls")
            .advise(format!(
                "a server binds it within seconds, if it may; for settings of one's own, `exchange` and `routing_key` of \
                 server and client must agree: `rabbitmqctl list_bindings -p {}`",
                argument(examination.inspection.vhost())
            )),
        Err(CallError::Unsendable { message }) => {
            Finding::skipped(CHECK, format!("this user cannot call it: {message}"))
        }
        Err(error) => Finding::warning(CHECK, error.to_string())
            .means("the service was not reached, though a server consumes")
            .advise("try `guirpc ping` again, and look at the server's log"),
    };
    finding.about(target.to_string())
}

/// What failed, and what is suspected of ending its process.
pub(super) fn failures(examination: &Examination<'_>, target: &Target) -> Vec<Finding> {
    let queues = target.queues(&examination.settings);
    let backlog = |queue: &str| examination.inspection.backlog(queue).ok();
    let count = |queue: &str| backlog(queue)?.map(|backlog| backlog.waiting);
    // It is declared with the first letter, and lanes have none of their own.
    let dead = queues.last().filter(|_| target.lane.is_none());
    let dead = dead.and_then(|queue| backlog(queue.name())).map(|dead| dead.map_or(0, |dead| dead.waiting));
    let retried = |role: &str| {
        let queue = queues.iter().find(|queue| queue.name().ends_with(role))?;
        Some((queue.name().to_owned(), count(queue.name())?))
    };
    let mut findings = Vec::new();
    let service_argument = argument(&target.service);
    findings.extend(dead.map(|dead| {
        const CHECK: &str = "queue.dead-letters";
        let finding = match dead {
            0 => Finding::ok(CHECK, "there are none"),
            dead => Finding::warning(CHECK, format!("there are {dead}"))
                .means("requests have failed for good, and stay until they are requeued or dropped")
                .advise(format!(
                    "`guirpc dead list {service_argument}` says why; `guirpc dead requeue {service_argument} --all` has \
                     them run again when the cause is fixed"
                )),
        };
        finding.about(target.to_string())
    }));
    findings.extend(retried(".quarantine").map(|(queue, waiting)| {
        const CHECK: &str = "queue.quarantine";
        let finding = match waiting {
            0 => Finding::ok(CHECK, "no request is suspected of ending its process"),
            waiting => Finding::warning(CHECK, format!("{waiting} wait to be tried again by themselves"))
                .means("servers have ended or lost their connections while they ran these requests")
                .advise("look for crashes in the logs of the servers; after `max_deliveries` they become dead letters"),
        };
        finding.about(queue)
    }));
    findings
}

/// Whether the backlog is worked off.
pub(super) fn growth(
    target: &Target,
    before: &Result<Option<Backlog>, Error>,
    after: &Result<Option<Backlog>, Error>,
    took: Duration,
) -> Option<Finding> {
    let (Ok(Some(before)), Ok(Some(after))) = (before, after) else { return None };
    Some(judge_growth(before.waiting, after.waiting, after.servers, took).about(target.to_string()))
}

fn judge_growth(before: u32, after: u32, servers: u32, took: Duration) -> Finding {
    if after == 0 {
        return Finding::ok(BACKLOG, "no request waits");
    }
    let seconds = took.as_secs_f64();
    let growth = (f64::from(after) - f64::from(before)) / seconds;
    let found = format!("{after} requests wait");
    if servers == 0 {
        return Finding::warning(BACKLOG, found)
            .means("nobody works them off; calls expire there, sends stay")
            .advise("start a server of the service");
    }
    if growth < 0.0 {
        let age = humantime::format_duration(Duration::from_secs_f64((f64::from(after) / -growth).ceil()));
        return Finding::note(BACKLOG, format!("{found}, {:.0} fewer each second", (-growth).max(1.0)))
            .means(format!("at this rate a new request waits for {age}"));
    }
    Finding::warning(BACKLOG, format!("{found}, {growth:.0} more each second"))
        .means("requests come as quickly as they are worked off, or quicker: each waits longer than the one before")
        .advise("start more servers, raise `workers`, or give slow functions a lane; `guirpc dead` if they are retried")
}

fn unanswered(check: &'static str, error: &Error) -> Finding {
    Finding::skipped(check, format!("the broker did not say: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Severity;

    #[track_caller]
    fn check(before: u32, after: u32, servers: u32, severity: Severity, said: &str) {
        let finding = judge_growth(before, after, servers, Duration::from_secs(2));
        assert_eq!(finding.severity, severity);
        let text = format!("{} {}", finding.found, finding.meaning.unwrap_or_default());
        assert!(text.contains(said), "{text}");
    }

    #[test]
    fn a_backlog_is_judged_by_where_it_goes() {
        check(5, 0, 1, Severity::Ok, "no request waits");
        check(100, 80, 1, Severity::Note, "10 fewer each second at this rate a new request waits for 8s");
        check(80, 100, 1, Severity::Warning, "10 more each second");
        check(7, 7, 2, Severity::Warning, "7 requests wait, 0 more");
        check(7, 7, 0, Severity::Warning, "nobody works them off");
    }
}
