//! Types by name: which are the same both ways, and which are missing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::references::{Direction, references, rewritten, target};
use super::{Contract, Definitions};

impl Definitions {
    /// The types that are both taken and returned, and the same both ways.
    ///
    /// One type of another language can stand for both; of any other type in both directions there have to be two.
    pub fn same(&self) -> BTreeSet<&str> {
        let mut same: BTreeSet<&str> =
            self.input.keys().filter(|name| self.output.contains_key(*name)).map(String::as_str).collect();
        // Types that differ make those differ that refer to them.
        loop {
            let differ: Vec<&str> = same.iter().copied().filter(|name| self.differs(name, &same)).collect();
            if differ.is_empty() {
                return same;
            }
            same.retain(|name| !differ.contains(name));
        }
    }

    fn differs(&self, name: &str, same: &BTreeSet<&str>) -> bool {
        let undirected = |schemas: &BTreeMap<String, Value>| {
            schemas.get(name).map(|schema| {
                rewritten(schema, &|reference| {
                    target(reference).map(|(_, name)| name).filter(|name| same.contains(name.as_str()))
                })
            })
        };
        undirected(&self.input) != undirected(&self.output)
    }

    /// The schemas of one direction.
    pub(super) fn of(&self, direction: Direction) -> &BTreeMap<String, Value> {
        match direction {
            Direction::Input => &self.input,
            Direction::Output => &self.output,
        }
    }
}

impl Contract {
    /// Why its schemas cannot be followed: one refers to what is not there.
    pub(super) fn missing_definition(&self) -> Option<String> {
        let of_functions = self.functions.iter().flat_map(|(name, function)| {
            let arguments = function.arguments.iter().map(|argument| &argument.ty);
            let types = arguments.chain([&function.output.ty]).chain(function.error.as_ref().map(|error| &error.ty));
            types.map(move |ty| (format!("functions.{name}"), &ty.schema))
        });
        let of_definitions = [("input", &self.definitions.input), ("output", &self.definitions.output)];
        let of_definitions = of_definitions.into_iter().flat_map(|(direction, schemas)| {
            schemas.iter().map(move |(name, schema)| (format!("definitions.{direction}.{name}"), schema))
        });
        of_functions.chain(of_definitions).find_map(|(place, schema)| {
            let is_missing = |reference: &String| {
                !target(reference).is_some_and(|(direction, name)| self.definitions.of(direction).contains_key(&name))
            };
            let reference = references(schema).into_iter().find(is_missing)?;
            Some(format!(
                "{place}: nothing is at `{reference}`; schemas refer to `#/definitions/input/NAME` and \
                          `#/definitions/output/NAME`"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_to_nothing_is_named() {
        let read = |reference: &str| {
            let shop = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/contracts/shop.json"));
            Contract::from_json(&shop.replace("#/definitions/input/Delivery", reference))
        };
        assert!(read("#/definitions/input/Delivery").is_ok());
        for reference in ["#/definitions/input/Delivry", "#/definitions/output/Delivery", "#/$defs/Delivery"] {
            let error = read(reference).unwrap_err().to_string();
            assert!(error.contains(&format!("definitions.input.Order: nothing is at `{reference}`")), "{error}");
        }
    }

    #[track_caller]
    fn check(input: Value, output: Value, same: &[&str]) {
        let definitions = Definitions {
            input: serde_json::from_value(input).unwrap(),
            output: serde_json::from_value(output).unwrap(),
        };
        assert_eq!(definitions.same(), same.iter().copied().collect());
    }

    #[test]
    fn a_type_is_the_same_if_all_that_it_refers_to_is() {
        let to = |direction, name| json!({ "items": { "$ref": format!("#/definitions/{direction}/{name}") } });
        check(json!({ "A": true, "B": true }), json!({ "A": true }), &["A"]);
        check(json!({ "A": true }), json!({ "A": { "type": "null" } }), &[]);
        check(
            json!({ "A": to("input", "B"), "B": to("input", "C"), "C": true, "D": to("input", "D") }),
            json!({ "A": to("output", "B"), "B": to("output", "C"), "C": { "type": "null" }, "D": to("output", "D") }),
            &["D"],
        );
    }
}
