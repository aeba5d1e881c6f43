//! JSON Schemas, as far as they are read here: merged, and taken apart into variants.

use serde_json::{Map, Value, json};

/// The members of a schema, without those that say nothing of its values.
pub(super) type Members = Map<String, Value>;

/// What a variant of an `oneOf` is.
#[derive(Clone, Debug)]
pub(super) enum Variant<'s> {
    /// Texts, each a variant without data.
    Units(Vec<String>),
    /// A map of one: the name of the variant, and its data.
    Keyed(&'s str, &'s Value),
    Other,
}

/// What a schema says of its type for people.
pub(super) fn description(schema: &Value) -> &str {
    schema.get("description").and_then(Value::as_str).unwrap_or_default()
}

/// The part of `$ref` behind `#/definitions/`: the direction and the name.
pub(super) fn reference(members: &Members) -> Option<(String, String)> {
    let text = members.get("$ref")?.as_str()?.strip_prefix("#/definitions/")?;
    let (direction, name) = text.split_once('/')?;
    let name = percent_encoding::percent_decode_str(name).decode_utf8().ok()?;
    Some((direction.to_owned(), name.replace("~1", "/").replace("~0", "~")))
}

/// The schema without what is only for people, or for other tools.
pub(super) fn essence(members: &Members) -> Members {
    const OTHER: [&str; 11] = [
        "$comment",
        "$id",
        "$schema",
        "default",
        "deprecated",
        "description",
        "examples",
        "readOnly",
        "title",
        "writeOnly",
        "pattern",
    ];
    members.iter().filter(|(name, _)| !OTHER.contains(&name.as_str())).map(|(n, v)| (n.clone(), v.clone())).collect()
}

/// The schema of an object that both of these describe.
pub(super) fn merged(mut one: Members, other: Members) -> Members {
    for (name, value) in other {
        match (name.as_str(), one.get_mut(&name), value) {
            ("properties" | "patternProperties", Some(Value::Object(mine)), Value::Object(theirs)) => {
                mine.extend(theirs);
            }
            ("required", Some(Value::Array(mine)), Value::Array(theirs)) => {
                mine.extend(theirs);
                mine.dedup();
            }
            // Each of the two knows only its own fields.
            ("additionalProperties" | "unevaluatedProperties", Some(mine), theirs) => {
                if *mine == json!(false) {
                    *mine = theirs;
                }
            }
            (_, _, value) => {
                one.insert(name, value);
            }
        }
    }
    one
}

/// The alternatives of a schema, if it has them.
pub(super) fn alternatives(members: &Members) -> Option<Vec<Value>> {
    ["oneOf", "anyOf"].into_iter().find_map(|name| members.get(name)?.as_array().cloned())
}

/// Whether nothing is all that a schema allows.
pub(super) fn is_null(schema: &Value) -> bool {
    schema.get("type") == Some(&json!("null"))
        || schema.get("const") == Some(&Value::Null)
        || schema.get("enum") == Some(&json!([null]))
}

/// The texts that a schema allows, if it allows no more than some.
pub(super) fn texts(schema: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(value) = schema.get("const") {
        return text(value).map(|text| vec![text]);
    }
    schema.get("enum")?.as_array()?.iter().map(text).collect()
}

/// The properties that have to be there.
pub(super) fn required(members: &Members) -> Vec<&str> {
    members.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

pub(super) fn properties(members: &Members) -> Option<&Members> {
    members.get("properties")?.as_object()
}

impl<'s> Variant<'s> {
    /// As an externally tagged enum has it.
    pub(super) fn of(schema: &'s Value) -> Self {
        if let Some(texts) = texts(schema) {
            return Variant::Units(texts);
        }
        let Some(members) = schema.as_object() else { return Variant::Other };
        let closed = members.get("additionalProperties") == Some(&json!(false));
        let Some((name, data)) = properties(members).filter(|all| all.len() == 1).and_then(|all| all.iter().next())
        else {
            return Variant::Other;
        };
        let is_tag = texts(data).is_some_and(|texts| texts.len() == 1) && !closed;
        if required(members) == [name.as_str()] && !is_tag { Variant::Keyed(name, data) } else { Variant::Other }
    }
}

/// The property that says which of these objects it is, with what it is in each.
pub(super) fn tag(variants: &[Members]) -> Option<(String, Vec<String>)> {
    let first = variants.first()?;
    properties(first)?.keys().find_map(|name| {
        let value = |variant: &Members| {
            let texts = texts(properties(variant)?.get(name)?)?;
            let [text] = &texts[..] else { return None };
            required(variant).contains(&name.as_str()).then(|| text.clone())
        };
        let values = variants.iter().map(value).collect::<Option<Vec<_>>>()?;
        let mut different = values.clone();
        different.sort();
        different.dedup();
        (different.len() == values.len()).then(|| (name.clone(), values))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_whatever_is_escaped() {
        let members = json!({ "$ref": "#/definitions/input/a~1b%3Cc%3E" });
        let reference = reference(members.as_object().unwrap());
        assert_eq!(reference, Some(("input".to_owned(), "a/b<c>".to_owned())));
    }

    #[test]
    fn the_tag_is_what_differs_in_each() {
        let variant = |kind: &str| {
            let schema =
                json!({"properties": {"a": {"const": "a"}, "kind": {"const": kind}}, "required": ["a", "kind"]});
            schema.as_object().unwrap().clone()
        };
        let tag = tag(&[variant("x"), variant("y")]);
        assert_eq!(tag, Some(("kind".to_owned(), vec!["x".to_owned(), "y".to_owned()])));
        assert_eq!(super::tag(&[variant("x"), variant("x")]), None);
    }
}
