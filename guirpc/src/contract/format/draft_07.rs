//! Schemas of 2020-12 in the words of draft 07, of which `AsyncAPI`'s are a superset.

use serde_json::{Map, Value, json};

use crate::contract::references::with_subschemas;

/// The schema in the words of draft 07.
///
/// What draft 07 cannot say, such as `unevaluatedProperties`, is left out: it takes more then.
pub(super) fn downgraded(schema: &Value) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let mut members = with_subschemas(members, &mut downgraded);
    for (newer, older) in [("prefixItems", "items"), ("$defs", "definitions"), ("dependentRequired", "dependencies")] {
        if let Some(value) = members.remove(newer) {
            // What comes behind the first few.
            if newer == "prefixItems"
                && let Some(rest) = members.remove("items")
            {
                members.insert("additionalItems".to_owned(), rest);
            }
            members.insert(older.to_owned(), value);
        }
    }
    members.retain(|keyword, _| !keyword.starts_with("unevaluated") && keyword != "dependentSchemas");
    without_siblings(members)
}

/// A `$ref` hides what stands beside it, so it gets a schema of its own.
fn without_siblings(mut members: Map<String, Value>) -> Value {
    if members.len() > 1
        && let Some(reference) = members.remove("$ref")
    {
        let all = members.entry("allOf").or_insert_with(|| json!([]));
        if let Value::Array(all) = all {
            all.insert(0, json!({ "$ref": reference }));
        }
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(newer: &Value, older: &Value) {
        assert_eq!(downgraded(newer), *older);
    }

    #[test]
    fn each_keyword_has_its_older_name() {
        check(&json!({ "prefixItems": [true], "minItems": 1 }), &json!({ "items": [true], "minItems": 1 }));
        check(&json!({ "prefixItems": [true], "items": false }), &json!({ "items": [true], "additionalItems": false }));
        check(&json!({ "items": { "prefixItems": [true] } }), &json!({ "items": { "items": [true] } }));
        check(&json!({ "$defs": { "A": true } }), &json!({ "definitions": { "A": true } }));
        check(&json!({ "unevaluatedProperties": false, "type": "object" }), &json!({ "type": "object" }));
    }

    #[test]
    fn a_reference_stands_alone() {
        check(&json!({ "$ref": "#/a" }), &json!({ "$ref": "#/a" }));
        check(
            &json!({ "$ref": "#/a", "description": "b" }),
            &json!({ "allOf": [{ "$ref": "#/a" }], "description": "b" }),
        );
        check(
            &json!({ "$ref": "#/a", "allOf": [{ "$ref": "#/b" }] }),
            &json!({ "allOf": [{ "$ref": "#/a" }, { "$ref": "#/b" }] }),
        );
    }
}
