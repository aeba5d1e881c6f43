//! Fields of structs, as arguments.

use super::pairs;

pairs! {
    field_added_required: ["field-added-required .o.b breaks risky"] {
        old { [struct O { a: u8 }] fn(o: O) -> [String] { format!("{}", o.a) } (O { a: 1 }) }
        new { [struct O { a: u8, b: u8 }] fn(o: O) -> [String] { format!("{} {}", o.a, o.b) } (O { a: 1, b: 2 }) }
    }
    field_added_with_a_default: ["field-added .o.b safe risky"] {
        old { [struct O { a: u8 }] fn(o: O) -> [String] { format!("{} 0", o.a) } (O { a: 1 }) }
        new {
            [struct O { a: u8, #[serde(default)] b: u8 }]
            fn(o: O) -> [String] { format!("{} {}", o.a, o.b) } (O { a: 1, b: 2 })
        }
    }
    field_added_as_an_option: ["field-added .o.b safe risky"] {
        old { [struct O { a: u8 }] fn(o: O) -> [String] { format!("{} None", o.a) } (O { a: 1 }) }
        new {
            [struct O { a: u8, b: Option<u8> }]
            fn(o: O) -> [String] { format!("{} {:?}", o.a, o.b) } (O { a: 1, b: Some(2) })
        }
    }
    field_added_where_none_may_be: ["field-added .o.b safe breaks"] {
        old {
            [#[serde(deny_unknown_fields)] struct O { a: u8 }]
            fn(o: O) -> [String] { format!("{} None", o.a) } (O { a: 1 })
        }
        new {
            [#[serde(deny_unknown_fields)] struct O { a: u8, b: Option<u8> }]
            fn(o: O) -> [String] { format!("{} {:?}", o.a, o.b) } (O { a: 1, b: Some(2) })
        }
    }
    field_removed: ["field-removed .o.b risky breaks"] {
        old { [struct O { a: u8, b: u8 }] fn(o: O) -> [String] { format!("{} {}", o.a, o.b) } (O { a: 1, b: 2 }) }
        new { [struct O { a: u8 }] fn(o: O) -> [String] { format!("{}", o.a) } (O { a: 1 }) }
    }
    field_removed_where_none_may_be: ["field-removed .o.b breaks breaks"] {
        old { [struct O { a: u8, b: u8 }] fn(o: O) -> [String] { format!("{} {}", o.a, o.b) } (O { a: 1, b: 2 }) }
        new {
            [#[serde(deny_unknown_fields)] struct O { a: u8 }]
            fn(o: O) -> [String] { format!("{}", o.a) } (O { a: 1 })
        }
    }
    unknown_fields_refused: [] {
        old { [struct O { a: u8 }] fn(o: O) -> [u8] { o.a } (O { a: 1 }) }
        new { [#[serde(deny_unknown_fields)] struct O { a: u8 }] fn(o: O) -> [u8] { o.a } (O { a: 1 }) }
    }
    field_renamed: ["field-removed .o.a risky breaks", "field-added-required .o.b breaks risky"] {
        old { [struct O { a: u8 }] fn(o: O) -> [u8] { o.a } (O { a: 1 }) }
        new { [struct O { b: u8 }] fn(o: O) -> [u8] { o.b } (O { b: 1 }) }
    }
    field_renamed_by_an_attribute: [] {
        old { [struct O { a: u8 }] fn(o: O) -> [u8] { o.a } (O { a: 1 }) }
        new { [struct O { #[serde(rename = "a")] b: u8 }] fn(o: O) -> [u8] { o.b } (O { b: 1 }) }
    }
    field_renamed_with_an_alias: [
        "field-removed .o.a risky breaks",
        "field-added-required .o.b breaks risky",
        "really callers intact, an alias cannot be seen",
    ] {
        old { [struct O { a: u8 }] fn(o: O) -> [u8] { o.a } (O { a: 1 }) }
        new { [struct O { #[serde(alias = "a")] b: u8 }] fn(o: O) -> [u8] { o.b } (O { b: 1 }) }
    }
    field_required: ["field-required .o.a breaks safe"] {
        old {
            [struct O { #[serde(default, skip_serializing_if = "crate::corpus::is_zero")] a: u8 }]
            fn(o: O) -> [u8] { o.a } (O { a: 0 })
        }
        new { [struct O { a: u8 }] fn(o: O) -> [u8] { o.a } (O { a: 1 }) }
    }
    field_optional: ["field-optional .o.a safe breaks"] {
        old { [struct O { a: u8 }] fn(o: O) -> [u8] { o.a } (O { a: 1 }) }
        new {
            [struct O { #[serde(default, skip_serializing_if = "crate::corpus::is_zero")] a: u8 }]
            fn(o: O) -> [u8] { o.a } (O { a: 0 })
        }
    }
    default_withdrawn: ["field-required .o.a breaks safe"] {
        old { [struct O { #[serde(default)] a: u8 }] fn(o: O) -> [u8] { o.a } json [{}] }
        new { [struct O { a: u8 }] fn(o: O) -> [u8] { o.a } (O { a: 1 }) }
    }
    option_withdrawn: ["field-required .o.a breaks safe"] {
        old { [struct O { a: Option<u8> }] fn(o: O) -> [u8] { o.a.unwrap_or(9) } (O { a: None }) }
        new { [struct O { a: u8 }] fn(o: O) -> [u8] { o.a } (O { a: 1 }) }
    }
    option_with_a_default_instead: ["nullable-removed .o.a breaks safe"] {
        old { [struct O { a: Option<u8> }] fn(o: O) -> [u8] { o.a.unwrap_or(9) } (O { a: None }) }
        new { [struct O { #[serde(default)] a: u8 }] fn(o: O) -> [u8] { o.a } (O { a: 1 }) }
    }
    field_widened: ["integer-widened .o.a safe breaks"] {
        old { [struct O { a: u8 }] fn(o: O) -> [String] { o.a.to_string() } (O { a: 1 }) }
        new { [struct O { a: u32 }] fn(o: O) -> [String] { o.a.to_string() } (O { a: 1000 }) }
    }
    field_within_a_field: ["integer-narrowed .o.inner.a breaks safe"] {
        old {
            [struct O { inner: Inner }] [struct Inner { a: i64 }]
            fn(o: O) -> [String] { o.inner.a.to_string() } (O { inner: Inner { a: 1 << 40 } })
        }
        new {
            [struct O { inner: Inner }] [struct Inner { a: i32 }]
            fn(o: O) -> [String] { o.inner.a.to_string() } (O { inner: Inner { a: 1 } })
        }
    }
    field_flattened: ["field-added-required .o.a breaks risky", "field-removed .o.inner risky breaks", "really callers fails", "really servers fails"] {
        old {
            [struct O { inner: Inner }] [struct Inner { a: u8 }]
            fn(o: O) -> [u8] { o.inner.a } (O { inner: Inner { a: 1 } })
        }
        new {
            [struct O { #[serde(flatten)] inner: Inner }] [struct Inner { a: u8 }]
            fn(o: O) -> [u8] { o.inner.a } (O { inner: Inner { a: 1 } })
        }
    }
    fields_grouped_and_flattened: [] {
        old { [struct O { a: u8, b: u8 }] fn(o: O) -> [String] { format!("{} {}", o.a, o.b) } (O { a: 1, b: 2 }) }
        new {
            [struct O { a: u8, #[serde(flatten)] inner: Inner }] [struct Inner { b: u8 }]
            fn(o: O) -> [String] { format!("{} {}", o.a, o.inner.b) } (O { a: 1, inner: Inner { b: 2 } })
        }
    }
    type_renamed: [] {
        old { [struct O { a: u8 }] fn(o: O) -> [u8] { o.a } (O { a: 1 }) }
        new { [struct Order { a: u8 }] fn(o: Order) -> [u8] { o.a } (Order { a: 1 }) }
    }
    field_of_a_type_of_itself: ["integer-widened .tree.n safe breaks"] {
        old {
            [struct Tree { n: u8, children: Vec<Tree> }]
            fn(tree: Tree) -> [String] { format!("{} {}", tree.n, tree.children.len()) }
            (Tree { n: 1, children: vec![Tree { n: 2, children: Vec::new() }] })
        }
        new {
            [struct Tree { n: u16, children: Vec<Tree> }]
            fn(tree: Tree) -> [String] { format!("{} {}", tree.n, tree.children.len()) }
            (Tree { n: 1, children: vec![Tree { n: 300, children: Vec::new() }] })
        }
    }
    struct_for_a_map: ["field-added-required .o.a breaks safe", "type-changed .o{} risky safe"] {
        old { fn(o: BTreeMap<String, u8>) -> [u8] { o.values().sum() } (BTreeMap::from([("b".to_owned(), 2)])) }
        new { [struct O { a: u8 }] fn(o: O) -> [u8] { o.a } (O { a: 1 }) }
    }
}
