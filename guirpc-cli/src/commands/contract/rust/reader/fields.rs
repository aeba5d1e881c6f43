//! Structs: their fields, and what is flattened into them.

use serde_json::{Value, json};

use super::{Reader, Schema, docs};
use crate::commands::contract::rust::model::{Field, Presence, Type};
use crate::commands::contract::rust::names::Names;

/// Keywords that say more of an object than its own properties do.
const MORE: [&str; 6] = ["$ref", "additionalProperties", "allOf", "anyOf", "oneOf", "patternProperties"];

/// Whether an object has fields, rather than keys. One without any is a struct if it has a name.
pub(super) fn is_struct(schema: &Schema, is_named: bool) -> bool {
    let has = |keyword: &str| schema.get(keyword).is_some_and(|value| *value != json!({}));
    let several = schema.get("allOf").and_then(Value::as_array).is_some_and(|all| all.len() > 1);
    let is_empty = schema.get("type").is_some_and(|ty| ty == "object")
        && MORE.iter().all(|keyword| !schema.contains_key(*keyword) || schema[*keyword] == false)
        && (is_named || schema.contains_key("additionalProperties"));
    has("properties") || several || is_empty
}

impl Reader<'_> {
    /// The fields of an object, without that which tells variants apart.
    pub(in crate::commands::contract::rust) fn fields(
        &mut self,
        schema: &Schema,
        hint: &str,
        tag: Option<&str>,
    ) -> Vec<Field> {
        let mut names = Names::default();
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let mut fields = Vec::new();
        for (name, property) in properties.filter(|(name, _)| tag != Some(name.as_str())) {
            let ty = self.ty(property, &format!("{hint}-{name}"));
            let (ty, presence) = presence(ty, property, required.contains(&name.as_str()));
            fields.push(Field { name: name.clone(), ident: names.field(name), docs: docs(property), ty, presence });
        }
        for (name, ty) in self.flattened(schema, hint) {
            let ident = names.field(&name);
            fields.push(Field { name: ident.clone(), ident, docs: String::new(), ty, presence: Presence::Flattened });
        }
        fields
    }

    /// What stands in an object beside its own properties, each with a name.
    pub(in crate::commands::contract::rust) fn flattened(
        &mut self,
        schema: &Schema,
        hint: &str,
    ) -> Vec<(String, Type)> {
        let mut parts: Vec<Value> =
            schema.get("$ref").map(|reference| json!({ "$ref": reference })).into_iter().collect();
        parts.extend(schema.get("allOf").and_then(Value::as_array).into_iter().flatten().cloned());
        for keyword in ["anyOf", "oneOf"] {
            parts.extend(schema.get(keyword).map(|schemas| json!({ keyword: schemas })));
        }
        let mut flattened = Vec::new();
        for part in parts {
            // What fits everything stands for what is left out.
            let (part, is_optional) = without_anything(&part);
            let ty = self.ty(&part, &format!("{hint}-variant"));
            let name = match &ty {
                Type::Named(name) if part.get("$ref").is_some() => name.clone(),
                _ => "variant".to_owned(),
            };
            flattened.push((name, if is_optional { ty.optional() } else { ty }));
        }
        let has = |keyword: &str| schema.get(keyword).is_some_and(|value| *value != Value::Bool(false));
        if has("additionalProperties") || has("patternProperties") {
            flattened.push(("additional".to_owned(), self.map(schema, hint)));
        }
        flattened
    }
}

/// The alternatives without `{}`, and whether there was one.
fn without_anything(schema: &Value) -> (Value, bool) {
    let Some(alternatives) = schema.get("anyOf").and_then(Value::as_array) else { return (schema.clone(), false) };
    let rest: Vec<&Value> = alternatives.iter().filter(|schema| **schema != json!({})).collect();
    if rest.len() == alternatives.len() {
        return (schema.clone(), false);
    }
    match rest.as_slice() {
        [only] => ((*only).clone(), true),
        rest => (json!({ "anyOf": rest }), true),
    }
}

/// Whether a field is there, and its type then.
///
/// A default that Rust has as well is written by us; any other is known to the service only, so such a field is left out.
fn presence(ty: Type, schema: &Value, required: bool) -> (Type, Presence) {
    if required {
        return (ty, Presence::Always);
    }
    let default = schema.get("default");
    let is_zero = match &ty {
        Type::Unit => true,
        Type::Plain("bool") => default == Some(&Value::Bool(false)),
        Type::Plain("String") => default.is_some_and(|default| default == ""),
        Type::Plain("char") => false,
        Type::Plain(_) => default.and_then(Value::as_f64) == Some(0.0),
        Type::List(_) => default == Some(&json!([])),
        Type::Map(..) => default == Some(&json!({})),
        _ => false,
    };
    if is_zero { (ty, Presence::Default) } else { (ty.optional(), Presence::Optional) }
}
