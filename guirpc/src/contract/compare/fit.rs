//! Whether what one side may write is what the other side reads.
//!
//! It goes one way only; the two ways in which a value may meet another contract are two comparisons.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::Value;

use super::normalize::{Unprovable, alternatives, resolved};
use super::words;
use super::{Effect, Rule};
use crate::contract::Definitions;

mod arrays;
mod objects;
mod scalars;
mod unions;

/// Schemas are compared as deep as this; values are nested 127 levels deep at most.
const DEEPEST: usize = 130;
/// So many pairs of schemas are compared for one value: any type that people write has fewer by far.
const MOST: usize = 50_000;

/// Which of the two contracts the reader is built with; the writer has the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    Old,
    New,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    /// From callers to servers.
    Arguments,
    /// From servers to callers: outputs, and errors.
    Outputs,
}

/// Something that is written and not read as it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mismatch {
    pub(super) rule: Rule,
    /// Where it is below the value that is compared, as `.article.name`.
    pub(super) at: String,
    pub(super) writes: String,
    pub(super) reads: String,
    pub(super) effect: Effect,
}

impl Mismatch {
    fn below(mut self, place: &str) -> Self {
        self.at.insert_str(0, place);
        self
    }
}

pub(super) type Mismatches = Vec<Mismatch>;

/// A comparison of what a writer writes with what a reader reads.
pub(super) struct Comparison<'a> {
    writer: &'a Definitions,
    reader: &'a Definitions,
    reader_is: Age,
    carries: Carries,
    /// By the addresses of two schemas: types may refer to themselves.
    known: HashMap<(usize, usize), Known>,
    depth: usize,
    compared: usize,
    /// The least depth of a comparison under way that one within it has relied on.
    relied_on: usize,
}

enum Known {
    /// Under way, at this depth; within itself it is taken to fit.
    UnderWay(usize),
    Done(Mismatches),
}

impl<'a> Comparison<'a> {
    pub(super) fn new(writer: &'a Definitions, reader: &'a Definitions, reader_is: Age, carries: Carries) -> Self {
        let known = HashMap::new();
        Comparison { writer, reader, reader_is, carries, known, depth: 0, compared: 0, relied_on: usize::MAX }
    }

    /// What of the one schema the other does not read.
    pub(super) fn compare(&mut self, writes: &'a Value, reads: &'a Value) -> Mismatches {
        let (writes, reads) = (resolved(writes, self.writer), resolved(reads, self.reader));
        let pair = (std::ptr::from_ref(writes).addr(), std::ptr::from_ref(reads).addr());
        match self.known.entry(pair) {
            Entry::Occupied(known) => match known.get() {
                Known::UnderWay(depth) => {
                    self.relied_on = self.relied_on.min(*depth);
                    return Vec::new();
                }
                Known::Done(mismatches) => return mismatches.clone(),
            },
            Entry::Vacant(place) => {
                place.insert(Known::UnderWay(self.depth));
            }
        }
        let outer = std::mem::replace(&mut self.relied_on, usize::MAX);
        self.depth += 1;
        self.compared += 1;
        let mismatches = if self.depth > DEEPEST || self.compared > MOST {
            vec![self.mismatch(Rule::Unprovable, "a type", "one that is too large to be compared")]
        } else {
            self.unions(writes, reads).unwrap_or_else(|why| vec![self.unprovable(&why)])
        };
        self.depth -= 1;
        // What relies on a comparison that is still under way holds only within that.
        if self.relied_on >= self.depth {
            self.known.insert(pair, Known::Done(mismatches.clone()));
            self.relied_on = outer;
        } else {
            self.known.remove(&pair);
            self.relied_on = self.relied_on.min(outer);
        }
        mismatches
    }

    fn unions(&mut self, writes: &'a Value, reads: &'a Value) -> Result<Mismatches, Unprovable> {
        let (writes, reads) = (alternatives(writes, self.writer)?, alternatives(reads, self.reader)?);
        Ok(unions::compare(self, &writes, &reads))
    }

    fn unprovable(&self, why: &Unprovable) -> Mismatch {
        self.mismatch(Rule::Unprovable, why.0.as_str(), "a type that has to be compared with it")
    }

    /// One that breaks the call.
    fn mismatch(&self, rule: Rule, writes: impl Into<String>, reads: impl Into<String>) -> Mismatch {
        Mismatch { rule, at: String::new(), writes: writes.into(), reads: reads.into(), effect: Effect::Breaks }
    }

    /// The first rule if it is the new contract that reads less, the second if it writes more.
    fn narrower(&self, narrowed: Rule, widened: Rule) -> Rule {
        match self.reader_is {
            Age::New => narrowed,
            Age::Old => widened,
        }
    }

    fn written(&self, schema: &Value) -> String {
        words::schema(schema, self.writer)
    }

    fn read(&self, schema: &Value) -> String {
        words::schema(schema, self.reader)
    }

    /// What becomes of a value that the reader passes over.
    fn ignored(&self) -> Effect {
        match self.carries {
            Carries::Arguments => Effect::Risky,
            Carries::Outputs => Effect::Safe,
        }
    }
}
