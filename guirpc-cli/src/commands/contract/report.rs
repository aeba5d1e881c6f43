//! What a comparison has found: as text, as JSON, as annotations, and as an exit code.

use std::fmt::Write;

use guirpc::__private_0_1::Exit;
use guirpc::contract::compare::{Difference, Effect, Severity};
use serde_json::{Value, json};

use super::Source;
use super::waivers::{Day, Waiver, Waivers};
use crate::args::Direction;
use crate::terminal::line;

pub(super) struct Report<'a> {
    pub(super) service: &'a str,
    pub(super) against: &'a Source,
    /// The new contract.
    pub(super) file: &'a Source,
    pub(super) direction: Direction,
    pub(super) differences: &'a [Difference],
    pub(super) waivers: &'a Waivers,
    pub(super) today: Day,
}

/// A line of the report.
struct Line {
    severity: &'static str,
    title: String,
    words: String,
}

impl Report<'_> {
    pub(super) fn exit(&self) -> Exit {
        if self.count(Severity::Error) > 0 { Exit::Breaking } else { Exit::Done }
    }

    /// What of a difference counts: nothing if it is waived, an error if it is waived no longer.
    fn severity(&self, difference: &Difference) -> Option<Severity> {
        match self.waivers.of(difference) {
            Some(waiver) if waiver.is_expired(&self.today) => Some(Severity::Error),
            Some(_) => None,
            None => Some(difference.severity(self.direction.compared())),
        }
    }

    fn count(&self, severity: Severity) -> usize {
        let differences = self.differences.iter().filter(|one| self.severity(one) == Some(severity)).count();
        let unused = self.unused().filter(|waiver| self.severity_of_unused(waiver) == severity).count();
        differences + unused
    }

    fn unused(&self) -> impl Iterator<Item = &Waiver> {
        self.waivers.unused(self.differences)
    }

    fn severity_of_unused(&self, waiver: &Waiver) -> Severity {
        if waiver.is_expired(&self.today) { Severity::Error } else { Severity::Warning }
    }

    pub(super) fn json(&self) -> Value {
        let waiver = |waiver: &Waiver| {
            json!({
                "rule": waiver.rule.id(),
                "place": waiver.place,
                "reason": waiver.reason,
                "until": waiver.until.to_string(),
                "expired": waiver.is_expired(&self.today),
            })
        };
        let difference = |one: &Difference| {
            json!({
                "rule": one.rule.id(),
                "place": one.place,
                "severity": self.severity(one).map_or("waived", Severity::name),
                "breaks": one.breaks(),
                "callers": one.callers.name(),
                "servers": one.servers.name(),
                "old": one.old,
                "new": one.new,
                "hint": one.hint,
                "advice": one.rule.advice(),
                "waiver": self.waivers.of(one).map(waiver),
            })
        };
        json!({
            "service": self.service,
            "against": self.against.to_string(),
            "direction": self.direction.name(),
            "exit_code": self.exit().code(),
            "differences": self.differences.iter().map(difference).collect::<Vec<_>>(),
            "unused_waivers": self.unused().map(waiver).collect::<Vec<_>>(),
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for Line { severity, title, words } in self.lines() {
            // Writing to a text does not fail.
            let _ = writeln!(text, "{severity:<8} {title}: {words}");
        }
        let counts = [Severity::Error, Severity::Warning, Severity::Note]
            .map(|severity| format!("{} {}", self.count(severity), severity.name()));
        let waived = self.differences.iter().filter(|one| self.severity(one).is_none()).count();
        let verdict = match (self.exit(), self.direction) {
            (Exit::Done, Direction::Callers) => "no caller breaks if servers are deployed first",
            (Exit::Done, Direction::Servers) => "no caller breaks if callers are deployed first",
            (Exit::Done, Direction::Both) => "nothing breaks in whatever order they are deployed",
            _ => "the contract breaks",
        };
        let service = line(self.service, usize::MAX);
        let _ = writeln!(text, "{service}: {verdict}: {}, {waived} waived", counts.join(", "));
        text
    }

    /// As GitHub Actions reads them off the standard output.
    pub(super) fn annotations(&self) -> String {
        let file = match self.file {
            Source::File(path) => format!("file={},", escaped(&path.to_string_lossy(), true)),
            Source::StandardInput | Source::Git { .. } | Source::Service(_) => String::new(),
        };
        let mut text = String::new();
        for Line { severity, title, words } in self.lines() {
            let severity = match severity {
                "error" | "warning" => severity,
                _ => "notice",
            };
            let _ = writeln!(text, "::{severity} {file}title={}::{}", escaped(&title, true), escaped(&words, false));
        }
        text
    }

    fn lines(&self) -> impl Iterator<Item = Line> {
        let unused = self.unused().map(|waiver| {
            let words = if waiver.is_expired(&self.today) {
                format!("its waiver has expired on {}, and nothing is as it says; do: remove the waiver", waiver.until)
            } else {
                "its waiver is for nothing that has changed; do: remove the waiver".to_owned()
            };
            Line {
                severity: self.severity_of_unused(waiver).name(),
                title: shown(&format!("{} {}", waiver.rule, waiver.place)),
                words,
            }
        });
        self.differences.iter().map(|one| self.line(one)).chain(unused)
    }

    fn line(&self, one: &Difference) -> Line {
        let mut words = format!("{}; was {}, is {}", whom(one), one.old, one.new);
        if let Some(hint) = &one.hint {
            let _ = write!(words, "; {hint}");
        }
        match self.waivers.of(one) {
            Some(waiver) if waiver.is_expired(&self.today) => {
                let _ = write!(words, "; its waiver has expired on {}: {}", waiver.until, waiver.reason);
            }
            Some(waiver) => {
                let _ = write!(words, "; waived until {}: {}", waiver.until, waiver.reason);
            }
            None => {
                let _ = write!(words, "; do: {}", one.rule.advice());
            }
        }
        Line {
            severity: self.severity(one).map_or("waived", Severity::name),
            title: shown(&format!("{} {}", one.rule, one.place)),
            words: shown(&words),
        }
    }
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Direction::Callers => "callers",
            Direction::Servers => "servers",
            Direction::Both => "both",
        }
    }
}

/// Whom a difference breaks, in words.
fn whom(one: &Difference) -> &'static str {
    match (one.callers, one.servers) {
        (Effect::Breaks, Effect::Breaks) => "breaks callers and servers",
        (Effect::Breaks, Effect::Risky) => "breaks callers, risky for servers",
        (Effect::Breaks, Effect::Safe) => "breaks callers",
        (Effect::Risky, Effect::Breaks) => "breaks servers, risky for callers",
        (Effect::Safe, Effect::Breaks) => "breaks servers",
        (Effect::Risky, Effect::Risky) => "risky for callers and servers",
        (Effect::Risky, Effect::Safe) => "risky for callers",
        (Effect::Safe, Effect::Risky) => "risky for servers",
        (Effect::Safe, Effect::Safe) => "breaks nobody",
    }
}

fn shown(text: &str) -> String {
    line(text, usize::MAX)
}

/// A text in a workflow command, or in one of its properties.
fn escaped(text: &str, is_property: bool) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    if is_property { text.replace(':', "%3A").replace(',', "%2C") } else { text }
}
