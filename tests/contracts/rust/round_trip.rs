//! What each type of the crate reads, it writes again.

use std::any::type_name;
use std::fmt::Debug;

use a_strange_service_client::{CONTRACT, types};
use guirpc::Function;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn check<T: Serialize + DeserializeOwned + Debug>(samples: &[&str]) {
    for sample in samples {
        let name = type_name::<T>();
        let read: T = serde_json::from_str(sample).unwrap_or_else(|error| panic!("{name}: {sample}: {error}"));
        let written = serde_json::to_value(&read).unwrap_or_else(|error| panic!("{name}: {read:?}: {error}"));
        let expected: Value = serde_json::from_str(sample).unwrap_or_default();
        assert_eq!(written, expected, "{name}: {read:?}");
    }
}

#[expect(deprecated, reason = "the contract says so")]
fn names() {
    assert_eq!(<a_strange_service_client::match_ as Function>::NAME, "match");
    assert_eq!(<a_strange_service_client::u8_ as Function>::NAME, "u8");
    assert_eq!(<a_strange_service_client::get_all_of_it as Function>::NAME, "getAll-of.it");
    assert_eq!(<a_strange_service_client::match_ as Function>::SERVICE, "a.strange service");
    assert_eq!(<a_strange_service_client::match_ as Function>::LANE, Some("a \"lane\""));
}

fn main() {
    assert_eq!(CONTRACT, "0123456789abcdef0123456789abcdef");
    names();
    check::<types::Tree>(&[
        r#"{"leaf": "a", "children": []}"#,
        r#"{"leaf": 18446744073709551615, "left": {"leaf": 0.5, "children": []}, "children": [{"leaf": [], "children": []}]}"#,
    ]);
    check::<types::Adjacent>(&[
        r#"{"t": "none"}"#,
        r#"{"t": "one", "c": -5}"#,
        r#"{"t": "two", "c": [true, "a"]}"#,
        r#"{"t": "named", "c": {"fieldWithALongName": "a"}}"#,
    ]);
    check::<types::Internal>(&[
        r#"{"type": "tree", "leaf": "a", "children": []}"#,
        r#"{"type": "map", "a": 0.5}"#,
        r#"{"type": "unit"}"#,
    ]);
    check::<types::Untagged>(&[r#"{"a": "b"}"#, r#"{"a": "b", "b": true}"#, r#"["a", true]"#, "null"]);
    check::<types::Flat>(&[
        r#"{"id": -1, "A": null, "empty": "", "zero": 0.0}"#,
        r#"{"id": 1, "B": "b", "count": 6, "empty": "a", "zero": 1.5}"#,
    ]);
    check::<types::Extended>(&[r#"{"id": 1, "more": [{}]}"#]);
    check::<types::Empty>(&["{}"]);
    check::<types::Meters>(&["1.5"]);
    check::<types::Matrix>(&["[[1.0, 2.0], [3.0, 0.25]]"]);
    check::<types::SignedForInt64>(&[r#"{"-9223372036854775808": true}"#]);
    check::<types::Documented>(&[r#""A""#, r#"{"B": {"x": true}}"#, r#""C""#, r#""HTTP_ERROR""#, r#""self""#]);
    check::<types::Short>(&[r#"{"A": {"x": true}}"#, r#""B""#]);
    check::<types::OptionType>(&[r#""Some""#]);
    check::<types::StrangeNameOfIt>(&[r#"{"again": [{"again": []}]}"#]);
    check::<types::ReplyType>(&[r#"{"option": "None"}"#, r#"{"option": null}"#]);
    check::<types::SearchResult>(&[r#"{"hits": [1, "a", null], "next": 5}"#]);
    check::<types::FailsError>(&[r#"["a"]"#]);
    println!("every type was written as it was read");
}
