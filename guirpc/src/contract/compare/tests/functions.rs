//! Services, functions and arguments.

use serde_json::{Value, json};

use super::{argument, check, document, value};
use crate::contract::Contract;

fn function(function: &Value) -> Contract {
    document(&json!({ "f": function }), &json!({}))
}

#[test]
fn functions() {
    let none = document(&json!({}), &json!({}));
    let integer = argument("n", true, &json!({"type": "integer"}));
    let old = function(&json!({"arguments": [integer]}));
    check(&old, &none, &["function-removed f breaks safe"]);
    check(&none, &old, &["function-added f safe breaks"]);
    let deprecated = function(&json!({"arguments": [integer], "deprecated": ""}));
    check(&old, &deprecated, &["function-deprecated f safe safe"]);
    check(&deprecated, &none, &["deprecated-function-removed f risky safe"]);
    let renamed = document(&json!({"g": {"arguments": [integer]}}), &json!({}));
    check(&old, &renamed, &["function-removed f breaks safe", "function-added g safe breaks"]);
    let hint = super::compare(&old, &renamed)[0].hint.clone();
    assert_eq!(hint.as_deref(), Some("`g` is new and looks the same: is it its new name?"));
    let mut elsewhere = old.clone();
    elsewhere.service = "t".to_owned();
    check(&old, &elsewhere, &["service-renamed s breaks breaks"]);
}

#[test]
fn arguments() {
    let text = json!({"type": "string"});
    let optional = json!({"type": ["string", "null"]});
    let of = |arguments: &[Value]| function(&json!({ "arguments": arguments }));
    let (a, b) = (argument("a", true, &text), argument("b", true, &json!({"type": "boolean"})));
    let one = of(std::slice::from_ref(&a));
    check(&one, &of(&[a.clone(), b.clone()]), &["argument-added-required f.b breaks risky"]);
    check(&one, &of(&[a.clone(), argument("b", false, &optional)]), &["argument-added f.b safe risky"]);
    check(&of(&[a.clone(), b.clone()]), &one, &["argument-removed f.b risky breaks"]);
    check(&of(&[a.clone(), argument("b", false, &optional)]), &one, &["argument-removed f.b risky safe"]);
    check(&of(&[a.clone(), b.clone()]), &of(&[b.clone(), a.clone()]), &["arguments-reordered f risky risky"]);
    check(&one, &of(&[argument("a", false, &optional)]), &["argument-optional f.a safe breaks"]);
    check(&of(&[argument("a", false, &optional)]), &one, &["argument-required f.a breaks safe"]);
    let renamed = of(&[argument("c", true, &text)]);
    check(&one, &renamed, &["argument-removed f.a risky breaks", "argument-added-required f.c breaks risky"]);
    assert!(super::compare(&one, &renamed)[0].hint.as_deref().is_some_and(|hint| hint.contains("`c` is new")));
    let taken = |ty: &str| of(&[argument("output", true, &json!({ "type": ty }))]);
    check(&taken("string"), &taken("boolean"), &["type-changed f.arguments.output breaks breaks"]);
}

#[test]
fn errors() {
    let of = |status: u16, schema: &Value| {
        let mut error = value(schema);
        error["status"] = status.into();
        function(&json!({ "error": error }))
    };
    let (none, text) = (function(&json!({})), json!({"type": "string"}));
    check(&none, &of(422, &text), &["error-added f.error breaks safe"]);
    check(&of(422, &text), &none, &["error-removed f.error safe breaks"]);
    check(&of(422, &text), &of(409, &text), &["error-status-changed f.error risky risky"]);
    let enumerated = |names: &[&str]| of(422, &json!({"type": "string", "enum": names}));
    check(&enumerated(&["A"]), &enumerated(&["A", "B"]), &["variant-added f.error:B breaks safe"]);
    check(&enumerated(&["A", "B"]), &enumerated(&["A"]), &["variant-removed f.error:B safe breaks"]);
}

#[test]
fn attributes() {
    let plain = function(&json!({}));
    let both_ways = |other: &Value, there: &[&str], back: &[&str]| {
        check(&plain, &function(other), there);
        check(&function(other), &plain, back);
    };
    both_ways(
        &json!({"idempotent": true}),
        &["idempotent-granted f safe breaks"],
        &["idempotent-withdrawn f breaks safe"],
    );
    both_ways(&json!({"ack": "early"}), &["ack-changed f risky risky"], &["ack-changed f risky risky"]);
    both_ways(&json!({"lane": "slow"}), &["lane-changed f safe breaks"], &["lane-changed f breaks safe"]);
    both_ways(&json!({"timeout_ms": 60_000}), &["timeout-changed f risky safe"], &["timeout-changed f safe risky"]);
    both_ways(&json!({"timeout_ms": 500}), &["timeout-changed f safe risky"], &["timeout-changed f risky safe"]);
    both_ways(&json!({"timeout_ms": 10_000}), &["timeout-changed f safe safe"], &["timeout-changed f safe safe"]);
    both_ways(&json!({"coalesce": true}), &["coalesce-changed f safe safe"], &["coalesce-changed f safe safe"]);
    let python = json!({"python": {
        "request": "TextSerializer", "response": "JsonSerializer", "request_codec": "utf-8", "response_codec": "utf-8",
    }});
    both_ways(&python, &["python-changed f breaks breaks"], &["python-changed f breaks breaks"]);
}

#[test]
fn a_lane_that_others_keep_is_still_served() {
    let of = |lane: &str, other: &str| document(&json!({"f": {"lane": lane}, "g": {"lane": other}}), &json!({}));
    check(&of("a", "a"), &of("b", "a"), &["lane-changed f safe breaks"]);
    check(&of("a", "b"), &of("b", "b"), &["lane-changed f breaks safe"]);
    check(&of("a", "b"), &of("b", "a"), &["lane-changed f safe safe", "lane-changed g safe safe"]);
}
