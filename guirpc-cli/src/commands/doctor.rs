//! `guirpc doctor`: looks at everything that goes wrong in practice.
//!
//! It asks and changes nothing: no queue is declared, no message is left behind or taken.
//! What AMQP tells comes by `guirpc::inspect`, the rest by the management API, if it is named.

use std::thread;
use std::time::{Duration, Instant};

use guirpc::__private_0_1::Exit;
use guirpc::inspect::{Inspection, ServerSettings};
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
mod service;
mod versions;

use finding::Finding;
use management::Management;
use report::Report;

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

fn examine_services(examination: &Examination<'_>, management: Option<&Management>, report: &mut Report) {
    let services = match (&examination.doctor.service, management) {
        (Some(service), _) => vec![service.clone()],
        (None, Some(management)) => {
            match management::queues::services(
                management,
                examination.inspection.vhost(),
                examination.settings.exchange(),
            ) {
                Ok(services) => services,
                Err(finding) => {
                    report.add(*finding);
                    Vec::new()
                }
            }
        }
        (None, None) => {
            let why = "no service is named: `guirpc doctor SERVICE` looks at its queues";
            report.add(Finding::skipped("queue.declaration", why));
            Vec::new()
        }
    };
    let first = services.iter().map(|service| service::backlog(examination, service)).collect::<Vec<_>>();
    let looked = Instant::now();
    for (service, before) in services.iter().zip(first) {
        report.extend(service::declarations(examination, service));
        report.extend(service::consumers(examination, service, &before));
        report.extend(service::failures(examination, service));
        let queue = management.map(|management| management::queues::examine(management, examination, service));
        let timeout = queue.as_ref().and_then(|queue| queue.consumer_timeout);
        report.add(consumer_timeout::examine(examination, service, timeout));
        if let Some(queue) = queue {
            report.extend(queue.findings);
        }
        if matches!(&before, Ok(Some(backlog)) if backlog.waiting > 0) {
            thread::sleep(BETWEEN_LOOKS.saturating_sub(looked.elapsed()));
        }
        let after = service::backlog(examination, service);
        report.extend(service::growth(service, &before, &after, looked.elapsed()));
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
