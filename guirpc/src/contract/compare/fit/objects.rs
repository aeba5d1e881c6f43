//! Structs and maps.
//!
//! A struct is written with its own fields and no others. It is read by name: fields that it does not have are ignored,
//! unless it refuses them.

use serde_json::Value;

use super::{Age, Carries, Comparison, Mismatch, Mismatches};
use crate::contract::compare::normalize::alternatives;
use crate::contract::compare::shape::{Alternative, Object, Rest};
use crate::contract::compare::{Effect, Rule};

/// The keys of maps whose keys are numbers, as schemars writes them, with what is a digit to both.
const INTEGERS: [&str; 2] = [r"^\d+$", r"^-?\d+$"];

pub(super) fn compare<'a>(comparison: &mut Comparison<'a>, writes: &Object<'a>, reads: &Object<'a>) -> Mismatches {
    let mut mismatches = Vec::new();
    for (name, schema) in &writes.properties {
        mismatches.extend(property(comparison, (writes, schema), reads, name));
    }
    for (name, schema) in reads.properties.iter().filter(|(name, _)| !writes.properties.contains_key(*name)) {
        let found = absent(comparison, writes, reads, name, schema);
        mismatches.extend(found.into_iter().map(|one| one.below(&format!(".{name}"))));
    }
    for (pattern, schema) in &writes.patterns {
        mismatches.extend(keys(comparison, pattern, schema, reads));
    }
    if let Rest::Typed(schema) = writes.rest {
        mismatches.extend(further(comparison, schema, reads));
    }
    mismatches
}

/// A field that is written.
fn property<'a>(
    comparison: &mut Comparison<'a>,
    (writes, schema): (&Object<'a>, &'a Value),
    reads: &Object<'a>,
    name: &str,
) -> Mismatches {
    let place = format!(".{name}");
    let may_lack = !writes.required.contains(name) && reads.required.contains(name);
    let mut mismatches = Vec::new();
    let known = reads.properties.get(name).copied();
    if let Some(reader) = known.or_else(|| reads.of_pattern(name)).or_else(|| reads.typed()) {
        mismatches = comparison.compare(schema, reader);
        if may_lack {
            // The `Option` that is gone is one change, and not two.
            mismatches.retain(|one| !one.at.is_empty() || !one.rule.is_nullable());
            let rule = comparison.narrower(Rule::FieldRequired, Rule::FieldOptional);
            mismatches.push(Mismatch::breaking(rule, "a field that may be left out", "a field that has to be there"));
        }
    } else if !reads.patterns.is_empty() && reads.rest != Rest::Ignored {
        let keys: Vec<String> = reads.patterns.keys().map(|pattern| format!("`{pattern}`")).collect();
        let keys = format!("keys like {}", keys.join(", "));
        mismatches.push(Mismatch::breaking(Rule::MapKeysChanged, format!("the key `{name}`"), keys));
    } else {
        let rule = match (comparison.reader_is, comparison.carries) {
            (Age::New, _) => Rule::FieldRemoved,
            (Age::Old, Carries::Arguments) if writes.required.contains(name) => Rule::FieldAddedRequired,
            (Age::Old, _) => Rule::FieldAdded,
        };
        let effect = if reads.rest == Rest::Refused { Effect::Breaks } else { comparison.ignored() };
        let unknown = Mismatch::breaking(rule, comparison.written(schema), "no such field");
        mismatches.push(Mismatch { effect, ..unknown });
    }
    mismatches.into_iter().map(|one| one.below(&place)).collect()
}

/// A field that is read, and that the writer does not have.
fn absent<'a>(
    comparison: &mut Comparison<'a>,
    writes: &Object<'a>,
    reads: &Object<'a>,
    name: &str,
    schema: &'a Value,
) -> Mismatches {
    let mut mismatches = match writes.of_pattern(name).or_else(|| writes.typed()) {
        Some(written) => comparison.compare(written, schema),
        None => Vec::new(),
    };
    let is_required = reads.required.contains(name);
    let rule = match (comparison.reader_is, comparison.carries) {
        (Age::Old, _) => Rule::FieldRemoved,
        (Age::New, Carries::Arguments) if is_required => Rule::FieldAddedRequired,
        (Age::New, _) => Rule::FieldAdded,
    };
    let effect = match (is_required, comparison.reader_is) {
        (false, _) => return mismatches,
        // A caller reads a null of what the older server does not write.
        (true, Age::New) if comparison.carries == Carries::Outputs && is_nullable(comparison, schema) => Effect::Risky,
        (true, _) => Effect::Breaks,
    };
    let missing = Mismatch::breaking(rule, "no such field", comparison.read(schema));
    mismatches.push(Mismatch { effect, ..missing });
    mismatches
}

fn is_nullable(comparison: &Comparison<'_>, schema: &Value) -> bool {
    alternatives(schema, comparison.reader).is_ok_and(|all| all.iter().any(Alternative::is_null))
}

/// The values of a map whose keys are of a pattern.
fn keys<'a>(comparison: &mut Comparison<'a>, pattern: &str, schema: &'a Value, reads: &Object<'a>) -> Mismatches {
    let same = reads.patterns.get(pattern).copied();
    let wider = || reads.patterns.get(INTEGERS[1]).copied().filter(|_| pattern == INTEGERS[0]);
    let mismatches = if let Some(reader) = same.or_else(wider).or_else(|| reads.typed()) {
        comparison.compare(schema, reader)
    } else {
        let keys = if reads.patterns.is_empty() { "a struct" } else { "keys of another type" };
        vec![Mismatch::breaking(Rule::MapKeysChanged, format!("keys like `{pattern}`"), keys)]
    };
    mismatches.into_iter().map(|one| one.below("{}")).collect()
}

/// The values of a map with any keys.
fn further<'a>(comparison: &mut Comparison<'a>, schema: &'a Value, reads: &Object<'a>) -> Mismatches {
    let mismatches = match (reads.rest, reads.patterns.is_empty()) {
        (Rest::Typed(reader), _) => comparison.compare(schema, reader),
        (_, false) => vec![Mismatch::breaking(Rule::MapKeysChanged, "any keys", "keys of another type")],
        (Rest::Refused, true) => vec![Mismatch::breaking(Rule::TypeChanged, "a map", "a struct without other fields")],
        (Rest::Ignored, true) => {
            let ignored = Mismatch::breaking(Rule::TypeChanged, "a map", "a struct, which ignores other fields");
            vec![Mismatch { effect: comparison.ignored(), ..ignored }]
        }
    };
    mismatches.into_iter().map(|one| one.below("{}")).collect()
}

impl<'a> Object<'a> {
    fn typed(&self) -> Option<&'a Value> {
        match self.rest {
            Rest::Typed(schema) => Some(schema),
            Rest::Ignored | Rest::Refused => None,
        }
    }

    /// The type of this key by a pattern, as far as that is one of integers.
    fn of_pattern(&self, name: &str) -> Option<&'a Value> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let unsigned = self.patterns.get(INTEGERS[0]).filter(|_| digits(name));
        let signed = || self.patterns.get(INTEGERS[1]).filter(|_| digits(name.strip_prefix('-').unwrap_or(name)));
        unsigned.or_else(signed).copied()
    }
}

impl Rule {
    fn is_nullable(self) -> bool {
        matches!(self, Rule::NullableAdded | Rule::NullableRemoved)
    }
}
