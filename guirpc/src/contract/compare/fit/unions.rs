//! Enums, `Option`s, and everything else that may be one of several things.

use super::{Comparison, Mismatch, Mismatches, arrays, objects, scalars};
use crate::contract::compare::shape::{Alternative, Kind, Variant};
use crate::contract::compare::words::{self, shown, union};
use crate::contract::compare::{Effect, Rule};

/// How the variants of an enum are told apart.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Style<'a> {
    External,
    /// By a property of this name.
    Tagged(&'a str),
    Untagged,
}

pub(super) fn compare<'a>(
    comparison: &mut Comparison<'a>,
    writes: &[Alternative<'a>],
    reads: &[Alternative<'a>],
) -> Mismatches {
    let is_any = |one: &Alternative<'_>| one.kind == Kind::Any;
    if writes.iter().any(is_any) || reads.iter().any(is_any) {
        return vec![Mismatch::breaking(Rule::Undescribed, union(writes), union(reads))];
    }
    if writes.is_empty() {
        // It is never written.
        return Vec::new();
    }
    let both = |rule| Mismatch::breaking(rule, union(writes), union(reads));
    if let (Some(writer), Some(reader)) = (style(writes), style(reads))
        && writer != reader
    {
        return vec![both(Rule::TaggingChanged)];
    }
    let is_single = [writes, reads].iter().all(|all| all.iter().filter(|one| !one.is_null()).count() == 1);
    let found: Vec<Found> = writes.iter().map(|one| find(comparison, one, reads, is_single)).collect();
    let changed = Mismatch::breaking(Rule::TypeChanged, union(writes), union(reads));
    let values =
        || writes.iter().zip(&found).filter(|(one, _)| !one.is_null() || writes.iter().all(Alternative::is_null));
    let only_null = |all: &[Alternative<'_>]| all.iter().all(Alternative::is_null);
    if only_null(reads) != only_null(writes) || values().all(|(_, found)| matches!(found, Found::Nothing)) {
        let fits = found.iter().all(|found| matches!(found, Found::Read(mismatches) if mismatches.is_empty()));
        return if fits { Vec::new() } else { vec![changed] };
    }
    let mut mismatches = Vec::new();
    for (one, found) in writes.iter().zip(found) {
        match found {
            Found::Read(found) => mismatches.extend(found),
            Found::Nothing if one.is_null() => {
                let rule = comparison.narrower(Rule::NullableRemoved, Rule::NullableAdded);
                mismatches.push(Mismatch::breaking(rule, union(writes), union(reads)));
            }
            Found::Nothing => {
                let rule = comparison.narrower(Rule::VariantRemoved, Rule::VariantAdded);
                let name = one.variant().name().map_or_else(|| words::alternative(one), str::to_owned);
                let missing = Mismatch::breaking(rule, words::alternative(one), union(reads));
                mismatches.push(missing.below(&format!(":{name}")));
            }
        }
    }
    mismatches
}

/// What reads an alternative.
enum Found {
    /// One that is meant for it; this is what it does not read.
    Read(Mismatches),
    Nothing,
}

fn find<'a>(
    comparison: &mut Comparison<'a>,
    one: &Alternative<'a>,
    reads: &[Alternative<'a>],
    is_single: bool,
) -> Found {
    let mut best: Option<Mismatches> = None;
    let mut named = None;
    for other in reads {
        let is_named = one.variant().name().is_some() && one.variant() == other.variant();
        let Some(mismatches) = alternative(comparison, one, other) else {
            if is_named {
                let changed = Mismatch::breaking(Rule::TypeChanged, contents(one), contents(other));
                named = Some(vec![changed.below(&place(one))]);
            }
            continue;
        };
        if mismatches.is_empty() {
            return Found::Read(mismatches);
        }
        if is_named {
            named = Some(mismatches);
        } else if best.as_ref().is_none_or(|best| weight(&mismatches) < weight(best)) {
            best = Some(mismatches);
        }
    }
    // A variant with a name is no other variant, however alike they are.
    let is_other = one.variant().name().is_some() && !is_single;
    match (named, best) {
        (Some(mismatches), _) => Found::Read(mismatches),
        (None, Some(mismatches)) if !is_other || mismatches.iter().all(|one| one.effect == Effect::Safe) => {
            Found::Read(mismatches)
        }
        _ => Found::Nothing,
    }
}

fn weight(mismatches: &[Mismatch]) -> (usize, usize) {
    (mismatches.iter().filter(|one| one.effect == Effect::Breaks).count(), mismatches.len())
}

/// Whether a variant has data, for one that is written as both.
fn contents(one: &Alternative<'_>) -> String {
    match &one.kind {
        Kind::Object(_) => format!("{} with data", words::alternative(one)),
        Kind::Constant(value) => format!("`{}`", shown(value)),
        _ => words::alternative(one),
    }
}

fn place(one: &Alternative<'_>) -> String {
    one.variant().name().map_or_else(String::new, |name| format!(":{name}"))
}

/// What of one alternative another does not read; `None` if they are of different kinds.
fn alternative<'a>(
    comparison: &mut Comparison<'a>,
    one: &Alternative<'a>,
    other: &Alternative<'a>,
) -> Option<Mismatches> {
    if let (Some(writes), Some(reads)) = (one.origin, other.origin)
        && comparison.is_under_way(writes, reads)
    {
        return Some(Vec::new());
    }
    let mut mismatches = match (&one.kind, &other.kind) {
        (Kind::Object(writes), Kind::Object(reads)) => match (one.variant(), other.variant()) {
            (Variant::External(name), Variant::External(known)) if name == known => {
                let ((_, writes), (_, reads)) = (writes.only()?, reads.only()?);
                let mismatches = comparison.compare(writes, reads);
                mismatches.into_iter().map(|one| one.below(&format!(":{name}"))).collect()
            }
            (Variant::Tagged { name, .. }, Variant::Tagged { name: known, .. }) if name == known => {
                let mismatches = objects::compare(comparison, writes, reads);
                mismatches.into_iter().map(|one| one.below(&format!(":{name}"))).collect()
            }
            _ => objects::compare(comparison, writes, reads),
        },
        (Kind::Array(writes), Kind::Array(reads)) => arrays::compare(comparison, (one, writes), (other, reads)),
        _ => scalars::compare(comparison, one, other)?,
    };
    mismatches.extend(scalars::extras(comparison, one, other));
    Some(mismatches)
}

/// How these variants are told apart, if they are variants of an enum.
fn style<'a>(all: &[Alternative<'a>]) -> Option<Style<'a>> {
    let mut values = all.iter().filter(|one| !one.is_null()).map(|one| match one.variant() {
        Variant::External(_) => Style::External,
        Variant::Tagged { tag, .. } => Style::Tagged(tag),
        Variant::Untagged => Style::Untagged,
    });
    let first = values.next()?;
    let has_objects = all.iter().any(|one| matches!(one.kind, Kind::Object(_)));
    let several = values.clone().count() > 0;
    match first {
        // Structs and scalars; of several, an untagged enum.
        Style::Untagged if !several || !has_objects => None,
        Style::Untagged => Some(Style::Untagged),
        _ if !several => None,
        style if values.all(|other| other == style) => Some(style),
        _ => None,
    }
}
