//! Arguments: which there are, in which order, and which may be left out.

use super::difference::Differences;
use super::fit::{Age, Carries};
use super::functions::{Pair, add};
use super::{Difference, Effect, Rule, words};
use crate::contract::{Argument, Contract};

/// What has a place of its own beside the arguments.
const TAKEN: [&str; 3] = ["arguments", "error", "output"];

pub(super) fn compare(pair: &Pair<'_>, differences: &mut Differences) {
    let (old, new) = (&pair.old.1.arguments, &pair.new.1.arguments);
    for (at, before) in old.iter().enumerate() {
        match named(new, &before.name) {
            Some(after) => both(pair, before, after, differences),
            None => differences.add(removed(pair, at, before)),
        }
    }
    for after in new.iter().filter(|after| named(old, &after.name).is_none()) {
        let new = shown(after, pair.new.0);
        let rule = if after.required { Rule::ArgumentAddedRequired } else { Rule::ArgumentAdded };
        let added = Difference::new(rule, place(pair, after), "no such argument", new).servers(Effect::Risky);
        differences.add(if after.required { added.callers(Effect::Breaks) } else { added });
    }
    let kept = |all: &[Argument], others: &[Argument]| -> Vec<String> {
        all.iter().filter(|one| named(others, &one.name).is_some()).map(|one| one.name.clone()).collect()
    };
    let (before, after) = (kept(old, new), kept(new, old));
    if before != after {
        let order = |names: &[String]| names.join(", ");
        let reordered = Difference::new(Rule::ArgumentsReordered, pair.name, order(&before), order(&after));
        differences.add(reordered.callers(Effect::Risky).servers(Effect::Risky));
    }
}

fn named<'a>(arguments: &'a [Argument], name: &str) -> Option<&'a Argument> {
    arguments.iter().find(|argument| argument.name == name)
}

fn place(pair: &Pair<'_>, argument: &Argument) -> String {
    let aside = if TAKEN.contains(&argument.name.as_str()) { "arguments." } else { "" };
    format!("{}.{aside}{}", pair.name, argument.name)
}

fn shown(argument: &Argument, contract: &Contract) -> String {
    words::schema(&argument.ty.schema, &contract.definitions)
}

fn removed(pair: &Pair<'_>, at: usize, before: &Argument) -> Difference {
    let (old, new) = (pair.old.1, pair.new.1);
    let renamed = new.arguments.get(at).filter(|after| {
        named(&old.arguments, &after.name).is_none() && shown(after, pair.new.0) == shown(before, pair.old.0)
    });
    let hint = renamed
        .map(|after| format!("`{}` is new at the same place, and of the same type: is it its new name?", after.name));
    let difference =
        Difference::new(Rule::ArgumentRemoved, place(pair, before), shown(before, pair.old.0), "no such argument");
    let servers = if before.required { Effect::Breaks } else { Effect::Safe };
    difference.callers(Effect::Risky).servers(servers).hint(hint)
}

fn both<'a>(pair: &Pair<'a>, before: &'a Argument, after: &'a Argument, differences: &mut Differences) {
    let place = place(pair, before);
    let (old, new) = (&before.ty, &after.ty);
    for (reader, mut mismatches) in pair.mismatches(Carries::Arguments, old, new) {
        let (writes, reads) = match reader {
            Age::New => (before.required, after.required),
            Age::Old => (after.required, before.required),
        };
        if !writes && reads {
            // The `Option` that is gone, or new, is one change and not two.
            let is_nullable = |rule| matches!(rule, Rule::NullableAdded | Rule::NullableRemoved);
            mismatches.retain(|one| !one.at.is_empty() || !is_nullable(one.rule));
            let rule = if reader == Age::New { Rule::ArgumentRequired } else { Rule::ArgumentOptional };
            let words = |required: bool| if required { "it has to be there" } else { "it may be left out" };
            let changed = Difference::new(rule, &place, words(before.required), words(after.required));
            differences.add(match reader {
                Age::New => changed.callers(Effect::Breaks),
                Age::Old => changed.servers(Effect::Breaks),
            });
        }
        add(Carries::Arguments, reader, &place, mismatches, differences);
    }
}
