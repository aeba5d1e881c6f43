//! `guirpc doctor`: looks at everything that goes wrong in practice.
//!
//! It asks and changes nothing: no queue is declared, no message is left behind or taken.
//! What AMQP tells comes by `guirpc::inspect`, the rest by the management API, if it is named.

use std::collections::BTreeSet;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use guirpc::__private_0_1::Exit;
use guirpc::inspect::{Inspection, ServerSettings, ServiceQueue};
use guirpc::{ClientConfig, ErrorKind};

use crate::args::Doctor;
use crate::failure::Failure;
use crate::output;

mod broker;
#[cfg(feature = "tls")]
mod certificate;
mod consumer_timeout;
mod finding;
mod local;
mod management;
mod permissions;
mod report;
mod servers;
mod service;
mod versions;

use finding::Finding;
use management::Management;
use report::Report;
use servers::Servers;

/// Between two looks at a backlog.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);
/// Checks that need a connection to the broker.
const OVER_AMQP: [&str; 6] = [
    "broker.version",
    "broker.alarm",
    "broker.heartbeat",
    "permissions.call",
    "exchange.declaration",
    "queue.declaration",
];

/// What the checks go by.
struct Examination<'a> {
    doctor: &'a Doctor,
    client: &'a ClientConfig,
    settings: ServerSettings,
    inspection: Inspection,
    /// Whether the broker takes no messages, so that whoever publishes waits.
    is_blocked: bool,
}

pub(super) fn run(doctor: &Doctor) -> Result<Exit, Failure> {
    let client = doctor.broker.settings()?;
    let management = doctor.management.as_deref().map(management::Url::parse).transpose()?;
    let mut report = Report::default();
    examine(doctor, &client, management, &mut report)?;
    if doctor.json {
        output::print_json(&report.json())?;
    } else {
        output::print(&report.text())?;
    }
    Ok(report.exit())
}

fn examine(
    doctor: &Doctor,
    client: &ClientConfig,
    management: Option<management::Url>,
    report: &mut Report,
) -> Result<(), Failure> {
    let settings = ServerSettings::read(doctor.broker.config.clone())?;
    report.extend(local::open_files());
    report.extend(local::conflicts(&settings));
    let begin = Instant::now();
    let inspection = match Inspection::configured(client) {
        Ok(inspection) => inspection,
        Err(error) if matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Denied) => {
            report.add(broker::refused(&error));
            report.extend(OVER_AMQP.map(|check| Finding::skipped(check, "there is no connection to the broker")));
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    report.of(&inspection);
    report.extend(broker::reachable(&inspection, begin.elapsed()));
    let management = open_management(management, &inspection, report);
    let nodes = management.as_ref().map(management::nodes::examine).unwrap_or_default();
    report.extend(versions::examine(inspection.broker(), nodes.count, &settings));
    let alarm = broker::alarm(&inspection);
    let is_blocked = alarm.is_alarm();
    report.add(alarm);
    report.extend(broker::limits(&inspection, &settings));
    report.extend(nodes.findings);
    report.extend(management.iter().flat_map(|management| management::limits::examine(management, &inspection)));
    let examination = Examination { doctor, client, settings, inspection, is_blocked };
    report.extend(service::exchange(&examination));
    report.extend(permissions::examine(&examination));
    examine_services(&examination, management.as_ref(), report);
    // Whatever comes of that, all is known by now.
    let _ = examination.inspection.close();
    Ok(())
}

/// The management API, if it is named and answers.
fn open_management(url: Option<management::Url>, inspection: &Inspection, report: &mut Report) -> Option<Management> {
    let Some(url) = url else {
        report.add(management::unnamed());
        return None;
    };
    match Management::open(url, inspection) {
        Ok(management) => {
            report.add(management.finding());
            Some(management)
        }
        Err(finding) => {
            report.add(*finding);
            None
        }
    }
}

/// A service, or one of its lanes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    service: String,
    lane: Option<String>,
}

impl Target {
    fn service(name: impl Into<String>) -> Self {
        Target { service: name.into(), lane: None }
    }

    fn queues(&self, settings: &ServerSettings) -> Vec<ServiceQueue> {
        settings.queues(&self.service, self.lane.as_deref())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.lane {
            Some(lane) => write!(f, "{}.{lane}", self.service),
            None => f.write_str(&self.service),
        }
    }
}

/// The service that is named, with its lanes as far as they are known; or else all that the management API knows.
fn targets(examination: &Examination<'_>, management: Option<&Management>, report: &mut Report) -> Vec<Target> {
    let Examination { doctor, settings, inspection, .. } = examination;
    let bound = management.map(|management| {
        management::queues::bound(management, inspection.vhost(), settings.exchange()).unwrap_or_else(|finding| {
            report.add(*finding);
            Vec::new()
        })
    });
    let Some(service) = &doctor.service else {
        if bound.is_none() {
            let why = "no service is named: `guirpc doctor SERVICE` looks at its queues";
            report.add(Finding::skipped("queue.declaration", why));
        }
        return bound.into_iter().flatten().map(Target::service).collect();
    };
    let of_service = |queue: &String| Some(queue.strip_prefix(service.as_str())?.strip_prefix('.')?.to_owned());
    let lanes = bound.iter().flatten().filter_map(of_service).chain(settings.lanes().map(str::to_owned));
    let lanes: BTreeSet<String> = lanes.collect();
    let lanes = lanes.into_iter().map(|lane| Target { service: service.clone(), lane: Some(lane) });
    [Target::service(service)].into_iter().chain(lanes).collect()
}

fn examine_services(examination: &Examination<'_>, management: Option<&Management>, report: &mut Report) {
    let targets = targets(examination, management, report);
    let service = examination.doctor.service.as_deref();
    let servers = if examination.is_blocked {
        Servers::unasked("the broker takes no messages at the moment")
    } else {
        Servers::ask(examination.client, service)
    };
    report.extend(servers.findings(service));
    let first = targets.iter().map(|target| service::backlog(examination, target)).collect::<Vec<_>>();
    let looked = Instant::now();
    for (target, before) in targets.iter().zip(first) {
        report.extend(service::declarations(examination, target));
        report.extend(service::consumers(examination, target, &before));
        report.extend(service::failures(examination, target));
        let queue = management.map(|management| management::queues::examine(management, examination, target));
        let timeout = queue.as_ref().and_then(|queue| queue.consumer_timeout);
        report.add(consumer_timeout::examine(examination, target, &servers, timeout));
        report.extend(queue.into_iter().flat_map(|queue| queue.findings));
        if matches!(&before, Ok(Some(backlog)) if backlog.waiting > 0) {
            thread::sleep(BETWEEN_LOOKS.saturating_sub(looked.elapsed()));
        }
        let after = service::backlog(examination, target);
        report.extend(service::growth(target, &before, &after, looked.elapsed()));
    }
}

/// A name as an argument of a command.
fn argument(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_.-".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_plain) {
        return name.to_owned();
    }
    format!("'{}'", name.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_of_a_shell() {
        assert_eq!(argument("math.dead"), "math.dead");
        assert_eq!(argument("it's a"), r"'it'\''s a'");
        assert_eq!(argument(""), "''");
    }
}
