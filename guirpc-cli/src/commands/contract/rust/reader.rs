//! From schemas to types.
//!
//! What a schema says that no type of Rust's does becomes `serde_json::Value`, which holds whatever travels.

use std::collections::{BTreeMap, BTreeSet};

use guirpc::contract::{Contract, Function};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::model::{Argument, Definition, Model, Shape, Stub, Type};
use super::names::{self, Names};
use super::{alternatives, boxes};
use crate::failure::Failure;

mod fields;

/// Whether an object that has no name has fields, rather than keys.
pub(super) fn is_struct(schema: &Schema) -> bool {
    fields::is_struct(schema, true)
}

pub(super) type Schema = Map<String, Value>;

/// The library implements its traits for so many.
const MOST_ARGUMENTS: usize = 16;
/// As the standard library implements its traits.
const LONGEST_TUPLE: usize = 12;
/// As serde implements its traits.
const LONGEST_ARRAY: u64 = 32;

/// Reads a contract.
pub(super) fn read(contract: &Contract) -> Result<Model, Failure> {
    let mut reader = Reader::new(contract);
    reader.define_all();
    let mut functions = Names::default();
    let mut stubs = Vec::new();
    for (name, function) in &contract.functions {
        stubs.push(reader.stub(name, functions.function(name), function)?);
    }
    let mut model = reader.model;
    boxes::insert(&mut model.definitions);
    model.functions = stubs;
    Ok(model)
}

/// What is known while schemas are read.
pub(super) struct Reader<'a> {
    contract: &'a Contract,
    model: Model,
    names: Names,
    /// The name of each definition of the contract, by its `$ref`.
    referred: BTreeMap<String, String>,
}

impl<'a> Reader<'a> {
    fn new(contract: &'a Contract) -> Self {
        let definitions = &contract.definitions;
        let same: BTreeSet<&str> = definitions.same();
        let mut names = Names::default();
        let mut referred: BTreeMap<String, String> = BTreeMap::new();
        let both = |name: &String| definitions.input.contains_key(name) && definitions.output.contains_key(name);
        let differs = |name: &String| both(name) && !same.contains(name.as_str());
        // Names without a suffix come first, so that they are what they are in the contract.
        for suffixed in [false, true] {
            for (direction, suffix, schemas) in
                [("input", "Input", &definitions.input), ("output", "Output", &definitions.output)]
            {
                for name in schemas.keys().filter(|name| differs(name) == suffixed) {
                    let shared = referred.get(&reference("input", name)).filter(|_| same.contains(name.as_str()));
                    let ident = match shared {
                        Some(shared) => shared.clone(),
                        None if suffixed => names.ty(&format!("{name}{suffix}")),
                        None => names.ty(name),
                    };
                    referred.insert(reference(direction, name), ident);
                }
            }
        }
        Reader { contract, model: Model::default(), names, referred }
    }

    /// Reads every definition of the contract, once.
    fn define_all(&mut self) {
        let definitions = &self.contract.definitions;
        for (direction, schemas) in [("input", &definitions.input), ("output", &definitions.output)] {
            for (name, schema) in schemas {
                let Some(ident) = self.referred.get(&reference(direction, name)).cloned() else { continue };
                if self.model.definitions.contains_key(&ident) {
                    continue;
                }
                let shape = schema.as_object().and_then(|schema| self.shape(schema, &ident, true));
                let shape = shape.unwrap_or_else(|| Shape::Newtype(self.ty(schema, &ident)));
                self.insert(ident, schema, shape);
            }
        }
    }

    fn insert(&mut self, ident: String, schema: &Value, shape: Shape) {
        let denies = |schema: &Value| schema.get("additionalProperties") == Some(&Value::Bool(false));
        let alternatives = ["anyOf", "oneOf"].into_iter().find_map(|keyword| schema.get(keyword)?.as_array());
        let deny_unknown = match alternatives {
            None => denies(schema),
            Some(all) => {
                let mut objects = all.iter().filter(|schema| schema.get("properties").is_some()).peekable();
                objects.peek().is_some() && objects.all(denies)
            }
        };
        self.model.definitions.insert(ident, Definition { docs: docs(schema), shape, deny_unknown });
    }

    /// Gives what has no name in the contract one.
    fn name(&mut self, hint: &str, schema: &Value, shape: Shape) -> Type {
        let ident = self.names.ty(hint);
        self.insert(ident.clone(), schema, shape);
        Type::Named(ident)
    }

    fn stub(&mut self, name: &str, ident: String, function: &Function) -> Result<Stub, Failure> {
        let wrong = |what: String| Failure::usage(format!("the function `{name}` cannot be called from Rust: {what}"));
        if function.arguments.len() > MOST_ARGUMENTS {
            let count = function.arguments.len();
            return Err(wrong(format!("it has {count} arguments, and {MOST_ARGUMENTS} is the most")));
        }
        let mut arguments = Vec::new();
        for argument in &function.arguments {
            let ident = names::argument(&argument.name)
                .ok_or_else(|| wrong(format!("its argument `{}` has no name of Rust's", argument.name)))?;
            let hint = format!("{name}-{}", argument.name);
            let passed = match self.ty(&argument.ty.schema, &hint) {
                _ if argument.ty.bytes && argument.required => Argument::Bytes,
                _ if argument.ty.bytes => Argument::Owned(Type::List(Box::new(Type::Plain("u8"))).optional()),
                Type::Plain("String") if argument.required => Argument::Text,
                ty if argument.required => Argument::Owned(ty),
                ty => Argument::Owned(ty.optional()),
            };
            arguments.push((ident, passed));
        }
        let output = self.ty(&function.output.ty.schema, &format!("{name}-output"));
        let error = function.error.as_ref().map(|error| self.error(&error.ty.schema, name));
        Ok(Stub { name: name.to_owned(), ident, arguments, output, error })
    }

    /// The type of an error, which can be displayed.
    fn error(&mut self, schema: &Value, function: &str) -> Type {
        let hint = format!("{function}-error");
        match self.ty(schema, &hint) {
            Type::Named(name) => {
                self.model.errors.insert(name.clone());
                Type::Named(name)
            }
            ty @ (Type::Plain(_) | Type::Value) => ty,
            ty => {
                let error = self.name(&hint, &Value::Null, Shape::Newtype(ty));
                self.model.errors.extend(match &error {
                    Type::Named(name) => Some(name.clone()),
                    _ => None,
                });
                error
            }
        }
    }

    /// The type of a schema; what needs a name is called by the hint.
    pub(super) fn ty(&mut self, schema: &Value, hint: &str) -> Type {
        let Value::Object(members) = schema else { return Type::Value };
        if !members.contains_key("properties")
            && let Some(Value::String(reference)) = members.get("$ref")
        {
            return self.referred.get(&decoded(reference)).map_or(Type::Value, |name| Type::Named(name.clone()));
        }
        if let Some(rest) = alternatives::without_null(members) {
            return self.ty(&rest, hint).optional();
        }
        if let Some(only) = alternatives::only(members) {
            return self.ty(only, hint);
        }
        if let Some(shape) = self.shape(members, hint, false) {
            return self.name(hint, schema, shape);
        }
        match members.get("type").and_then(Value::as_str) {
            Some("null") => Type::Unit,
            Some("boolean") => Type::Plain("bool"),
            Some("integer") => Type::Plain(integer(members)),
            Some("number") if members.get("format").is_some_and(|format| format == "float") => Type::Plain("f32"),
            Some("number") => Type::Plain("f64"),
            Some("string") if length(members, "Length") == Some(1) => Type::Plain("char"),
            Some("string") => Type::Plain("String"),
            Some("array") => self.list(members, hint),
            Some("object") => self.map(members, hint),
            _ => Type::Value,
        }
    }

    /// What needs a definition of its own: a struct or an enum. An object without fields is one if it has a name.
    fn shape(&mut self, schema: &Schema, hint: &str, is_named: bool) -> Option<Shape> {
        if alternatives::without_null(schema).is_some() || alternatives::only(schema).is_some() {
            return None;
        }
        if fields::is_struct(schema, is_named) {
            return Some(Shape::Struct(self.fields(schema, hint, None)));
        }
        self.enumeration(schema, hint)
    }

    pub(super) fn list(&mut self, schema: &Schema, hint: &str) -> Type {
        if let Some(types) = self.tuple(schema, hint) {
            return Type::Tuple(types);
        }
        if schema.contains_key("prefixItems") {
            return Type::List(Box::new(Type::Value));
        }
        let items = schema.get("items").map_or(Type::Value, |items| self.ty(items, &format!("{hint}-item")));
        match length(schema, "Items") {
            Some(length) if length <= LONGEST_ARRAY => Type::Array(Box::new(items), length),
            _ => Type::List(Box::new(items)),
        }
    }

    /// The types of a tuple, if it is one.
    pub(super) fn tuple(&mut self, schema: &Schema, hint: &str) -> Option<Vec<Type>> {
        let items = schema.get("prefixItems")?.as_array()?;
        if length(schema, "Items") != Some(items.len() as u64) || items.len() > LONGEST_TUPLE {
            return None;
        }
        Some(items.iter().zip(1..).map(|(item, number)| self.ty(item, &format!("{hint}-{number}"))).collect())
    }

    /// A map, whose keys are texts unless its schema says that they are numbers.
    pub(super) fn map(&mut self, schema: &Schema, hint: &str) -> Type {
        let hint = format!("{hint}-value");
        let patterns: Vec<_> =
            schema.get("patternProperties").and_then(Value::as_object).into_iter().flatten().collect();
        let more = schema.get("additionalProperties").filter(|more| **more != Value::Bool(false));
        match (patterns.as_slice(), more) {
            ([(pattern, values)], None) => {
                let key = match pattern.as_str() {
                    r"^\d+$" => "u64",
                    r"^-?\d+$" => "i64",
                    _ => "String",
                };
                Type::Map(key, Box::new(self.ty(values, &hint)))
            }
            ([], Some(values)) => Type::Map("String", Box::new(self.ty(values, &hint))),
            _ => Type::Map("String", Box::new(Type::Value)),
        }
    }
}

fn reference(direction: &str, name: &str) -> String {
    format!("#/definitions/{direction}/{name}")
}

/// A reference without escapes.
fn decoded(reference: &str) -> String {
    percent_decode_str(reference).decode_utf8_lossy().replace("~1", "/").replace("~0", "~")
}

/// The description of a schema.
pub(super) fn docs(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The length, if there is only one that it can have.
fn length(schema: &Schema, of: &str) -> Option<u64> {
    let bound = |end: &str| schema.get(&format!("{end}{of}")).and_then(Value::as_u64);
    bound("min").filter(|least| bound("max") == Some(*least))
}

/// By its format, or by whether it may be negative.
fn integer(schema: &Schema) -> &'static str {
    match schema.get("format").and_then(Value::as_str) {
        Some("int8") => "i8",
        Some("int16") => "i16",
        Some("int32") => "i32",
        Some("int64" | "int") => "i64",
        Some("int128") => "i128",
        Some("uint8") => "u8",
        Some("uint16") => "u16",
        Some("uint32") => "u32",
        Some("uint64" | "uint") => "u64",
        Some("uint128") => "u128",
        _ if schema.get("minimum").is_some_and(|least| least.as_u64().is_some()) => "u64",
        _ => "i64",
    }
}
