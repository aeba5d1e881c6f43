//! Whether what one side may write is what the other side reads.
//!
//! It goes one way only; the two ways in which a value may meet another contract are two comparisons.

use std::collections::HashMap;

use serde_json::Value;

use super::normalize::{Unprovable, alternatives, resolved};
use super::words;
use super::{Effect, Rule};
use crate::contract::Definitions;

mod arrays;
mod objects;
mod scalars;
mod unions;

/// Types are followed as deep as this: those that refer to each other may lead from one to the next through all of them.
const DEEPEST: usize = 1000;
/// So many pairs of schemas are compared for one value: any type that people write has fewer by far.
const MOST: usize = 50_000;
/// So many mismatches are found in one value.
const MOST_MISMATCHES: usize = 100;

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
    /// One that breaks the call.
    fn breaking(rule: Rule, writes: impl Into<String>, reads: impl Into<String>) -> Self {
        Mismatch { rule, at: String::new(), writes: writes.into(), reads: reads.into(), effect: Effect::Breaks }
    }

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
    known: HashMap<Schemas, Known>,
    /// Those that are found to fit if others do that are still under way, in order.
    provisional: Vec<Schemas>,
    depth: usize,
    compared: usize,
    /// The least depth of a comparison under way that the present one has relied on.
    relied_on: usize,
}

/// The addresses of what is written and of what is read.
type Schemas = (usize, usize);

enum Known {
    /// Under way, at this depth; within itself it is taken to fit.
    UnderWay(usize),
    /// Done, relying on what is under way at this depth.
    Done(Mismatches, usize),
}

impl<'a> Comparison<'a> {
    pub(super) fn new(writer: &'a Definitions, reader: &'a Definitions, reader_is: Age, carries: Carries) -> Self {
        Comparison {
            writer,
            reader,
            reader_is,
            carries,
            known: HashMap::new(),
            provisional: Vec::new(),
            depth: 0,
            compared: 0,
            relied_on: usize::MAX,
        }
    }

    /// What of a value's schema the reader's does not read.
    pub(super) fn run(mut self, writes: &'a Value, reads: &'a Value) -> Mismatches {
        let mismatches = self.compare(writes, reads);
        if self.compared > MOST {
            return vec![Mismatch::breaking(Rule::Unprovable, "a type", "one that is too large to be compared")];
        }
        mismatches
    }

    fn compare(&mut self, writes: &'a Value, reads: &'a Value) -> Mismatches {
        let (writes, reads) = (resolved(writes, self.writer), resolved(reads, self.reader));
        let pair = addresses(writes, reads);
        match self.known.get(&pair) {
            Some(Known::UnderWay(depth)) => {
                self.relied_on = self.relied_on.min(*depth);
                return Vec::new();
            }
            Some(Known::Done(mismatches, relied_on)) => {
                self.relied_on = self.relied_on.min(*relied_on);
                return mismatches.clone();
            }
            None => {}
        }
        if self.depth == DEEPEST {
            self.compared = MOST;
        }
        self.compared += 1;
        if self.compared > MOST {
            // The whole is given up.
            return Vec::new();
        }
        self.known.insert(pair, Known::UnderWay(self.depth));
        let outer = std::mem::replace(&mut self.relied_on, usize::MAX);
        let first = self.provisional.len();
        self.depth += 1;
        let mut mismatches = self
            .unions(writes, reads)
            .unwrap_or_else(|why| vec![Mismatch::breaking(Rule::Unprovable, why.0, "what it is compared with")]);
        self.depth -= 1;
        // A type that is used in many places is not said in all of them.
        mismatches.truncate(MOST_MISMATCHES);
        self.settle(pair, mismatches.clone(), first);
        self.relied_on = self.relied_on.min(outer);
        mismatches
    }

    /// Whether these are being compared already, further up: a type that is made of itself.
    fn is_under_way(&mut self, writes: &Value, reads: &Value) -> bool {
        let Some(Known::UnderWay(depth)) = self.known.get(&addresses(writes, reads)) else {
            return false;
        };
        // Not the ones whose alternatives are looked at right now.
        let is_above = depth + 1 < self.depth;
        if is_above {
            self.relied_on = self.relied_on.min(*depth);
        }
        is_above
    }

    /// Keeps what a comparison has found, and what others within it have found relying on it.
    fn settle(&mut self, pair: Schemas, mismatches: Mismatches, first: usize) {
        if !mismatches.is_empty() {
            // They relied on what turns out not to fit.
            for other in self.provisional.drain(first..) {
                self.known.remove(&other);
            }
        } else if self.relied_on >= self.depth {
            self.relied_on = usize::MAX;
            for other in self.provisional.drain(first..) {
                if let Some(Known::Done(_, relied_on)) = self.known.get_mut(&other) {
                    *relied_on = usize::MAX;
                }
            }
        } else {
            self.provisional.push(pair);
        }
        let relied_on = if mismatches.is_empty() { self.relied_on } else { usize::MAX };
        self.known.insert(pair, Known::Done(mismatches, relied_on));
    }

    fn unions(&mut self, writes: &'a Value, reads: &'a Value) -> Result<Mismatches, Unprovable> {
        let (writes, reads) = (alternatives(writes, self.writer)?, alternatives(reads, self.reader)?);
        Ok(unions::compare(self, &writes, &reads))
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

fn addresses(writes: &Value, reads: &Value) -> Schemas {
    (std::ptr::from_ref(writes).addr(), std::ptr::from_ref(reads).addr())
}
