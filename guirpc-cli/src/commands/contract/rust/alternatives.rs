//! Enums: how their variants are told apart, as serde does it.

use serde_json::{Value, json};

use super::model::{Data, Shape, Tagging, Type, Variant};
use super::names::Names;
use super::reader::{Reader, Schema, docs};

/// Fields that are taken for the content of a variant even if only one has such.
const CONTENT: [&str; 6] = ["c", "content", "data", "payload", "t", "value"];

/// The schema of something that may be nothing, without that.
pub(super) fn without_null(schema: &Schema) -> Option<Value> {
    let mut rest = schema.clone();
    if let Some(Value::Array(types)) = schema.get("type")
        && types.iter().any(|ty| ty == "null")
    {
        let types: Vec<&Value> = types.iter().filter(|ty| **ty != "null").collect();
        rest.insert("type".to_owned(), if let [only] = types.as_slice() { (*only).clone() } else { json!(types) });
        if let Some(Value::Array(values)) = rest.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
        return Some(Value::Object(rest));
    }
    ["anyOf", "oneOf"].into_iter().find_map(|keyword| {
        let alternatives = schema.get(keyword)?.as_array()?;
        let others: Vec<&Value> = alternatives.iter().filter(|schema| !is_null(schema)).collect();
        if others.len() == alternatives.len() || schema.contains_key("properties") {
            return None;
        }
        let mut rest = schema.clone();
        match others.as_slice() {
            [only] => Some((*only).clone()),
            others => {
                rest.insert(keyword.to_owned(), json!(others));
                Some(Value::Object(rest))
            }
        }
    })
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|ty| ty == "null") || schema.get("const").is_some_and(Value::is_null)
}

/// The only schema that a list has, which then says everything.
pub(super) fn only(schema: &Schema) -> Option<&Value> {
    if ["properties", "$ref", "patternProperties"].iter().any(|keyword| schema.contains_key(*keyword)) {
        return None;
    }
    ["allOf", "anyOf", "oneOf"].into_iter().find_map(|keyword| match schema.get(keyword)?.as_array()?.as_slice() {
        [only] if keyword == "allOf" => Some(only),
        // One with a tag is an enum that has one variant.
        [only] if ["const", "enum", "properties"].iter().all(|keyword| only.get(keyword).is_none()) => Some(only),
        _ => None,
    })
}

/// The text that a schema allows, if it is one.
fn constant(schema: &Value) -> Option<&str> {
    match (schema.get("const"), schema.get("enum").and_then(Value::as_array).map(Vec::as_slice)) {
        (Some(constant), _) | (None, Some([constant])) => constant.as_str(),
        _ => None,
    }
}

/// The texts that a schema allows, if it is such.
fn texts(schema: &Value) -> Option<Vec<&str>> {
    if let Some(text) = constant(schema) {
        return Some(vec![text]);
    }
    schema.get("enum")?.as_array()?.iter().map(Value::as_str).collect()
}

/// The fields of an object by name.
fn properties(schema: &Value) -> Option<&Schema> {
    schema.get("properties")?.as_object()
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema.get("required").and_then(Value::as_array).is_some_and(|required| required.iter().any(|field| field == name))
}

/// The only field of an object that has no other, and has to be there.
fn only_field(schema: &Value) -> Option<(&str, &Value)> {
    let mut fields = properties(schema)?.iter();
    let (name, field) = fields.next().filter(|(name, _)| is_required(schema, name))?;
    let has_more =
        fields.next().is_some() || ["$ref", "oneOf", "anyOf", "allOf"].iter().any(|more| schema.get(more).is_some());
    (!has_more).then_some((name.as_str(), field))
}

/// The field that says which variant an object is: in each there is a text of its own.
fn tag(alternatives: &[Value]) -> Option<&str> {
    let tags = properties(alternatives.first()?)?.keys();
    tags.map(String::as_str).find(|tag| {
        let names: Option<Vec<&str>> = alternatives
            .iter()
            .map(|schema| constant(properties(schema)?.get(*tag)?).filter(|_| is_required(schema, tag)))
            .collect();
        names.is_some_and(|names| names.iter().enumerate().all(|(at, name)| !names[..at].contains(name)))
    })
}

/// The field beside the tag that has all of a variant's data, in each variant that has any.
fn content<'a>(alternatives: &'a [Value], tag: &str) -> Option<&'a str> {
    let mut content: Option<&str> = None;
    let mut count = 0;
    for alternative in alternatives {
        if ["$ref", "oneOf", "anyOf", "allOf"].iter().any(|more| alternative.get(more).is_some()) {
            return None;
        }
        let mut others = properties(alternative)?.keys().map(String::as_str).filter(|name| *name != tag);
        match (others.next(), others.next(), content) {
            (None, ..) => continue,
            (Some(name), None, None) if is_required(alternative, name) => content = Some(name),
            (Some(name), None, Some(other)) if name == other && is_required(alternative, name) => {}
            _ => return None,
        }
        count += 1;
    }
    content.filter(|name| count > 1 || CONTENT.contains(name))
}

impl Reader<'_> {
    /// The enum that a schema describes, if it does one.
    pub(super) fn enumeration(&mut self, schema: &Schema, hint: &str) -> Option<Shape> {
        if let Some(texts) = texts(&Value::Object(schema.clone())) {
            return Some(Shape::Enum(Tagging::External, units(&texts, &mut Names::default(), "").collect()));
        }
        let alternatives = ["oneOf", "anyOf"].into_iter().find_map(|keyword| schema.get(keyword)?.as_array())?;
        if let Some(tag) = tag(alternatives) {
            return Some(match content(alternatives, tag) {
                Some(content) => self.adjacent(alternatives, tag, content, hint),
                None => self.internal(alternatives, tag, hint),
            });
        }
        let shape = self.external(alternatives, hint);
        Some(shape.unwrap_or_else(|| self.untagged(alternatives, hint)))
    }

    fn external(&mut self, alternatives: &[Value], hint: &str) -> Option<Shape> {
        let is_external = |schema: &Value| texts(schema).is_some() || only_field(schema).is_some();
        let names: Vec<&str> = alternatives
            .iter()
            .flat_map(|schema| {
                texts(schema).unwrap_or_else(|| only_field(schema).map(|(name, _)| name).into_iter().collect())
            })
            .collect();
        let is_twice = names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
        if is_twice || !alternatives.iter().all(is_external) {
            return None;
        }
        let mut idents = Names::default();
        let mut variants = Vec::new();
        for schema in alternatives {
            if let Some((name, data)) = only_field(schema) {
                let data = self.data(data, &format!("{hint}-{name}"));
                variants.push(variant(name, idents.variant(name), docs(schema), data));
            } else {
                variants.extend(units(&texts(schema).unwrap_or_default(), &mut idents, &docs(schema)));
            }
        }
        Some(Shape::Enum(Tagging::External, variants))
    }

    fn internal(&mut self, alternatives: &[Value], tag: &str, hint: &str) -> Shape {
        let mut idents = Names::default();
        let mut variants = Vec::new();
        for schema in alternatives {
            let Some((name, members)) = tagged(schema, tag) else { continue };
            let hint = format!("{hint}-{name}");
            let has_fields = properties(schema).is_some_and(|fields| fields.len() > 1);
            let data = if has_fields {
                Data::Struct(self.fields(members, &hint, Some(tag)))
            } else {
                let mut flattened = self.flattened(members, &hint);
                match flattened.len() {
                    0 => Data::Unit,
                    1 => Data::Tuple(flattened.drain(..).map(|(_, ty)| ty).collect()),
                    _ => Data::Struct(self.fields(members, &hint, Some(tag))),
                }
            };
            variants.push(variant(name, idents.variant(name), docs(schema), data));
        }
        Shape::Enum(Tagging::Internal { tag: tag.to_owned() }, variants)
    }

    fn adjacent(&mut self, alternatives: &[Value], tag: &str, content: &str, hint: &str) -> Shape {
        let mut idents = Names::default();
        let mut variants = Vec::new();
        for schema in alternatives {
            let Some((name, _)) = tagged(schema, tag) else { continue };
            let inner = properties(schema).and_then(|fields| fields.get(content));
            let data = inner.map_or(Data::Unit, |inner| self.data(inner, &format!("{hint}-{name}")));
            variants.push(variant(name, idents.variant(name), docs(schema), data));
        }
        Shape::Enum(Tagging::Adjacent { tag: tag.to_owned(), content: content.to_owned() }, variants)
    }

    fn untagged(&mut self, alternatives: &[Value], hint: &str) -> Shape {
        let mut idents = Names::default();
        let mut variants = Vec::new();
        for schema in alternatives {
            let data = self.data(schema, &format!("{hint}-item"));
            let title = schema.get("title").and_then(Value::as_str).unwrap_or_else(|| title(&data));
            variants.push(Variant { name: None, ident: idents.variant(title), docs: docs(schema), data });
        }
        Shape::Enum(Tagging::Untagged, variants)
    }

    /// The data of a variant: what has no name of its own is in its place.
    fn data(&mut self, schema: &Value, hint: &str) -> Data {
        if let Some(members) = schema.as_object().filter(|members| !members.contains_key("$ref")) {
            let is_object = members.get("type").is_some_and(|ty| ty == "object");
            if is_object && super::reader::is_struct(members) {
                return Data::Struct(self.fields(members, hint, None));
            }
            if let Some(types) = self.tuple(members, hint).filter(|types| types.len() > 1) {
                return Data::Tuple(types);
            }
        }
        Data::Tuple(vec![self.ty(schema, hint)])
    }
}

/// Variants without data.
fn units<'a>(texts: &'a [&'a str], idents: &'a mut Names, docs: &'a str) -> impl Iterator<Item = Variant> + 'a {
    texts.iter().map(move |text| variant(text, idents.variant(text), docs.to_owned(), Data::Unit))
}

fn variant(name: &str, ident: String, docs: String, data: Data) -> Variant {
    Variant { name: Some(name.to_owned()), ident, docs, data }
}

/// The name of a variant, and its schema.
fn tagged<'a>(schema: &'a Value, tag: &str) -> Option<(&'a str, &'a Schema)> {
    Some((constant(properties(schema)?.get(tag)?)?, schema.as_object()?))
}

/// A name for a variant that has none.
fn title(data: &Data) -> &str {
    match data {
        Data::Unit => "Nothing",
        Data::Struct(_) => "Object",
        Data::Tuple(types) => match types.as_slice() {
            [Type::Plain("String" | "char")] => "Text",
            [Type::Plain("bool")] => "Bool",
            [Type::Plain("f32" | "f64")] => "Number",
            [Type::Plain(_)] => "Integer",
            [Type::List(_) | Type::Array(..)] => "List",
            [Type::Map(..)] => "Map",
            [Type::Named(name) | Type::Boxed(name)] => name,
            [Type::Value] => "Other",
            _ => "Tuple",
        },
    }
}
