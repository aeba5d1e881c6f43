//! A contract as shapes: functions and definitions, read once.

use std::collections::{BTreeMap, BTreeSet};

use guirpc::contract::{Contract, Function, Type};
use serde_json::Value;

use super::forms::Forms;
use super::names;
use super::schema::{self, Others, Shape, Variant};

pub(super) struct Model<'c> {
    pub(super) contract: &'c Contract,
    pub(super) functions: Vec<ModelFunction<'c>>,
    pub(super) definitions: Definitions,
    /// What the types of the definitions are called.
    pub(super) forms: Forms,
}

/// The definitions of both directions, by name.
#[derive(Default)]
pub(super) struct Definitions {
    pub(super) input: BTreeMap<String, Definition>,
    pub(super) output: BTreeMap<String, Definition>,
}

pub(super) struct Definition {
    pub(super) docs: String,
    pub(super) shape: Shape,
}

pub(super) struct ModelFunction<'c> {
    pub(super) name: &'c str,
    pub(super) function: &'c Function,
    pub(super) arguments: Vec<ModelArgument<'c>>,
    pub(super) output: Shape,
    pub(super) error: Option<Shape>,
}

pub(super) struct ModelArgument<'c> {
    pub(super) name: &'c str,
    pub(super) rust: &'c str,
    pub(super) is_required: bool,
    pub(super) shape: Shape,
}

/// Which way a value travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// To the server.
    Input,
    /// From the server.
    Output,
}

impl<'c> Model<'c> {
    pub(super) fn new(contract: &'c Contract) -> Self {
        let functions: Vec<ModelFunction<'c>> =
            contract.functions.iter().map(|(name, function)| ModelFunction::new(name, function)).collect();
        let mut definitions = Definitions {
            input: contract.definitions.input.iter().map(definition).collect(),
            output: contract.definitions.output.iter().map(definition).collect(),
        };
        definitions.keep_what_is_used(&functions);
        let forms = Forms::new(&definitions);
        Model { contract, functions, definitions, forms }
    }

    /// The name of the class that calls the service.
    pub(super) fn class(&self) -> String {
        names::class(&self.contract.service)
    }
}

fn definition((name, schema): (&String, &Value)) -> (String, Definition) {
    (name.clone(), Definition { docs: schema::docs(schema), shape: schema::shape(schema) })
}

impl<'c> ModelFunction<'c> {
    fn new(name: &'c str, function: &'c Function) -> Self {
        let shape = |ty: &Type| schema::shape(&ty.schema).into_whole(ty.bytes);
        let arguments = function.arguments.iter().map(|argument| ModelArgument {
            name: &argument.name,
            rust: &argument.ty.rust,
            is_required: argument.required,
            shape: shape(&argument.ty),
        });
        ModelFunction {
            name,
            function,
            arguments: arguments.collect(),
            output: shape(&function.output.ty),
            error: function.error.as_ref().map(|error| shape(&error.ty)),
        }
    }

    fn shapes(&self, direction: Direction) -> Vec<&Shape> {
        match direction {
            Direction::Input => self.arguments.iter().map(|argument| &argument.shape).collect(),
            Direction::Output => [&self.output].into_iter().chain(&self.error).collect(),
        }
    }
}

impl Definitions {
    pub(super) fn of(&self, direction: Direction) -> &BTreeMap<String, Definition> {
        match direction {
            Direction::Input => &self.input,
            Direction::Output => &self.output,
        }
    }

    /// Whether nothing at all is a value of it.
    pub(super) fn takes_null(&self, shape: &Shape, direction: Direction) -> bool {
        self.takes_null_within(shape, direction, &mut BTreeSet::new())
    }

    fn takes_null_within<'s>(&'s self, shape: &'s Shape, direction: Direction, seen: &mut BTreeSet<&'s str>) -> bool {
        match shape {
            Shape::Any | Shape::Null => true,
            Shape::Literal(values) => values.contains(&Value::Null),
            Shape::Union(variants) => {
                variants.iter().any(|Variant { shape, .. }| self.takes_null_within(shape, direction, seen))
            }
            // What is made of itself alone has no value.
            Shape::Ref(name) if seen.insert(name) => match self.of(direction).get(name) {
                Some(definition) => self.takes_null_within(&definition.shape, direction, seen),
                None => true,
            },
            _ => false,
        }
    }

    /// Leaves out what no function refers to.
    fn keep_what_is_used(&mut self, functions: &[ModelFunction<'_>]) {
        for direction in [Direction::Input, Direction::Output] {
            let definitions = self.of(direction);
            let mut used = BTreeSet::new();
            let shapes = functions.iter().flat_map(|function| function.shapes(direction));
            let mut waiting: Vec<String> = shapes.flat_map(Shape::refs).map(str::to_owned).collect();
            while let Some(name) = waiting.pop() {
                if used.insert(name.clone())
                    && let Some(definition) = definitions.get(&name)
                {
                    waiting.extend(definition.shape.refs().into_iter().map(str::to_owned));
                }
            }
            // A reference to nothing is to anything.
            let definitions = match direction {
                Direction::Input => &mut self.input,
                Direction::Output => &mut self.output,
            };
            definitions.retain(|name, _| used.contains(name));
            for name in used {
                definitions.entry(name).or_insert(Definition { docs: String::new(), shape: Shape::Any });
            }
        }
    }
}

/// The shape of what an object has beside its fields, if that is said.
pub(super) fn others(others: &Others) -> Option<&Shape> {
    match others {
        Others::Like(shape) => Some(shape),
        Others::Ignored | Others::Refused => None,
    }
}
