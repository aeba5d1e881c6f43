//! Services and functions: which there are, and what their attributes say.

use super::arguments;
use super::difference::Differences;
use super::fit::{Age, Carries, Comparison, Mismatches};
use super::{Difference, Effect, Rule, words};
use crate::contract::{Contract, Function, Type};

/// How long a caller waits for a function that does not say so.
pub(super) const DEFAULT_TIMEOUT_MS: u64 = 10_000;

pub(super) fn compare(old: &Contract, new: &Contract, differences: &mut Differences) {
    if old.service != new.service {
        let renamed = Difference::new(Rule::ServiceRenamed, &old.service, &old.service, &new.service);
        differences.add(renamed.callers(Effect::Breaks).servers(Effect::Breaks));
    }
    for (name, before) in &old.functions {
        match new.functions.get(name) {
            Some(after) => Pair { name, old: (old, before), new: (new, after) }.compare(differences),
            None => differences.add(removed(name, before, old, new)),
        }
    }
    for (name, function) in new.functions.iter().filter(|(name, _)| !old.functions.contains_key(*name)) {
        let added = Difference::new(Rule::FunctionAdded, name, "no such function", &function.signature);
        differences.add(added.servers(Effect::Breaks));
    }
}

fn removed(name: &str, function: &Function, old: &Contract, new: &Contract) -> Difference {
    let looks_the_same = |(other, candidate): &(&String, &Function)| {
        let shape = |function: &Function, contract: &Contract| {
            let arguments: Vec<(String, String)> = function
                .arguments
                .iter()
                .map(|argument| (argument.name.clone(), words::schema(&argument.ty.schema, &contract.definitions)))
                .collect();
            (arguments, words::schema(&function.output.ty.schema, &contract.definitions))
        };
        !old.functions.contains_key(*other) && shape(candidate, new) == shape(function, old)
    };
    let renamed = new.functions.iter().find(looks_the_same);
    let hint = renamed.map(|(other, _)| format!("`{other}` is new and looks the same: is it its new name?"));
    let (rule, effect) = match &function.deprecated {
        Some(_) => (Rule::DeprecatedFunctionRemoved, Effect::Risky),
        None => (Rule::FunctionRemoved, Effect::Breaks),
    };
    Difference::new(rule, name, &function.signature, "no such function").callers(effect).hint(hint)
}

/// A function in both contracts.
pub(super) struct Pair<'a> {
    pub(super) name: &'a str,
    pub(super) old: (&'a Contract, &'a Function),
    pub(super) new: (&'a Contract, &'a Function),
}

impl<'a> Pair<'a> {
    fn compare(&self, differences: &mut Differences) {
        arguments::compare(self, differences);
        self.outputs(differences);
        self.attributes(differences);
        self.lane(differences);
    }

    fn outputs(&self, differences: &mut Differences) {
        let ((_, old), (_, new)) = (self.old, self.new);
        self.types(Carries::Outputs, &format!("{}.output", self.name), (&old.output.ty, &new.output.ty), differences);
        let place = format!("{}.error", self.name);
        match (&old.error, &new.error) {
            (Some(old), Some(new)) => {
                self.types(Carries::Outputs, &place, (&old.ty, &new.ty), differences);
                if old.status != new.status {
                    let (old, new) = (old.status.to_string(), new.status.to_string());
                    let changed = Difference::new(Rule::ErrorStatusChanged, place, old, new);
                    differences.add(changed.callers(Effect::Risky).servers(Effect::Risky));
                }
            }
            (None, Some(new)) => {
                let added = Difference::new(Rule::ErrorAdded, place, "no error of its own", &new.ty.rust);
                differences.add(added.callers(Effect::Breaks));
            }
            (Some(old), None) => {
                let removed = Difference::new(Rule::ErrorRemoved, place, &old.ty.rust, "no error of its own");
                differences.add(removed.servers(Effect::Breaks));
            }
            (None, None) => {}
        }
    }

    /// Compares a type both ways: for callers of the old contract, and for servers of it.
    pub(super) fn types(
        &self,
        carries: Carries,
        place: &str,
        (old, new): (&'a Type, &'a Type),
        differences: &mut Differences,
    ) {
        for (age, mismatches) in self.mismatches(carries, old, new) {
            add(carries, age, place, mismatches, differences);
        }
    }

    pub(super) fn mismatches(&self, carries: Carries, old: &'a Type, new: &'a Type) -> [(Age, Mismatches); 2] {
        let (before, after) = (&self.old.0.definitions, &self.new.0.definitions);
        let to_new = Comparison::new(before, after, Age::New, carries).run(&old.schema, &new.schema);
        let to_old = Comparison::new(after, before, Age::Old, carries).run(&new.schema, &old.schema);
        [(Age::New, to_new), (Age::Old, to_old)]
    }

    fn attributes(&self, differences: &mut Differences) {
        let ((_, old), (_, new)) = (self.old, self.new);
        let difference = |rule, old: String, new: String| Difference::new(rule, self.name, old, new);
        if let (None, Some(reason)) = (&old.deprecated, &new.deprecated) {
            let reason = if reason.is_empty() { "deprecated" } else { reason };
            differences.add(difference(Rule::FunctionDeprecated, "not deprecated".to_owned(), reason.to_owned()));
        }
        let idempotent = |is: bool| if is { "idempotent" } else { "not idempotent" }.to_owned();
        match (old.idempotent, new.idempotent) {
            (true, false) => {
                let withdrawn = difference(Rule::IdempotentWithdrawn, idempotent(true), idempotent(false));
                differences.add(withdrawn.callers(Effect::Breaks));
            }
            (false, true) => {
                let granted = difference(Rule::IdempotentGranted, idempotent(false), idempotent(true));
                differences.add(granted.servers(Effect::Breaks));
            }
            _ => {}
        }
        if old.ack != new.ack {
            let changed = difference(Rule::AckChanged, old.ack.clone(), new.ack.clone());
            differences.add(changed.callers(Effect::Risky).servers(Effect::Risky));
        }
        if old.timeout_ms != new.timeout_ms {
            differences.add(self.timeout(old.timeout_ms, new.timeout_ms));
        }
        if old.coalesce != new.coalesce {
            let coalesce = |is: bool| if is { "calls travel together" } else { "calls travel singly" }.to_owned();
            differences.add(difference(Rule::CoalesceChanged, coalesce(old.coalesce), coalesce(new.coalesce)));
        }
        if old.python != new.python {
            let python = |function: &Function| match &function.python {
                None => "no dialect of Python".to_owned(),
                Some(python) => format!(
                    "requests `{}` ({}), replies `{}` ({})",
                    python.request, python.request_codec, python.response, python.response_codec
                ),
            };
            let changed = difference(Rule::PythonChanged, python(old), python(new));
            differences.add(changed.callers(Effect::Breaks).servers(Effect::Breaks));
        }
    }

    /// Those who wait for the shorter time give up on servers that take the longer one.
    fn timeout(&self, old: Option<u64>, new: Option<u64>) -> Difference {
        let shown = |timeout: Option<u64>| match timeout {
            Some(timeout) => format!("{timeout} ms"),
            None => format!("the default, {DEFAULT_TIMEOUT_MS} ms"),
        };
        let changed = Difference::new(Rule::TimeoutChanged, self.name, shown(old), shown(new));
        match old.unwrap_or(DEFAULT_TIMEOUT_MS).cmp(&new.unwrap_or(DEFAULT_TIMEOUT_MS)) {
            std::cmp::Ordering::Less => changed.callers(Effect::Risky),
            std::cmp::Ordering::Greater => changed.servers(Effect::Risky),
            std::cmp::Ordering::Equal => changed,
        }
    }

    /// Any function may be called through any lane that is served, and through none.
    fn lane(&self, differences: &mut Differences) {
        let ((before, old), (after, new)) = (self.old, self.new);
        if old.lane == new.lane {
            return;
        }
        let breaks = |lane: &Option<String>, contract: &Contract| {
            let is_served = lane.is_none() || contract.functions.values().any(|function| function.lane == *lane);
            if is_served { Effect::Safe } else { Effect::Breaks }
        };
        let shown =
            |lane: &Option<String>| lane.as_ref().map_or_else(|| "no lane".to_owned(), |lane| format!("lane `{lane}`"));
        let changed = Difference::new(Rule::LaneChanged, self.name, shown(&old.lane), shown(&new.lane));
        differences.add(changed.callers(breaks(&old.lane, after)).servers(breaks(&new.lane, before)));
    }
}

/// What one direction has found at a place, as differences of the two contracts.
pub(super) fn add(carries: Carries, reader: Age, place: &str, mismatches: Mismatches, differences: &mut Differences) {
    for one in mismatches {
        let (old, new) = match reader {
            Age::New => (one.writes, one.reads),
            Age::Old => (one.reads, one.writes),
        };
        let difference = Difference::new(one.rule, format!("{place}{}", one.at), old, new);
        let hits_callers = (carries == Carries::Arguments) == (reader == Age::New);
        differences.add(if hits_callers { difference.callers(one.effect) } else { difference.servers(one.effect) });
    }
}
