//! What servers read and what they write: where the two forms of a type are the same, there is one class.

use std::collections::{BTreeMap, BTreeSet};

use guirpc::contract::Definitions;
use serde_json::Value;

/// Which way a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Direction {
    /// To the server.
    Input,
    /// From it.
    Output,
}

impl Direction {
    pub(super) fn word(self) -> &'static str {
        match self {
            Direction::Input => "input",
            Direction::Output => "output",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Direction::Input, Direction::Output].into_iter().find(|direction| direction.word() == word)
    }

    pub(super) fn suffix(self) -> &'static str {
        match self {
            Direction::Input => "Input",
            Direction::Output => "Output",
        }
    }
}

/// Which names there are in both directions, and which of these are different types.
pub(super) struct Directions {
    both: BTreeSet<String>,
    different: BTreeSet<String>,
}

impl Directions {
    pub(super) fn of(definitions: &Definitions) -> Self {
        let both: BTreeSet<String> =
            definitions.input.keys().filter(|name| definitions.output.contains_key(*name)).cloned().collect();
        let mut different: BTreeSet<String> = both
            .iter()
            .filter(|name| directed(&definitions.input[*name]) != directed(&definitions.output[*name]))
            .cloned()
            .collect();
        let refers: BTreeMap<&String, BTreeSet<String>> =
            both.iter().map(|name| (name, references(&definitions.input[name]))).collect();
        // What has a different type in it is different as well, and so on.
        loop {
            let more: Vec<String> = refers
                .iter()
                .filter(|(name, referred)| !different.contains(**name) && !referred.is_disjoint(&different))
                .map(|(name, _)| (*name).clone())
                .collect();
            if more.is_empty() {
                return Directions { both, different };
            }
            different.extend(more);
        }
    }

    pub(super) fn is_in_both(&self, name: &str) -> bool {
        self.both.contains(name)
    }

    /// Whether one class is enough.
    pub(super) fn is_same(&self, name: &str) -> bool {
        self.both.contains(name) && !self.different.contains(name)
    }
}

/// The schema as text, with references as if they were to the one direction.
fn directed(schema: &Value) -> String {
    schema.to_string().replace("\"#/definitions/output/", "\"#/definitions/input/")
}

fn references(schema: &Value) -> BTreeSet<String> {
    match schema {
        Value::Object(members) => {
            let own = crate::commands::contract::python::schema::reference(members).map(|(_, name)| name);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}
