//! Which arguments there are, in which order, and which may be left out.

use super::pairs;

pairs! {
    nothing_changes: [] {
        old { fn(a: i64, b: &str) -> [String] { format!("{a} {b}") } (1, "x") }
        new { fn(a: i64, b: &str) -> [String] { format!("{a} {b}") } (1, "x") }
    }
    a_borrowed_text_is_owned: [] {
        old { fn(text: &str) -> [String] { text.to_owned() } ("x") }
        new { fn(text: String) -> [String] { text } ("x".to_owned()) }
    }
    borrowed_bytes_are_owned: [] {
        old { fn(data: &[u8]) -> [usize] { data.len() } (b"abc") }
        new { fn(data: Vec<u8>) -> [usize] { data.len() } (vec![1, 2, 3]) }
    }
    function_removed: ["function-removed - breaks safe"] {
        old { fn() -> [u8] { 1 } () }
    }
    function_added: ["function-added - safe breaks"] {
        new { fn() -> [u8] { 1 } () }
    }
    argument_added_required: ["argument-added-required .b breaks risky"] {
        old { fn(a: u8) -> [String] { format!("{a}") } (1) }
        new { fn(a: u8, b: u8) -> [String] { format!("{a} {b}") } (1, 2) }
    }
    argument_added_optional: ["argument-added .b safe risky"] {
        old { fn(a: u8) -> [String] { format!("{a}") } (1) }
        new {
            fn(a: u8, b: Option<u8>) -> [String] { b.map_or(format!("{a}"), |b| format!("{a} {b}")) }
            (1, Some(2))
        }
    }
    first_argument_added: ["argument-added-required .a breaks risky"] {
        old { fn() -> [String] { "nothing".to_owned() } () }
        new { fn(a: u8) -> [String] { a.to_string() } (1) }
    }
    argument_removed: ["argument-removed .b risky breaks"] {
        old { fn(a: u8, b: u8) -> [String] { format!("{a} {b}") } (1, 2) }
        new { fn(a: u8) -> [String] { format!("{a}") } (1) }
    }
    optional_argument_removed: ["argument-removed .b risky safe"] {
        old {
            fn(a: u8, b: Option<u8>) -> [String] { b.map_or(format!("{a}"), |b| format!("{a} {b}")) }
            (1, Some(2))
        }
        new { fn(a: u8) -> [String] { format!("{a}") } (1) }
    }
    argument_renamed: ["argument-removed .a risky breaks", "argument-added-required .b breaks risky", "really callers fails", "really servers fails"] {
        old { fn(a: u8) -> [u8] { a } (1) }
        new { fn(b: u8) -> [u8] { b } (1) }
    }
    arguments_reordered_in_a_list: ["arguments-reordered - risky risky"] {
        old { fn(a: u8, b: u8) -> [String] { format!("{a} {b}") } json [1, 2] }
        new { fn(b: u8, a: u8) -> [String] { format!("{a} {b}") } json [1, 2] }
    }
    arguments_reordered_by_name: [
        "arguments-reordered - risky risky",
        "really callers intact, stubs call by name",
        "really servers intact",
    ] {
        old { fn(a: u8, b: u8) -> [String] { format!("{a} {b}") } (1, 2) }
        new { fn(b: u8, a: u8) -> [String] { format!("{a} {b}") } (2, 1) }
    }
    argument_required: ["argument-required .a breaks safe"] {
        old { fn(a: Option<u8>) -> [u8] { a.unwrap_or_default() } (None) }
        new { fn(a: u8) -> [u8] { a } (1) }
    }
    argument_optional: ["argument-optional .a safe breaks"] {
        old { fn(a: u8) -> [u8] { a } (1) }
        new { fn(a: Option<u8>) -> [u8] { a.unwrap_or_default() } (None) }
    }
    argument_optional_by_name: ["argument-optional .b safe breaks"] {
        old { fn(a: u8, b: u8) -> [String] { format!("{a} {b}") } (1, 0) }
        new { fn(a: u8, b: Option<u8>) -> [String] { format!("{a} {}", b.unwrap_or_default()) } json {"a": 1} }
    }
    arguments_called_as_places_are: ["type-changed .arguments.output breaks breaks"] {
        old { fn(output: u8) -> [String] { output.to_string() } (1) }
        new { fn(output: &str) -> [String] { output.to_owned() } ("x") }
    }
    anything: [
        "undescribed .value breaks breaks",
        "really callers intact, a value is whatever it is",
        "really servers intact",
    ] {
        old { fn(value: serde_json::Value) -> [String] { value.to_string() } (serde_json::json!([1, "x"])) }
        new { fn(value: serde_json::Value) -> [String] { value.to_string() } (serde_json::json!([1, "x"])) }
    }
}
