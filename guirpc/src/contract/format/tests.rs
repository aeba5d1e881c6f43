//! Goldens of the shop's contract, and what holds for every contract.
//!
//! `GUIRPC_BLESS=1 cargo test -p guirpc --features schema contract` rewrites them.

use std::path::Path;
use std::{env, fs};

use serde_json::Value;

use super::*;

/// The contract of `tests/contracts/service.rs`.
pub(super) const SHOP: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/contracts/shop.json"));

fn shop() -> Contract {
    Contract::from_json(SHOP).unwrap()
}

#[track_caller]
fn check_golden(format: Format, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/contracts").join(name);
    let text = shop().to_format(format);
    if env::var_os("GUIRPC_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{format} differs from {}", path.display());
}

#[test]
fn asyncapi_is_as_it_was() {
    check_golden(Format::AsyncApi, "shop.asyncapi.json");
}

#[test]
fn openapi_is_as_it_was() {
    check_golden(Format::OpenApi, "shop.openapi.json");
}

#[test]
fn markdown_is_as_it_was() {
    check_golden(Format::Markdown, "shop.md");
}

#[test]
fn its_own_format_is_the_document() {
    assert_eq!(Contract::from_json(&shop().to_format(Format::Guirpc)), Ok(shop()));
}

/// Every `$ref` in a document, wherever it stands.
fn references(document: &Value) -> Vec<&str> {
    let inner = match document {
        Value::Object(members) => members.values().flat_map(references).collect(),
        Value::Array(values) => values.iter().flat_map(references).collect(),
        _ => Vec::new(),
    };
    document.get("$ref").and_then(Value::as_str).into_iter().chain(inner).collect()
}

/// A contract whose names are none of the characters that keys, paths and anchors have.
fn awkward() -> Contract {
    let mut contract = shop();
    "a b/{c}".clone_into(&mut contract.service);
    for (old, new) in [("add", "a/b"), ("find", "a b"), ("reset", "fault")] {
        let mut function = contract.functions.remove(old).unwrap();
        function.lane = function.lane.map(|_| "the lane".to_owned());
        contract.functions.insert(new.to_owned(), function);
    }
    let renamed = |text: String| text.replace("Receipt", "Receipt~1of <A>");
    let text = renamed(serde_json::to_string(&contract).unwrap());
    let mut contract: Contract = serde_json::from_str(&text).unwrap();
    // A name in a reference is escaped, as a key it is not.
    let receipt = contract.definitions.output.remove("Receipt~1of <A>").unwrap();
    contract.definitions.output.insert("Receipt/of <A>".to_owned(), receipt);
    contract
}

#[test]
fn every_reference_points_at_something() {
    for contract in [shop(), awkward()] {
        for format in [Format::AsyncApi, Format::OpenApi] {
            let document: Value = serde_json::from_str(&contract.to_format(format)).unwrap();
            let references = references(&document);
            assert!(references.len() > 10, "{format}: {references:?}");
            for reference in references {
                let target = document.pointer(reference.trim_start_matches('#'));
                assert!(target.is_some(), "{format}: nothing is at {reference}");
            }
        }
    }
}

#[test]
fn every_link_points_at_something() {
    for contract in [shop(), awkward()] {
        let page = contract.to_format(Format::Markdown);
        let links: Vec<&str> =
            page.split("](#").skip(1).filter_map(|rest| rest.split_once(')')).map(|(anchor, _)| anchor).collect();
        assert!(links.len() > 10, "{page}");
        for anchor in links {
            assert_eq!(page.matches(&format!("<a id=\"{anchor}\"></a>")).count(), 1, "{anchor}");
        }
    }
}

#[test]
fn names_are_escaped_where_they_have_to_be() {
    let document: Value = serde_json::from_str(&awkward().to_format(Format::OpenApi)).unwrap();
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths[..2], ["/a%20b%2F%7Bc%7D/a%20b", "/a%20b%2F%7Bc%7D/a%2Fb"]);
    let document: Value = serde_json::from_str(&awkward().to_format(Format::AsyncApi)).unwrap();
    let operations: Vec<&String> = document["operations"].as_object().unwrap().keys().collect();
    assert_eq!(operations, ["a_b", "a_b_2", "checksum", "fail", "fault", "opaque", "place"]);
    assert_eq!(document["channels"]["requests.the_lane"]["address"], "a b/{c}.the lane");
}

#[test]
fn a_type_that_differs_by_direction_is_two() {
    let document: Value = serde_json::from_str(&shop().to_format(Format::OpenApi)).unwrap();
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["Order"]["properties"]["article"]["$ref"], "#/components/schemas/ArticleInput");
    let find = &document["paths"]["/shop/find"]["post"];
    let output = &find["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(output["items"]["$ref"], "#/components/schemas/ArticleOutput");
    assert_eq!(find["deprecated"], true);
    let place = &document["paths"]["/shop/place"]["post"]["responses"];
    assert_eq!(place["422"]["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/PlaceError");
}
