//! All findings: as text, as JSON, and as an exit code.

use std::fmt::Write;

use guirpc::__private_0_1::Exit;
use guirpc::inspect::Inspection;
use serde_json::{Value, json};

use super::finding::{Finding, Severity};
use crate::terminal::line;

#[derive(Debug, Default)]
pub(super) struct Report {
    broker: Option<String>,
    findings: Vec<Finding>,
}

impl Report {
    /// Says which broker it is about.
    pub(super) fn of(&mut self, inspection: &Inspection) {
        self.broker = Some(inspection.address());
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub(super) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    /// That of the first error; else whether there is a warning.
    pub(super) fn exit(&self) -> Exit {
        let errors = self.findings.iter().filter_map(|finding| match finding.severity {
            Severity::Error(exit) => Some(exit),
            _ => None,
        });
        let warns = self.count("warning") > 0;
        errors.clone().next().unwrap_or(if warns { Exit::Warning } else { Exit::Done })
    }

    fn count(&self, severity: &str) -> usize {
        self.findings.iter().filter(|finding| finding.severity.name() == severity).count()
    }

    pub(super) fn json(&self) -> Value {
        let finding = |finding: &Finding| {
            json!({
                "check": finding.check,
                "subject": finding.subject,
                "severity": finding.severity.name(),
                "found": finding.found,
                "meaning": finding.meaning,
                "advice": finding.advice,
            })
        };
        json!({
            "broker": self.broker,
            "exit_code": self.exit().code(),
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if let Some(broker) = &self.broker {
            // Writing to a text does not fail.
            let _ = writeln!(text, "{}\n", line(broker, usize::MAX));
        }
        for finding in &self.findings {
            let Finding { check, subject, severity, found, meaning, advice } = finding;
            let subject = subject.as_ref().map(|subject| format!(" `{subject}`")).unwrap_or_default();
            let shown = |text: &str| line(text, usize::MAX);
            let _ = writeln!(text, "{:<8} {check}{}: {}", severity.name(), shown(&subject), shown(found));
            for (what, words) in [("means", meaning), ("do", advice)] {
                if let Some(words) = words {
                    let _ = writeln!(text, "{:>14}: {}", what, shown(words));
                }
            }
        }
        let counts = ["error", "warning", "note", "ok", "skipped"].map(|name| format!("{} {name}", self.count(name)));
        let _ = writeln!(text, "\n{}", counts.join(", "));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(findings: &[Finding], exit: Exit) {
        let report = Report { broker: None, findings: findings.to_vec() };
        assert_eq!(report.exit(), exit);
        assert_eq!(report.json()["exit_code"], exit.code());
    }

    #[test]
    fn the_worst_decides() {
        let (ok, skipped, note) = (Finding::ok("a", ""), Finding::skipped("b", ""), Finding::note("c", ""));
        let warning = Finding::warning("d", "");
        check(&[ok.clone(), skipped, note], Exit::Done);
        check(&[warning.clone(), ok], Exit::Warning);
        let (first, second) = (Finding::error("e", Exit::Broker, ""), Finding::error("f", Exit::Topology, ""));
        check(&[warning, first, second], Exit::Broker);
    }

    #[test]
    fn it_reads_line_by_line_and_steers_no_terminal() {
        let finding = Finding::warning("queue.backlog", "9 wait\u{1b}[2J").about("ma\nth").means("m").advise("a");
        let report = Report { broker: Some("amqp://h".to_owned()), findings: vec![finding] };
        let expected = "amqp://h\n\nwarning  queue.backlog `ma\\nth`: 9 wait\\u{1b}[2J\n         means: m\n            \
                        do: a\n\n0 error, 1 warning, 0 note, 0 ok, 0 skipped\n";
        assert_eq!(report.text(), expected);
    }
}
