//! Types, in both directions: a line for an argument, and what it is for an output.

use serde_json::{Value, json};

use super::{argument, check, document, value};

/// The types as an argument at `f.a` and as an output at `f.output`; each line says `rule place-below`, and for whom.
#[track_caller]
fn types(old: &Value, new: &Value, as_argument: &[&str], as_output: &[&str]) {
    with_definitions((old, &json!({})), (new, &json!({})), as_argument, as_output);
}

#[track_caller]
fn with_definitions(
    (old, before): (&Value, &Value),
    (new, after): (&Value, &Value),
    as_argument: &[&str],
    as_output: &[&str],
) {
    let argument = |schema: &Value, definitions: &Value| {
        document(&json!({"f": {"arguments": [argument("a", true, schema)]}}), definitions)
    };
    check(&argument(old, before), &argument(new, after), as_argument);
    let output = |schema: &Value, definitions: &Value| document(&json!({"f": {"output": value(schema)}}), definitions);
    check(&output(old, before), &output(new, after), as_output);
}

/// Only what the second adds to the first differs: going there and back.
#[track_caller]
fn wider(narrow: &Value, wide: &Value, widened: &str, narrowed: &str, place: &str) {
    let line = |rule: &str, of: &str, effects: &str| format!("{rule} f.{of}{place} {effects}");
    let (argument, output) = (line(widened, "a", "safe breaks"), line(widened, "output", "breaks safe"));
    types(narrow, wide, &[&argument], &[&output]);
    let (argument, output) = (line(narrowed, "a", "breaks safe"), line(narrowed, "output", "safe breaks"));
    types(wide, narrow, &[&argument], &[&output]);
}

fn integer(format: &str) -> Value {
    json!({"type": "integer", "format": format})
}

#[test]
fn integers() {
    for (narrow, wide) in
        [("int8", "int16"), ("int32", "int64"), ("uint8", "int16"), ("uint64", "int128"), ("uint64", "uint128")]
    {
        wider(&integer(narrow), &integer(wide), "integer-widened", "integer-narrowed", "");
    }
    let positive = json!({"type": "integer", "format": "uint8", "minimum": 1, "maximum": 255});
    wider(&positive, &integer("uint8"), "integer-widened", "integer-narrowed", "");
    types(&integer("int"), &integer("int64"), &[], &[]);
    let both = ["integer-narrowed f.a breaks safe", "integer-widened f.a safe breaks"];
    types(
        &integer("int32"),
        &integer("uint32"),
        &both,
        &["integer-narrowed f.output safe breaks", "integer-widened f.output breaks safe"],
    );
    let nonzero = json!({"type": "integer", "format": "int8", "not": {"const": 0}});
    wider(&nonzero, &integer("int8"), "constraint-loosened", "constraint-tightened", "");
    types(
        &positive,
        &json!({"type": "integer", "format": "int16", "not": {"const": 0}}),
        &["integer-widened f.a safe breaks"],
        &["integer-widened f.output breaks safe"],
    );
}

#[test]
fn numbers() {
    let (single, double) =
        (json!({"type": "number", "format": "float"}), json!({"type": "number", "format": "double"}));
    types(&single, &double, &["number-widened f.a safe risky"], &["number-widened f.output risky safe"]);
    types(&double, &single, &["number-narrowed f.a risky safe"], &["number-narrowed f.output safe risky"]);
    types(&integer("int32"), &double, &["type-changed f.a safe breaks"], &["type-changed f.output breaks safe"]);
    types(&integer("int64"), &double, &["type-changed f.a risky breaks"], &["type-changed f.output breaks risky"]);
    types(&integer("int32"), &single, &["type-changed f.a risky breaks"], &["type-changed f.output breaks risky"]);
    let bounded = json!({"type": "number", "format": "double", "minimum": 0.5});
    wider(&bounded, &double, "number-widened", "number-narrowed", "");
}

#[test]
fn null_and_the_like() {
    let text = json!({"type": "string"});
    wider(&text, &json!({"type": ["string", "null"]}), "nullable-added", "nullable-removed", "");
    wider(&text, &json!({"anyOf": [text, {"type": "null"}]}), "nullable-added", "nullable-removed", "");
    let (null, changed) = (json!({"type": "null"}), "type-changed f.a breaks breaks");
    types(&null, &text, &[changed], &["type-changed f.output breaks breaks"]);
    types(
        &null,
        &json!({"type": ["string", "null"]}),
        &["type-changed f.a safe breaks"],
        &["type-changed f.output breaks safe"],
    );
    types(&text, &json!({"type": "boolean"}), &[changed], &["type-changed f.output breaks breaks"]);
    types(
        &json!({"type": ["string", "null"], "enum": ["A", null]}),
        &json!({"type": "string", "enum": ["A"]}),
        &["nullable-removed f.a breaks safe"],
        &["nullable-removed f.output safe breaks"],
    );
}

#[test]
fn texts() {
    let text = json!({"type": "string"});
    for narrow in [
        json!({"type": "string", "minLength": 1, "maxLength": 1}),
        json!({"type": "string", "format": "uuid"}),
        json!({"type": "string", "pattern": "^a"}),
        json!({"type": "string", "not": {"const": "x"}}),
    ] {
        wider(&narrow, &text, "constraint-loosened", "constraint-tightened", "");
    }
    wider(
        &json!({"type": "string", "format": "ipv4"}),
        &json!({"type": "string", "format": "ip"}),
        "constraint-loosened",
        "constraint-tightened",
        "",
    );
    let pattern = |pattern: &str| json!({"type": "string", "pattern": pattern});
    types(
        &pattern("a"),
        &pattern("b"),
        &["constraint-loosened f.a safe breaks", "constraint-tightened f.a breaks safe"],
        &["constraint-loosened f.output breaks safe", "constraint-tightened f.output safe breaks"],
    );
    wider(&json!({"type": "string", "enum": ["A", "B"]}), &text, "type-changed", "type-changed", "");
}

fn object(properties: &Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required})
}

#[test]
fn fields() {
    let (text, flag) = (json!({"type": "string"}), json!({"type": "boolean"}));
    let one = object(&json!({ "x": text }), &["x"]);
    let two = object(&json!({"x": text, "y": flag}), &["x", "y"]);
    let some = object(&json!({"x": text, "y": flag}), &["x"]);
    types(&one, &two, &["field-added-required f.a.y breaks risky"], &["field-added f.output.y safe breaks"]);
    types(&two, &one, &["field-removed f.a.y risky breaks"], &["field-removed f.output.y breaks safe"]);
    types(&one, &some, &["field-added f.a.y safe risky"], &["field-added f.output.y safe safe"]);
    types(&some, &one, &["field-removed f.a.y risky safe"], &["field-removed f.output.y safe safe"]);
    wider(&two, &some, "field-optional", "field-required", ".y");
    let option = object(&json!({"x": text, "y": {"type": ["boolean", "null"]}}), &["x"]);
    wider(&two, &option, "field-optional", "field-required", ".y");
    let null = object(&json!({"x": text, "y": {"type": ["boolean", "null"]}}), &["x", "y"]);
    types(&one, &null, &["field-added-required f.a.y breaks risky"], &["field-added f.output.y safe risky"]);
    let mut strict = one.clone();
    strict["additionalProperties"] = false.into();
    types(&strict, &some, &["field-added f.a.y safe breaks"], &["field-added f.output.y breaks safe"]);
    types(&some, &strict, &["field-removed f.a.y breaks safe"], &["field-removed f.output.y safe breaks"]);
    types(&one, &strict, &[], &[]);
}

#[test]
fn maps() {
    let map = |schema: &Value| json!({"type": "object", "additionalProperties": schema});
    wider(&map(&integer("int8")), &map(&integer("int16")), "integer-widened", "integer-narrowed", "{}");
    let numbers = |pattern: &str, format: &str| json!({"type": "object", "patternProperties": {pattern: integer(format)}, "additionalProperties": false});
    let (unsigned, signed) = (r"^\d+$", r"^-?\d+$");
    wider(&numbers(unsigned, "int8"), &numbers(signed, "int8"), "map-keys-changed", "map-keys-changed", "{}");
    wider(&numbers(unsigned, "int8"), &map(&integer("int8")), "map-keys-changed", "map-keys-changed", "{}");
    wider(&numbers(unsigned, "int8"), &numbers(unsigned, "int16"), "integer-widened", "integer-narrowed", "{}");
    let fields = object(&json!({"1": integer("int8"), "x": integer("int8")}), &["1", "x"]);
    types(
        &fields,
        &map(&integer("int8")),
        &["field-removed f.a.1 safe breaks", "field-removed f.a.x safe breaks", "type-changed f.a{} safe risky"],
        &[
            "field-removed f.output.1 breaks safe",
            "field-removed f.output.x breaks safe",
            "type-changed f.output{} safe safe",
        ],
    );
    let keyed = json!({"type": "object", "properties": {"A": integer("int8")}, "additionalProperties": false});
    let more = json!({"type": "object", "properties": {"A": integer("int8"), "B": integer("int8")}, "additionalProperties": false});
    types(&keyed, &more, &["field-added f.a.B safe breaks"], &["field-added f.output.B breaks safe"]);
}

#[test]
fn lists() {
    let list = |format: &str| json!({"type": "array", "items": integer(format)});
    wider(&list("int8"), &list("int16"), "integer-widened", "integer-narrowed", "[]");
    let set = json!({"type": "array", "items": integer("int8"), "uniqueItems": true});
    types(&list("int8"), &set, &["constraint-tightened f.a risky safe"], &["constraint-tightened f.output safe risky"]);
    let exactly = |count: u8| json!({"type": "array", "items": integer("int8"), "minItems": count, "maxItems": count});
    types(&exactly(2), &exactly(3), &["length-changed f.a breaks breaks"], &["length-changed f.output breaks breaks"]);
    wider(&exactly(2), &list("int8"), "length-changed", "length-changed", "");
    let tuple = |items: &[Value]| json!({"type": "array", "prefixItems": items, "minItems": items.len(), "maxItems": items.len()});
    let text = json!({"type": "string"});
    wider(
        &tuple(&[integer("int8"), text.clone()]),
        &tuple(&[integer("int16"), text.clone()]),
        "integer-widened",
        "integer-narrowed",
        "[0]",
    );
    types(
        &tuple(std::slice::from_ref(&text)),
        &tuple(&[text.clone(), text.clone()]),
        &["length-changed f.a breaks breaks"],
        &["length-changed f.output breaks breaks"],
    );
    types(&exactly(2), &tuple(&[integer("int8"), integer("int8")]), &[], &[]);
    let bare = json!({"type": "array", "maxItems": 0});
    types(&bare, &bare, &[], &[]);
}

#[test]
fn enums() {
    let unit = |name: &str| json!({"type": "string", "const": name});
    let external = |name: &str, schema: &Value| json!({"type": "object", "properties": {name: schema}, "required": [name], "additionalProperties": false});
    let internal = |name: &str| object(&json!({"kind": unit(name), "x": integer("int8")}), &["kind", "x"]);
    let names = |names: &[&str]| json!({"type": "string", "enum": names});
    let one_of = |all: &[Value]| json!({ "oneOf": all });

    wider(&names(&["A"]), &names(&["A", "B"]), "variant-added", "variant-removed", ":B");
    types(&one_of(&[unit("A"), unit("B")]), &names(&["B", "A"]), &[], &[]);
    let (a, b) = (external("A", &integer("int8")), external("B", &integer("int8")));
    wider(
        &one_of(&[names(&["C"]), a.clone()]),
        &one_of(&[names(&["C"]), a.clone(), b]),
        "variant-added",
        "variant-removed",
        ":B",
    );
    wider(
        &one_of(&[names(&["C"]), a.clone()]),
        &one_of(&[names(&["C"]), external("A", &integer("int16"))]),
        "integer-widened",
        "integer-narrowed",
        ":A",
    );
    types(
        &one_of(&[unit("C"), unit("A")]),
        &one_of(&[unit("C"), a.clone()]),
        &["type-changed f.a:A breaks breaks"],
        &["type-changed f.output:A breaks breaks"],
    );
    let renamed = one_of(&[names(&["C"]), external("D", &integer("int8"))]);
    types(
        &one_of(&[names(&["C"]), a.clone()]),
        &renamed,
        &["variant-removed f.a:A breaks safe", "variant-added f.a:D safe breaks"],
        &["variant-removed f.output:A safe breaks", "variant-added f.output:D breaks safe"],
    );

    let tagged = one_of(&[internal("A"), internal("B")]);
    wider(&one_of(&[internal("A")]), &tagged, "variant-added", "variant-removed", ":B");
    let changed = (&["tagging-changed f.a breaks breaks"][..], &["tagging-changed f.output breaks breaks"][..]);
    types(&one_of(&[a.clone(), external("B", &integer("int8"))]), &tagged, changed.0, changed.1);
    let untagged = json!({"anyOf": [object(&json!({"x": integer("int8")}), &["x"]), {"type": "boolean"}]});
    types(&tagged, &untagged, changed.0, changed.1);
    let other = |name: &str| object(&json!({"type": unit(name), "x": integer("int8")}), &["type", "x"]);
    types(&tagged, &one_of(&[other("A"), other("B")]), changed.0, changed.1);

    let scalars = |all: &[&str]| json!({ "anyOf": all.iter().map(|ty| json!({ "type": ty })).collect::<Vec<_>>() });
    wider(
        &json!({"type": "string"}),
        &scalars(&["string", "boolean"]),
        "variant-added",
        "variant-removed",
        ":a truth value",
    );
    let nullable = json!({"anyOf": [tagged, {"type": "null"}]});
    wider(&tagged, &nullable, "nullable-added", "nullable-removed", "");
}

#[test]
fn references() {
    let item = |format: &str, next: bool| {
        let mut properties = json!({ "x": integer(format) });
        if next {
            properties["next"] = json!({"anyOf": [{"$ref": "#/definitions/input/Item"}, {"type": "null"}]});
        }
        json!({"input": {"Item": object(&properties, &["x"])}})
    };
    let item_ref = json!({"$ref": "#/definitions/input/Item"});
    let (old, new) = (item("int8", true), item("int16", true));
    with_definitions((&item_ref, &old), (&item_ref, &old), &[], &[]);
    with_definitions(
        (&item_ref, &old),
        (&item_ref, &new),
        &["integer-widened f.a.x safe breaks"],
        &["integer-widened f.output.x breaks safe"],
    );
    // A definition is its contents, whatever its name is.
    with_definitions(
        (&item_ref, &item("int8", false)),
        (&object(&json!({"x": integer("int8")}), &["x"]), &json!({})),
        &[],
        &[],
    );
    let circle = json!({"input": {"Item": {"$ref": "#/definitions/input/Item"}}});
    let unprovable = (&["unprovable f.a breaks breaks"][..], &["unprovable f.output breaks breaks"][..]);
    with_definitions((&item_ref, &circle), (&item_ref, &circle), unprovable.0, unprovable.1);
    // A document that is read has no such reference; one that is put together may.
    let mut nowhere = document(&json!({"f": {"arguments": [argument("a", true, &item_ref)]}}), &old);
    nowhere.definitions.input.clear();
    check(&nowhere, &nowhere, unprovable.0);
}

#[test]
fn a_type_of_types_without_end_is_compared_in_bounds() {
    let link = |n: usize| json!({"$ref": format!("#/definitions/input/T{}", n % 997)});
    let ty = |n: usize| object(&json!({"a": link(n + 1), "b": link(n * 3 + 2), "c": link(n * 7 + 3)}), &["a"]);
    let all: serde_json::Map<String, Value> = (0..997).map(|n| (format!("T{n}"), ty(n))).collect();
    let definitions = json!({ "input": all });
    let first = document(&json!({"f": {"arguments": [argument("a", true, &link(0))]}}), &definitions);
    let found = super::compare(&first, &first);
    assert!(found.iter().all(|one| one.rule == crate::contract::compare::Rule::Unprovable), "{found:?}");
}

#[test]
fn tags_beside_what_they_tag() {
    let definitions = json!({"input": {"Parcel": object(&json!({"street": {"type": "string"}}), &["street"])}});
    let tag = |name: &str| json!({"type": "string", "const": name});
    let variant = |name: &str| json!({"type": "object", "$ref": "#/definitions/input/Parcel", "properties": {"kind": tag(name)}, "required": ["kind"]});
    let inline = object(&json!({"kind": tag("parcel"), "street": {"type": "string"}}), &["kind", "street"]);
    let old = json!({"oneOf": [variant("parcel"), variant("letter")]});
    let new = json!({"oneOf": [inline, variant("letter")]});
    with_definitions((&old, &definitions), (&new, &definitions), &[], &[]);
    // An enum that is flattened into a struct.
    let flat = |format: &str| {
        json!({
            "type": "object", "properties": {"id": integer("int8")}, "required": ["id"],
            "oneOf": [object(&json!({"kind": tag("a"), "x": integer(format)}), &["kind", "x"]), object(&json!({"kind": tag("b")}), &["kind"])],
        })
    };
    wider(&flat("int8"), &flat("int16"), "integer-widened", "integer-narrowed", ":a.x");
}

#[test]
fn what_cannot_be_proved() {
    let anything = Value::Bool(true);
    let text = json!({"type": "string"});
    let undescribed = (&["undescribed f.a breaks breaks"][..], &["undescribed f.output breaks breaks"][..]);
    types(&anything, &anything, undescribed.0, undescribed.1);
    types(&text, &anything, undescribed.0, undescribed.1);
    types(&json!({"description": "a thing"}), &text, undescribed.0, undescribed.1);
    let odd = json!({"type": "string", "oddity": 1});
    types(&odd, &odd, &[], &[]);
    wider(&odd, &text, "unprovable", "unprovable", "");
    types(
        &odd,
        &json!({"type": "string", "oddity": 2}),
        &["unprovable f.a breaks breaks"],
        &["unprovable f.output breaks breaks"],
    );
    let untyped = json!({"minLength": 1});
    types(&untyped, &text, undescribed.0, undescribed.1);
    let both = json!({"allOf": [{"type": "string", "minLength": 1}, {"type": "string", "maxLength": 2}]});
    types(&both, &both, &["unprovable f.a breaks breaks"], &["unprovable f.output breaks breaks"]);
    types(&json!({"type": "thing"}), &text, &["unprovable f.a breaks breaks"], &["unprovable f.output breaks breaks"]);
}
