//! Types in a document of another format, under names that its references can have.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::contract::references::{Direction, rewritten, target};
use crate::contract::{Contract, Definitions};

/// Where the schemas of both formats are.
const PATH: &str = "#/components/schemas/";

/// Names, each once, of the characters that keys of components have.
#[derive(Default)]
pub(super) struct Keys(BTreeSet<String>);

impl Keys {
    /// A key for what has this name: the name itself, if it can be one and is free.
    pub(super) fn of(&mut self, name: &str) -> String {
        let is_legal = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
        let legal: String = name.chars().map(|character| if is_legal(character) { character } else { '_' }).collect();
        let numbered = (2..).map(|number| format!("{legal}_{number}"));
        let key = std::iter::once(legal.clone()).chain(numbered).find(|key| !self.0.contains(key)).unwrap_or(legal);
        self.0.insert(key.clone());
        key
    }
}

/// The definitions of a contract as components: one for both directions where they agree.
pub(super) struct Components<'a> {
    definitions: &'a Definitions,
    keys: BTreeMap<(Direction, &'a str), String>,
}

impl<'a> Components<'a> {
    pub(super) fn of(contract: &'a Contract) -> Self {
        let definitions = &contract.definitions;
        let same = definitions.same();
        let all = [Direction::Input, Direction::Output]
            .into_iter()
            .flat_map(|direction| definitions.of(direction).keys().map(move |name| (direction, name.as_str())));
        let differs = |name: &str| {
            !same.contains(name) && definitions.input.contains_key(name) && definitions.output.contains_key(name)
        };
        let (suffixed, plain): (Vec<_>, Vec<_>) = all.partition(|(_, name)| differs(name));
        let mut taken = Keys::default();
        let mut keys: BTreeMap<(Direction, &str), String> = BTreeMap::new();
        for (direction, name) in plain {
            let shared = keys.get(&(Direction::Input, name)).cloned();
            keys.insert((direction, name), shared.unwrap_or_else(|| taken.of(name)));
        }
        for (direction, name) in suffixed {
            let suffix = if direction == Direction::Input { "Input" } else { "Output" };
            keys.insert((direction, name), taken.of(&format!("{name}{suffix}")));
        }
        Components { definitions, keys }
    }

    /// The schema with references into the components.
    pub(super) fn schema(&self, schema: &Value) -> Value {
        rewritten(schema, &|reference| {
            let (direction, name) = target(reference)?;
            self.keys.get(&(direction, name.as_str())).map(|key| format!("{PATH}{key}"))
        })
    }

    /// The key of each definition, once, with the schema.
    pub(super) fn schemas(&self) -> Map<String, Value> {
        let schemas = self.keys.iter().filter_map(|((direction, name), key)| {
            self.definitions.of(*direction).get(*name).map(|schema| (key.clone(), self.schema(schema)))
        });
        schemas.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_legal_and_there_once() {
        let mut keys = Keys::default();
        let names = ["a.b-c_1", "a b", "a/b", "a_b", "ä"];
        assert_eq!(names.map(|name| keys.of(name)), ["a.b-c_1", "a_b", "a_b_2", "a_b_3", "_"]);
    }

    #[test]
    fn what_differs_by_direction_is_two_components() {
        let mut contract: Contract = Contract::from_json(crate::contract::format::tests::SHOP).unwrap();
        contract.definitions.output.insert("ArticleOutput".to_owned(), Value::Bool(true));
        let size = contract.definitions.input["Size"].clone();
        contract.definitions.output.insert("Size".to_owned(), size);
        let components = Components::of(&contract);
        let keys: Vec<String> = components.schemas().keys().cloned().collect();
        let expected =
            ["ArticleInput", "ArticleOutput", "ArticleOutput_2", "Delivery", "Order", "PlaceError", "Receipt", "Size"];
        assert_eq!(keys, expected);
        let reference = serde_json::json!({ "$ref": "#/definitions/output/Article" });
        assert_eq!(components.schema(&reference)["$ref"], "#/components/schemas/ArticleOutput_2");
    }
}
