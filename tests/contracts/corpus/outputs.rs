//! What functions return: servers write it, so the same changes break others.

use super::pairs;

pairs! {
    output_widened: ["integer-widened .output breaks safe"] {
        old { fn() -> [u8] { 7 } () }
        new { fn() -> [u32] { 1000 } () }
    }
    output_narrowed: ["integer-narrowed .output safe breaks"] {
        old { fn() -> [i64] { 1 << 40 } () }
        new { fn() -> [i32] { 7 } () }
    }
    output_for_nothing: ["type-changed .output breaks breaks"] {
        old { fn() {} () }
        new { fn() -> [u8] { 7 } () }
    }
    output_as_an_option: ["nullable-added .output breaks safe"] {
        old { fn() -> [u8] { 7 } () }
        new { fn() -> [Option<u8>] { None } () }
    }
    output_no_option_any_more: ["nullable-removed .output safe breaks"] {
        old { fn() -> [Option<u8>] { None } () }
        new { fn() -> [u8] { 7 } () }
    }
    output_in_a_list: ["type-changed .output breaks breaks"] {
        old { fn() -> [u8] { 7 } () }
        new { fn() -> [Vec<u8>] { vec![7] } () }
    }
    output_as_a_float: ["type-changed .output breaks safe"] {
        old { fn() -> [i32] { 7 } () }
        new { fn() -> [f64] { 7.5 } () }
    }
    output_rounded: ["number-widened .output risky safe"] {
        old { fn() -> [f32] { 0.5 } () }
        new { fn() -> [f64] { 0.1 } () }
    }
    output_as_bytes: [] {
        old { fn() -> [Vec<u8>] { vec![1, 2] } () }
        new { fn() -> [std::collections::VecDeque<u8>] { [1, 2].into() } () }
    }
    output_field_removed: ["field-removed .output.b breaks safe"] {
        old { [struct O { a: u8, b: u8 }] fn() -> [O] { O { a: 1, b: 2 } } () }
        new { [struct O { a: u8 }] fn() -> [O] { O { a: 1 } } () }
    }
    output_option_removed: ["field-removed .output.b breaks safe", "really callers altered, stubs read a null"] {
        old { [struct O { a: u8, b: Option<u8> }] fn() -> [O] { O { a: 1, b: Some(2) } } () }
        new { [struct O { a: u8 }] fn() -> [O] { O { a: 1 } } () }
    }
    output_field_added: ["field-added .output.b safe breaks"] {
        old { [struct O { a: u8 }] fn() -> [O] { O { a: 1 } } () }
        new { [struct O { a: u8, b: u8 }] fn() -> [O] { O { a: 1, b: 2 } } () }
    }
    output_option_added: ["field-added .output.b safe risky"] {
        old { [struct O { a: u8 }] fn() -> [O] { O { a: 1 } } () }
        new { [struct O { a: u8, b: Option<u8> }] fn() -> [O] { O { a: 1, b: Some(2) } } () }
    }
    output_field_added_where_none_may_be: ["field-added .output.b breaks breaks"] {
        old { [#[serde(deny_unknown_fields)] struct O { a: u8 }] fn() -> [O] { O { a: 1 } } () }
        new { [struct O { a: u8, b: u8 }] fn() -> [O] { O { a: 1, b: 2 } } () }
    }
    output_field_optional: ["field-optional .output.a breaks safe"] {
        old { [struct O { a: u8 }] fn() -> [O] { O { a: 0 } } () }
        new {
            [struct O { #[serde(default, skip_serializing_if = "crate::corpus::is_zero")] a: u8 }]
            fn() -> [O] { O { a: 0 } } ()
        }
    }
    output_field_required: ["field-required .output.a safe breaks"] {
        old {
            [struct O { #[serde(default, skip_serializing_if = "crate::corpus::is_zero")] a: u8 }]
            fn() -> [O] { O { a: 0 } } ()
        }
        new { [struct O { a: u8 }] fn() -> [O] { O { a: 0 } } () }
    }
    output_field_with_a_default: [
        "field-removed .output.b breaks safe",
        "really callers altered, a stub does without the field",
    ] {
        old { [struct O { a: u8, #[serde(default)] b: u8 }] fn() -> [O] { O { a: 1, b: 2 } } () }
        new { [struct O { a: u8 }] fn() -> [O] { O { a: 1 } } () }
    }
    output_field_null: ["nullable-added .output.a breaks safe"] {
        old { [struct O { a: u8 }] fn() -> [O] { O { a: 0 } } () }
        new { [struct O { a: Option<u8> }] fn() -> [O] { O { a: None } } () }
    }
    output_item_widened: ["integer-widened .output[].a breaks safe"] {
        old { [struct O { a: u8 }] fn() -> [Vec<O>] { vec![O { a: 0 }] } () }
        new { [struct O { a: u16 }] fn() -> [Vec<O>] { vec![O { a: 300 }] } () }
    }
}
