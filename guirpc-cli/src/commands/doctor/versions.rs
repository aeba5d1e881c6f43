//! Which broker it is, and what is known of its version.

use std::str::FromStr;

use guirpc::__private_0_1::Exit;
use guirpc::inspect::{BrokerInfo, ServerSettings};

use super::finding::Finding;

pub(super) const RABBITMQ: &str = "RabbitMQ";
/// The first that guirpc runs on.
const OLDEST: Version = Version(3, 10, 0);
/// The latest series when this was written; only that of the latest has free fixes.
const LATEST_SERIES: (u32, u32) = (4, 4);
/// From here on a queue that is neither durable nor exclusive is refused, unless the broker's settings permit it.
const NO_TRANSIENT_QUEUES: Version = Version(4, 3, 0);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(u32, u32, u32);

/// Takes what follows the three numbers for nothing: `4.1.0-rc.1`, `3.13.7+1`.
impl FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().map_err(drop));
        let mut next = || numbers.next().unwrap_or(Err(()));
        Ok(Version(next()?, next()?, next().unwrap_or_default()))
    }
}

/// A fault of RabbitMQ's.
struct Fault {
    check: &'static str,
    first: Version,
    /// The first without it.
    fixed: Version,
    only_in_clusters: bool,
    found: &'static str,
    meaning: &'static str,
    advice: &'static str,
}

const FAULTS: [Fault; 3] = [
    // rabbitmq-server pull request 14507: in 4.2.0, and marked to go into 4.1, whose next release was 4.1.5.
    Fault {
        check: "fault.slow-replies",
        first: Version(3, 12, 0),
        fixed: Version(4, 1, 5),
        only_in_clusters: true,
        found: "direct reply-to is slow in clusters of this version",
        meaning: "for each reply the node asks all others, so every call takes as long as the slowest link between nodes",
        advice: "upgrade to RabbitMQ 4.2 or later; until then, connect servers and callers to one node",
    },
    // rabbitmq-server pull request 11401.
    Fault {
        check: "fault.lost-replies",
        first: Version(3, 13, 0),
        fixed: Version(3, 13, 4),
        only_in_clusters: true,
        found: "replies are lost between this version and nodes of 3.12",
        meaning: "during a rolling upgrade calls time out whose server is connected to the older node",
        advice: "upgrade all nodes to 3.13.4 or later",
    },
    Fault {
        check: "fault.lost-marks",
        first: Version(3, 10, 0),
        fixed: Version(4, 1, 0),
        only_in_clusters: false,
        found: "a classic queue ceases to mark what it delivers again, after an orderly restart in which calls were lost",
        meaning: "guirpc notices when a server starts, and counts what waits; a poison message that goes from a server to \
                  another that runs already is not counted",
        advice: "use `queue_type = \"quorum\"`, or remove such a queue when it is empty, as the guide on reliability says",
    },
];

/// `nodes` is how many there are in the cluster, if that is known.
pub(super) fn examine(broker: &BrokerInfo, nodes: Option<usize>, settings: &ServerSettings) -> Vec<Finding> {
    let name = [&*broker.product, &*broker.version].join(" ");
    if broker.product != RABBITMQ {
        return vec![
            Finding::note("broker.version", format!("{name}, which is no RabbitMQ"))
                .means("guirpc is made for RabbitMQ; for production, use that"),
        ];
    }
    let Ok(version) = broker.version.parse::<Version>() else {
        return vec![Finding::note("broker.version", format!("{name}: a version that cannot be read"))];
    };
    let mut findings = vec![judge(&name, version)];
    findings.extend(FAULTS.iter().filter_map(|fault| fault.examine(version, nodes)));
    if version >= NO_TRANSIENT_QUEUES && !settings.is_durable() {
        findings.push(
            Finding::error("settings.durable", Exit::Topology, "`durable` is false, also by the dialect python")
                .means("RabbitMQ refuses queues that are neither durable nor exclusive from 4.3 on: a server does not start")
                .advise(
                    "set `durable = true`, or `deprecated_features.permit.transient_nonexcl_queues = true` in \
                     rabbitmq.conf",
                ),
        );
    }
    findings
}

fn judge(name: &str, version: Version) -> Finding {
    const CHECK: &str = "broker.version";
    if version < OLDEST {
        return Finding::warning(CHECK, name)
            .means("guirpc needs RabbitMQ 3.10 or later, and is not tested with this one")
            .advise("upgrade");
    }
    let (major, minor) = LATEST_SERIES;
    if (version.0, version.1) >= LATEST_SERIES {
        return Finding::ok(CHECK, name);
    }
    Finding::note(CHECK, format!("{name}: not the latest series"))
        .means(format!(
            "RabbitMQ's community fixes faults in the latest series only, which was {major}.{minor} when this command was \
             written; a distribution or a contract may fix them longer"
        ))
        .advise("plan an upgrade, if nobody maintains this one")
}

impl Fault {
    fn examine(&self, version: Version, nodes: Option<usize>) -> Option<Finding> {
        if !(self.first..self.fixed).contains(&version) || (self.only_in_clusters && nodes == Some(1)) {
            return None;
        }
        let strikes = self.only_in_clusters && nodes.is_some();
        let finding =
            if strikes { Finding::warning(self.check, self.found) } else { Finding::note(self.check, self.found) };
        Some(finding.means(self.meaning).advise(self.advice))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Severity;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let version = |text: &str| text.parse::<Version>();
        assert_eq!(version("3.10.8"), Ok(Version(3, 10, 8)));
        assert_eq!(version("4.1.0-rc.1"), Ok(Version(4, 1, 0)));
        assert_eq!(version("4.2"), Ok(Version(4, 2, 0)));
        assert!(version("3.9.29") < Ok(OLDEST).map_err(drop::<()>));
        assert!(version("rolling").is_err());
    }

    fn faults(version: &str, nodes: Option<usize>) -> Vec<(&'static str, Severity)> {
        let version = version.parse().unwrap();
        let findings = FAULTS.iter().filter_map(|fault| fault.examine(version, nodes));
        findings.map(|finding| (finding.check, finding.severity)).collect()
    }

    #[test]
    fn known_faults_are_those_of_the_version() {
        let marks = ("fault.lost-marks", Severity::Note);
        assert_eq!(faults("3.10.8", Some(3)), [marks]);
        assert_eq!(faults("3.12.0", Some(3)), [("fault.slow-replies", Severity::Warning), marks]);
        assert_eq!(faults("3.12.0", None), [("fault.slow-replies", Severity::Note), marks]);
        assert_eq!(faults("3.12.0", Some(1)), [marks]);
        assert_eq!(faults("4.1.4", Some(2)), [("fault.slow-replies", Severity::Warning)]);
        assert_eq!(faults("4.1.5", Some(2)), []);
        assert_eq!(faults("4.2.0", Some(2)), []);
        assert!(faults("3.13.3", Some(2)).contains(&("fault.lost-replies", Severity::Warning)));
        assert!(!faults("3.13.4", Some(2)).contains(&("fault.lost-replies", Severity::Warning)));
    }

    #[test]
    fn series_are_judged() {
        let severity = |text: &str| judge(text, text.parse().unwrap()).severity;
        assert_eq!(severity("3.9.1"), Severity::Warning);
        assert_eq!(severity("4.2.5"), Severity::Note);
        assert_eq!(severity("4.4.1"), Severity::Ok);
        assert_eq!(severity("5.0.0"), Severity::Ok);
    }
}
