//! Values without parts: texts, numbers, truth values, constants.

use serde_json::Value;

use super::{Comparison, Mismatch, Mismatches};
use crate::contract::compare::shape::{Alternative, Integer, Kind, Number, Text};
use crate::contract::compare::words::{self, shown};
use crate::contract::compare::{Effect, Rule};

/// Beyond these a float no longer holds every integer.
const EXACT: i128 = 1 << 53;
const EXACT_SINGLE: i128 = 1 << 24;

/// Keywords of JSON Schema that are known to narrow, and are compared as they stand.
const NARROWING: [&str; 11] = [
    "contains",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxProperties",
    "minContains",
    "minProperties",
    "multipleOf",
    "not",
    "propertyNames",
];

/// What of one alternative another does not read; `None` if they are of different kinds.
pub(super) fn compare(
    comparison: &Comparison<'_>,
    one: &Alternative<'_>,
    other: &Alternative<'_>,
) -> Option<Mismatches> {
    let differ = |rule, effect| {
        vec![Mismatch { effect, ..Mismatch::breaking(rule, words::alternative(one), words::alternative(other)) }]
    };
    Some(match (&one.kind, &other.kind) {
        (Kind::Null, Kind::Null) | (Kind::Boolean, Kind::Boolean) => Vec::new(),
        (Kind::Constant(value), kind) => return constant(value, kind),
        (Kind::Integer(writes), Kind::Integer(reads)) if writes.is_within(*reads) => Vec::new(),
        (Kind::Integer(_), Kind::Integer(_)) => {
            differ(comparison.narrower(Rule::IntegerNarrowed, Rule::IntegerWidened), Effect::Breaks)
        }
        (Kind::Integer(writes), Kind::Number(reads)) => match read_as_number(*writes, *reads) {
            Effect::Safe => Vec::new(),
            effect => differ(Rule::TypeChanged, effect),
        },
        (Kind::Number(writes), Kind::Number(reads)) => match number(*writes, *reads) {
            Effect::Safe => Vec::new(),
            effect => differ(comparison.narrower(Rule::NumberNarrowed, Rule::NumberWidened), effect),
        },
        (Kind::Text(writes), Kind::Text(reads)) => {
            if is_within(writes, reads) {
                Vec::new()
            } else {
                differ(comparison.narrower(Rule::ConstraintTightened, Rule::ConstraintLoosened), Effect::Breaks)
            }
        }
        _ => return None,
    })
}

/// A float holds integers exactly up to a bound, and others as their neighbours.
fn read_as_number(writes: Integer, reads: Number) -> Effect {
    let exact = if reads.is_single { EXACT_SINGLE } else { EXACT };
    if reads.minimum.is_some() || reads.maximum.is_some() {
        return Effect::Breaks;
    }
    let exact = Integer { minimum: Some(-exact), maximum: Some(exact) };
    if writes.is_within(exact) { Effect::Safe } else { Effect::Risky }
}

fn number(writes: Number, reads: Number) -> Effect {
    let above = reads.minimum.is_none_or(|bound| writes.minimum.is_some_and(|minimum| minimum >= bound));
    let below = reads.maximum.is_none_or(|bound| writes.maximum.is_some_and(|maximum| maximum <= bound));
    match (above && below, reads.is_single && !writes.is_single) {
        (false, _) => Effect::Breaks,
        (true, true) => Effect::Risky,
        (true, false) => Effect::Safe,
    }
}

fn is_within(writes: &Text<'_>, reads: &Text<'_>) -> bool {
    let is_of_format = |format| writes.format == Some(format) || widens(writes.format, format);
    reads.pattern.is_none_or(|pattern| writes.pattern == Some(pattern))
        && reads.format.is_none_or(is_of_format)
        && writes.shortest >= reads.shortest
        && reads.longest.is_none_or(|longest| writes.longest.is_some_and(|most| most <= longest))
}

/// An address of either version is read where each of them is.
fn widens(writes: Option<&str>, reads: &str) -> bool {
    reads == "ip" && matches!(writes, Some("ipv4" | "ipv6"))
}

/// A value that is always the same; `None` if it is of another kind.
fn constant(value: &Value, reads: &Kind<'_>) -> Option<Mismatches> {
    let fits = match (value, reads) {
        (value, Kind::Constant(known)) => value == *known,
        (Value::Bool(_), Kind::Boolean) => true,
        (Value::Number(number), Kind::Integer(range)) => {
            let number = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from))?;
            Integer { minimum: Some(number), maximum: Some(number) }.is_within(*range)
        }
        (Value::Number(_), Kind::Number(range)) => range.minimum.is_none() && range.maximum.is_none(),
        (Value::String(text), Kind::Text(reads)) => {
            let length = text.chars().count() as u64;
            let writes = Text { shortest: length, longest: Some(length), ..Text::default() };
            is_within(&writes, reads)
        }
        _ => false,
    };
    fits.then(Vec::new)
}

/// The keywords that are compared as they stand: what the reader asks for, the writer has to keep to.
pub(super) fn extras(comparison: &Comparison<'_>, one: &Alternative<'_>, other: &Alternative<'_>) -> Mismatches {
    let mut mismatches = Vec::new();
    for (keyword, value) in &other.extras {
        let known = one.extras.get(keyword);
        let refers = value.to_string().contains("\"$ref\"");
        if (known == Some(value) && !refers) || (*keyword == "not" && avoids(&one.kind, value)) {
            continue;
        }
        let rule = match known {
            None if NARROWING.contains(keyword) => {
                comparison.narrower(Rule::ConstraintTightened, Rule::ConstraintLoosened)
            }
            _ => Rule::Unprovable,
        };
        let writes =
            known.map_or_else(|| words::alternative(one), |known| format!("`{keyword}` of `{}`", shown(known)));
        mismatches.push(Mismatch::breaking(rule, writes, format!("`{keyword}` of `{}`", shown(value))));
    }
    mismatches
}

/// Whether nothing that is written is the constant that is refused.
fn avoids(writes: &Kind<'_>, not: &Value) -> bool {
    let refused = not.as_object().filter(|not| not.len() == 1).and_then(|not| not.get("const")?.as_i64());
    match (writes, refused) {
        (Kind::Integer(range), Some(refused)) => {
            let refused = i128::from(refused);
            range.minimum.is_some_and(|minimum| minimum > refused)
                || range.maximum.is_some_and(|maximum| maximum < refused)
        }
        _ => false,
    }
}
