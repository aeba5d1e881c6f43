//! Lists, sets and tuples.

use super::{Comparison, Mismatch, Mismatches};
use crate::contract::compare::shape::{Alternative, Array};
use crate::contract::compare::words;
use crate::contract::compare::{Effect, Rule};

pub(super) fn compare<'a>(
    comparison: &mut Comparison<'a>,
    (one, writes): (&Alternative<'a>, &Array<'a>),
    (other, reads): (&Alternative<'a>, &Array<'a>),
) -> Mismatches {
    let mut mismatches = Vec::new();
    let longer = writes.longest.is_none_or(|most| reads.longest.is_some_and(|longest| most > longest));
    let longer = longer && reads.longest.is_some();
    if writes.shortest < reads.shortest || longer {
        let (one, other) = (words::alternative(one), words::alternative(other));
        mismatches.push(Mismatch::breaking(Rule::LengthChanged, one, other));
    }
    if reads.is_set && !writes.is_set {
        let rule = comparison.narrower(Rule::ConstraintTightened, Rule::ConstraintLoosened);
        let dropped = Mismatch::breaking(rule, words::alternative(one), words::alternative(other));
        // Duplicates are dropped without a word.
        mismatches.push(Mismatch { effect: Effect::Risky, ..dropped });
    }
    let longest = writes.longest.and_then(|longest| usize::try_from(longest).ok()).unwrap_or(usize::MAX);
    let named = writes.first.len().max(reads.first.len()).min(longest);
    for at in 0..named {
        mismatches.extend(item(comparison, writes, reads, at, &format!("[{at}]")));
    }
    if longest > named {
        mismatches.extend(item(comparison, writes, reads, named, "[]"));
    }
    mismatches
}

fn item<'a>(
    comparison: &mut Comparison<'a>,
    writes: &Array<'a>,
    reads: &Array<'a>,
    at: usize,
    place: &str,
) -> Mismatches {
    let mismatches = match (writes.item(at), reads.item(at)) {
        (Some(writes), Some(reads)) => comparison.compare(writes, reads),
        (_, None) if reads.longest.is_some_and(|longest| longest <= at as u64) => Vec::new(),
        (writes, reads) => {
            let writes = writes.map_or_else(|| "anything".to_owned(), |schema| comparison.written(schema));
            let reads = reads.map_or_else(|| "anything".to_owned(), |schema| comparison.read(schema));
            vec![Mismatch::breaking(Rule::Undescribed, writes, reads)]
        }
    };
    mismatches.into_iter().map(|one| one.below(place)).collect()
}
