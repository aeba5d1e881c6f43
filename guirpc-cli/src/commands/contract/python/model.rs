//! The types of a contract as classes and aliases of Python.

use std::collections::{BTreeMap, BTreeSet};

use guirpc::contract::{Contract, Type};
use serde_json::{Value, json};

use super::names::{self, Scope};
use super::schema::{self, Members};
use super::shape::{Shape, Written};
use crate::failure::Failure;

mod directions;
mod scalars;
mod unions;

pub(super) use directions::Direction;
use directions::Directions;

/// How many characters a type has at most where it stands several times on a line, and where once.
const LONGEST_OF_FUNCTION: usize = 45;
const LONGEST_OF_FIELD: usize = 90;

/// A type with a name.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) codec: String,
    pub(super) docs: String,
    pub(super) body: Body,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    /// A class, one field for each member of a map.
    Class {
        fields: Vec<Member>,
        constants: Vec<Constant>,
        rest: Option<(String, Shape)>,
        closed: bool,
    },
    /// A class with one field `value`, which travels as that.
    Wrapper(Shape),
    /// A union whose variants are told apart by the key of a map of one.
    Keyed {
        units: Vec<String>,
        variants: Vec<(String, Shape)>,
    },
    /// A union whose variants are told apart by a member of the map.
    Tagged {
        tag: String,
        variants: Vec<(String, Shape)>,
    },
    /// A union of which the first variant that fits is taken.
    OneOf(Vec<Shape>),
    Alias(Shape),
}

/// A field of a class.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) wire: String,
    pub(super) docs: String,
    pub(super) shape: Shape,
    pub(super) required: bool,
    /// What it is if it is left out, as Python has it; without one, `None`.
    pub(super) default: Option<String>,
}

/// A member that is always this text.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub(super) name: String,
    pub(super) wire: String,
    pub(super) text: String,
}

/// Makes definitions of the schemas that come by.
pub(super) struct Model<'c> {
    contract: &'c Contract,
    directions: Directions,
    pub(super) definitions: Vec<Definition>,
    /// Those of the contract that are made, or being made.
    made: BTreeMap<(Option<Direction>, String), Shape>,
    classes: Scope,
    codecs: Scope,
}

impl<'c> Model<'c> {
    pub(super) fn new(contract: &'c Contract) -> Self {
        let directions = Directions::of(&contract.definitions);
        let (classes, codecs) = <(Scope, Scope)>::default();
        Model { contract, directions, definitions: Vec::new(), made: BTreeMap::new(), classes, codecs }
    }

    /// All definitions of the contract first, so that their names depend on nothing else.
    pub(super) fn define_all(&mut self) -> Result<(), Failure> {
        let definitions = &self.contract.definitions;
        for (direction, all) in [(Direction::Input, &definitions.input), (Direction::Output, &definitions.output)] {
            for name in all.keys() {
                self.named(direction, name)?;
            }
        }
        Ok(())
    }

    /// The type of an argument, an output or an error; `hint` names it if it has no name.
    pub(super) fn of(&mut self, ty: &Type, direction: Direction, hint: &str) -> Result<Shape, Failure> {
        if ty.bytes {
            return Ok(Shape::Bytes);
        }
        let shape = self.shape(&ty.schema, direction, hint)?;
        self.short(shape, hint, LONGEST_OF_FUNCTION)
    }

    /// The type, under a name of its own if it takes too many characters to be written out.
    fn short(&mut self, shape: Shape, hint: &str, most: usize) -> Result<Shape, Failure> {
        if shape.hint(Written::Model).flat().chars().count() <= most {
            return Ok(shape);
        }
        match shape {
            Shape::Integer { .. } => Ok(shape),
            Shape::Nullable(inner) => Ok(self.short(*inner, hint, most)?.nullable()),
            shape => self.anonymous(hint, "", |_, _| Ok(Body::Alias(shape))),
        }
    }

    /// The definitions, by name.
    pub(super) fn sorted(mut self) -> Vec<Definition> {
        self.definitions.sort_by(|one, other| one.name.cmp(&other.name));
        self.definitions
    }

    fn find(&self, direction: Direction, name: &str) -> Result<&'c Value, Failure> {
        let all = match direction {
            Direction::Input => &self.contract.definitions.input,
            Direction::Output => &self.contract.definitions.output,
        };
        let word = direction.word();
        all.get(name).ok_or_else(|| {
            Failure::usage(format!("the contract refers to `#/definitions/{word}/{name}`, and has no such definition"))
        })
    }

    fn named(&mut self, direction: Direction, name: &str) -> Result<Shape, Failure> {
        let schema = self.find(direction, name)?;
        let same = self.directions.is_same(name);
        let key = ((!same).then_some(direction), name.to_owned());
        if let Some(shape) = self.made.get(&key) {
            return Ok(shape.clone());
        }
        let both = self.directions.is_in_both(name);
        let class = names::class(name) + if both && !same { direction.suffix() } else { "" };
        let (class, codec) = self.name(&class);
        let shape = Shape::Named { name: class.clone(), codec: codec.clone() };
        self.made.insert(key, shape.clone());
        let body = self.body(schema, direction, &class)?;
        self.definitions.push(Definition { name: class, codec, docs: schema::description(schema).to_owned(), body });
        Ok(shape)
    }

    fn name(&mut self, class: &str) -> (String, String) {
        let class = self.classes.take(class.to_owned());
        let mut codec = String::new();
        for character in class.chars() {
            if character.is_ascii_uppercase() && !codec.is_empty() {
                codec.push('_');
            }
            codec.push(character.to_ascii_lowercase());
        }
        (class, self.codecs.take(codec + "_codec"))
    }

    /// A definition that the contract has no name for.
    fn anonymous(
        &mut self,
        hint: &str,
        docs: &str,
        make: impl FnOnce(&mut Self, &str) -> Result<Body, Failure>,
    ) -> Result<Shape, Failure> {
        let (name, codec) = self.name(hint);
        let body = make(self, &name)?;
        self.definitions.push(Definition { name: name.clone(), codec: codec.clone(), docs: docs.to_owned(), body });
        Ok(Shape::Named { name, codec })
    }

    /// What a definition of this name is.
    fn body(&mut self, schema: &Value, direction: Direction, name: &str) -> Result<Body, Failure> {
        let Some(members) = schema.as_object().map(schema::essence) else {
            return Ok(Body::Alias(self.shape(schema, direction, name)?));
        };
        let members = self.flattened(members)?;
        if let Some(variants) = schema::alternatives(&members) {
            let base = without_alternatives(&members);
            let nullable = variants.iter().any(schema::is_null);
            let rest: Vec<Value> = variants.into_iter().filter(|variant| !schema::is_null(variant)).collect();
            if nullable || rest.len() == 1 {
                return Ok(Body::Alias(self.shape(schema, direction, name)?));
            }
            return self.union(&rest, &base, direction, name);
        }
        if is_class(&members) {
            return self.class(&members, &[], direction, name);
        }
        Ok(Body::Alias(self.shape(schema, direction, name)?))
    }

    /// The schema with what it refers to beside members of its own, and with all of `allOf`, in one.
    fn flattened(&self, mut members: Members) -> Result<Members, Failure> {
        if let Some(all) = members.remove("allOf") {
            for part in all.as_array().into_iter().flatten() {
                let part = self.resolved(part)?;
                members = schema::merged(members, part);
            }
        }
        if members.contains_key("$ref") && members.len() > 1 {
            let (direction, name) = referred(&members)?;
            members.remove("$ref");
            let other = self.resolved(self.find(direction, &name)?)?;
            members = schema::merged(members, other);
        }
        Ok(members)
    }

    /// The members of a schema, or of that which it refers to.
    fn resolved(&self, schema: &Value) -> Result<Members, Failure> {
        let members = schema.as_object().map(schema::essence).unwrap_or_default();
        if members.contains_key("$ref") && members.len() == 1 {
            let (direction, name) = referred(&members)?;
            return self.resolved(self.find(direction, &name)?);
        }
        self.flattened(members)
    }

    fn shape(&mut self, schema: &Value, direction: Direction, hint: &str) -> Result<Shape, Failure> {
        let members = match schema {
            Value::Bool(true) => return Ok(Shape::Any),
            Value::Bool(false) => return Ok(Shape::Nothing),
            Value::Object(members) => schema::essence(members),
            other => return Err(Failure::usage(format!("`{other}` in the contract is no schema: it is no object"))),
        };
        if members.contains_key("$ref") && members.len() == 1 {
            let (direction, name) = referred(&members)?;
            return self.named(direction, &name);
        }
        let members = self.flattened(members)?;
        if let Some(variants) = schema::alternatives(&members) {
            let base = without_alternatives(&members);
            let rest: Vec<Value> = variants.iter().filter(|variant| !schema::is_null(variant)).cloned().collect();
            let shape = match &rest[..] {
                [] => Shape::Null,
                [only] if base.is_empty() => self.shape(only, direction, hint)?,
                rest => {
                    let docs = schema::description(schema).to_owned();
                    self.anonymous(hint, &docs, |model, name| model.union(rest, &base, direction, name))?
                }
            };
            return Ok(if rest.len() < variants.len() { shape.nullable() } else { shape });
        }
        if is_class(&members) {
            let docs = schema::description(schema).to_owned();
            let shape = self.anonymous(hint, &docs, |model, name| model.class(&members, &[], direction, name))?;
            return Ok(if types(&members).contains(&"null") { shape.nullable() } else { shape });
        }
        self.plain(&members, direction, hint)
    }

    /// A class; the texts in `constants` are no fields of it.
    fn class(
        &mut self,
        members: &Members,
        constants: &[(String, String)],
        direction: Direction,
        name: &str,
    ) -> Result<Body, Failure> {
        let required: BTreeSet<&str> = schema::required(members).into_iter().collect();
        let mut scope = Scope::default();
        let constants: Vec<Constant> = constants
            .iter()
            .map(|(wire, text)| Constant {
                name: scope.take(names::identifier(wire)),
                wire: wire.clone(),
                text: text.clone(),
            })
            .collect();
        let mut fields = Vec::new();
        for (wire, schema) in schema::properties(members).into_iter().flatten() {
            if constants.iter().any(|constant| constant.wire == *wire) {
                continue;
            }
            let hint = format!("{name}{}", names::class(wire));
            let shape = self.shape(schema, direction, &hint)?;
            let shape = self.short(shape, &hint, LONGEST_OF_FIELD)?;
            let required = required.contains(wire.as_str());
            let default = schema.get("default").filter(|_| !required).and_then(|value| shape.default(value));
            let docs = schema::description(schema).to_owned();
            // A field that is named as a class hides it from the fields after it.
            let mut field = names::identifier(wire);
            if field.starts_with(|c: char| c.is_ascii_uppercase()) {
                field.push('_');
            }
            fields.push(Member { name: scope.take(field), wire: wire.clone(), docs, shape, required, default });
        }
        let others = ["additionalProperties", "unevaluatedProperties"].map(|key| members.get(key));
        let others = others.into_iter().flatten().next();
        let rest = match others {
            None | Some(Value::Bool(_)) => None,
            Some(schema) => {
                let inner = self.shape(schema, direction, &format!("{name}Rest"))?;
                Some((scope.take("rest".to_owned()), Shape::Entries(Box::new(inner))))
            }
        };
        Ok(Body::Class { fields, constants, rest, closed: others == Some(&json!(false)) })
    }
}

/// What a schema refers to.
fn referred(members: &Members) -> Result<(Direction, String), Failure> {
    let reference = schema::reference(members);
    reference.and_then(|(direction, name)| Some((Direction::from_word(&direction)?, name))).ok_or_else(|| {
        Failure::usage(format!(
            "the contract refers to {}; a reference is `#/definitions/input/NAME` or `#/definitions/output/NAME`",
            members["$ref"]
        ))
    })
}

/// The types that a schema names.
fn types(members: &Members) -> Vec<&str> {
    match members.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether a schema describes the fields of an object, and not a map.
fn is_class(members: &Members) -> bool {
    let has_fields = schema::properties(members).is_some_and(|properties| !properties.is_empty());
    let is_map = ["additionalProperties", "patternProperties"].into_iter().any(|name| members.contains_key(name));
    let is_empty = types(members) == ["object"]
        && (!is_map || members.get("additionalProperties") == Some(&json!(false)))
        && !members.contains_key("patternProperties");
    !members.contains_key("enum") && !members.contains_key("const") && (has_fields || is_empty)
}

fn without_alternatives(members: &Members) -> Members {
    let mut base = members.clone();
    base.remove("oneOf");
    base.remove("anyOf");
    // "object" alone says nothing that the variants do not.
    if base.keys().all(|name| name == "type") { Members::new() } else { base }
}
