//! Differences, as they are found between two documents.
//!
//! Each line says what is expected as `rule place callers servers`.

use serde_json::{Value, json};

use super::{Direction, compare};
use crate::contract::Contract;

mod functions;
mod types;

/// A document with these functions and definitions, and the rest as in most.
fn document(functions: &Value, definitions: &Value) -> Contract {
    let mut functions = functions.clone();
    for function in functions.as_object_mut().unwrap().values_mut() {
        let function = function.as_object_mut().unwrap();
        let defaults = json!({
            "signature": "fn f()", "arguments": [], "output": value(&json!({"type": "null"})), "idempotent": false,
            "ack": "after-reply", "coalesce": false,
        });
        for (name, default) in defaults.as_object().unwrap() {
            function.entry(name).or_insert(default.clone());
        }
    }
    let document = json!({
        "contract": 1, "service": "s", "hash": "", "functions": functions, "definitions": definitions,
    });
    Contract::from_json(&document.to_string()).unwrap()
}

fn value(schema: &Value) -> Value {
    json!({"rust": "T", "schema": schema})
}

fn argument(name: &str, required: bool, schema: &Value) -> Value {
    json!({"name": name, "required": required, "rust": "T", "schema": schema})
}

#[track_caller]
fn check(old: &Contract, new: &Contract, expected: &[&str]) {
    let found: Vec<String> = compare(old, new)
        .iter()
        .map(|one| format!("{} {} {} {}", one.rule, one.place, one.callers.name(), one.servers.name()))
        .collect();
    assert_eq!(found, expected, "{:#?}", compare(old, new));
}

#[test]
fn a_contract_differs_from_itself_in_what_is_undescribed_only() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/contracts/shop.json");
    let shop = Contract::from_json(&std::fs::read_to_string(page).unwrap()).unwrap();
    let expected = ["undescribed opaque.output breaks breaks", "undescribed opaque.thing breaks breaks"];
    check(&shop, &shop, &expected);
}

#[test]
fn who_is_asked_about_decides() {
    let of = |ty: &str| {
        let schema = json!({"type": "integer", "format": ty});
        document(&json!({"f": {"arguments": [argument("a", true, &schema)]}}), &json!({}))
    };
    let narrowed = &compare(&of("int64"), &of("int32"))[0];
    assert!(narrowed.is_error(Direction::Callers) && narrowed.is_error(Direction::Both));
    assert!(!narrowed.is_error(Direction::Servers));
    assert_eq!(
        (narrowed.breaks(), narrowed.old.as_str(), narrowed.new.as_str()),
        ("callers", "an integer (int64)", "an integer (int32)")
    );
    let widened = &compare(&of("int32"), &of("int64"))[0];
    assert_eq!((widened.breaks(), widened.is_error(Direction::Callers)), ("servers", false));
}

#[test]
fn the_default_timeout_is_the_one_of_clients() {
    assert_eq!(u128::from(super::functions::DEFAULT_TIMEOUT_MS), guirpc::DEFAULT_TIMEOUT.as_millis());
}
