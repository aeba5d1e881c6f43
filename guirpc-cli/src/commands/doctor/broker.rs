//! The broker: whether it lets us in, takes messages, and what was agreed on.

use std::time::Duration;

use guirpc::__private_0_1::Exit;
use guirpc::inspect::{Inspection, ServerSettings};
use guirpc::{Error, ErrorKind};

use super::finding::Finding;

pub(super) const ALARM: &str = "broker.alarm";
/// Proxies and NAT usually forget connections on which nothing was said for a minute or more.
const LONG_HEARTBEAT: Duration = Duration::from_secs(30);
/// Headers of a request with all that guirpc adds, and a generous rest for those of the program.
const SMALL_FRAME: usize = 16 << 10;

/// There is no connection.
pub(super) fn refused(error: &Error) -> Finding {
    if error.kind() == ErrorKind::Denied {
        return Finding::error("broker.access", Exit::Broker, error.to_string())
            .means("the broker is there, and lets nobody in with this user, password and virtual host")
            .advise(
                "compare with what it has: `rabbitmqctl list_users`, `rabbitmqctl list_vhosts`, \
                 `rabbitmqctl authenticate_user USER PASSWORD`",
            );
    }
    Finding::error("broker.reachable", Exit::Broker, error.to_string())
        .means("no program on this machine can call or serve with this URI")
        .advise("on the broker's machine, `rabbitmq-diagnostics listeners` lists what it listens on; check host, port and firewall")
}

/// There is one.
pub(super) fn reachable(inspection: &Inspection, took: Duration) -> Vec<Finding> {
    let mut findings = vec![
        Finding::ok("broker.reachable", format!("it greets within {} ms", took.as_millis())),
        Finding::ok(
            "broker.access",
            format!("user `{}` may enter the virtual host `{}`", inspection.user(), inspection.vhost()),
        ),
    ];
    #[cfg(feature = "tls")]
    findings.extend(inspection.broker().certificate.as_deref().map(super::certificate::examine));
    if inspection.broker().certificate.is_none() {
        let is_local = matches!(inspection.host(), "localhost" | "127.0.0.1" | "::1");
        findings.extend((!is_local).then(|| {
            Finding::note("broker.certificate", "the connection is not encrypted")
                .means("whoever is on the way reads passwords, arguments and replies")
                .advise("use an `amqps://` URI, unless the network is trusted")
        }));
    }
    findings
}

/// Whether the broker is short of memory or disk.
pub(super) fn alarm(inspection: &Inspection) -> Finding {
    match inspection.alarm() {
        Ok(None) => Finding::ok(ALARM, "it takes messages"),
        Ok(Some(why)) => Finding::error(ALARM, Exit::Broker, format!("it takes no messages: {why}"))
            .means("calls fail with `Blocked`, and servers begin nothing, since they could not reply")
            .advise(
                "`rabbitmq-diagnostics alarms` names the node; free memory or disk there, or raise \
                 `vm_memory_high_watermark` or lower `disk_free_limit`",
            ),
        Err(error) => Finding::warning(ALARM, format!("it was not told whether it takes messages: {error}"))
            .means("it may be overloaded, or cut off from its cluster")
            .advise("look at its log, and try again"),
    }
}

/// What was agreed on.
pub(super) fn limits(inspection: &Inspection, settings: &ServerSettings) -> Vec<Finding> {
    let broker = inspection.broker();
    vec![
        heartbeat(broker.heartbeat),
        channels(broker.channels.into(), settings.channels()),
        frame(broker.largest_frame),
    ]
}

fn heartbeat(agreed: Duration) -> Finding {
    const CHECK: &str = "broker.heartbeat";
    let found = format!("a heartbeat is due every {} s", agreed.as_secs());
    if agreed.is_zero() {
        return Finding::warning(CHECK, "there is no heartbeat")
            .means("a connection that is lost without a word is not noticed, and calls on it time out")
            .advise("leave `heartbeat` out of the URI, or set it to 10");
    }
    if agreed <= LONG_HEARTBEAT {
        return Finding::ok(CHECK, found);
    }
    Finding::warning(CHECK, found)
        .means(format!(
            "proxies, load balancers and NAT may drop a connection that is idle for that long; a lost one is noticed \
             after {} s",
            2 * agreed.as_secs()
        ))
        .advise("lower `heartbeat` in the URI to 10, as it is by default")
}

fn channels(allowed: usize, needed: usize) -> Finding {
    const CHECK: &str = "broker.channels";
    let found = format!("a connection may have {allowed} channels, and a server with these settings needs {needed}");
    // 0 says that there is no limit.
    if allowed == 0 || allowed >= needed {
        return Finding::ok(CHECK, found);
    }
    Finding::error(CHECK, Exit::Broker, found)
        .means("a server has a channel for each worker: it does not start")
        .advise("raise the broker's `channel_max`, or lower `workers`")
}

fn frame(largest: usize) -> Finding {
    const CHECK: &str = "broker.frame-size";
    let found = format!("a frame holds {largest} bytes, and so do all headers of a message");
    if largest >= SMALL_FRAME {
        return Finding::ok(CHECK, found);
    }
    Finding::warning(CHECK, found)
        .means("calls with many headers, traces or baggage are refused, and requests that cannot be counted become dead letters")
        .advise("raise the broker's `frame_max`; RabbitMQ's default is 131072")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Severity;

    #[test]
    fn a_heartbeat_is_neither_off_nor_long() {
        let severity = |seconds| heartbeat(Duration::from_secs(seconds)).severity;
        assert_eq!([0, 10, 30, 60].map(severity), [Severity::Warning, Severity::Ok, Severity::Ok, Severity::Warning]);
    }

    #[test]
    fn each_worker_needs_a_channel() {
        assert_eq!(channels(2047, 12).severity, Severity::Ok);
        assert_eq!(channels(0, 12).severity, Severity::Ok);
        assert_eq!(channels(11, 12).severity, Severity::Error(Exit::Broker));
    }

    #[test]
    fn small_frames_are_told() {
        assert_eq!(frame(4088).severity, Severity::Warning);
        assert_eq!(frame(131_064).severity, Severity::Ok);
    }
}
