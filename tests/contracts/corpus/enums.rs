//! Enums in all of serde's ways of writing them, in both directions.

use super::pairs;

pairs! {
    variant_added_to_an_argument: ["variant-added .e:B safe breaks"] {
        old { [enum E { A }] fn(e: E) -> [String] { format!("{e:?}") } (E::A) }
        new { [enum E { A, B }] fn(e: E) -> [String] { format!("{e:?}") } (E::B) }
    }
    variant_removed_from_an_argument: ["variant-removed .e:B breaks safe"] {
        old { [enum E { A, B }] fn(e: E) -> [String] { format!("{e:?}") } (E::B) }
        new { [enum E { A }] fn(e: E) -> [String] { format!("{e:?}") } (E::A) }
    }
    variant_added_to_an_output: ["variant-added .output:B breaks safe"] {
        old { [enum E { A }] fn() -> [E] { E::A } () }
        new { [enum E { A, B }] fn() -> [E] { E::B } () }
    }
    variant_removed_from_an_output: ["variant-removed .output:B safe breaks"] {
        old { [enum E { A, B }] fn() -> [E] { E::B } () }
        new { [enum E { A }] fn() -> [E] { E::A } () }
    }
    variant_added_beside_another: [
        "variant-added .output:B breaks safe",
        "really callers altered, what is read as any other variant cannot be seen",
    ] {
        old { [enum E { A, #[serde(other)] Other }] fn() -> [E] { E::A } () }
        new { [enum E { A, B, #[serde(other)] Other }] fn() -> [E] { E::B } () }
    }
    variant_renamed: ["variant-removed .e:A breaks safe", "variant-added .e:B safe breaks"] {
        old { [enum E { A, C }] fn(e: E) -> [String] { format!("{e:?}") } (E::A) }
        new { [enum E { B, C }] fn(e: E) -> [String] { format!("{e:?}") } (E::B) }
    }
    variants_renamed_alike: [
        "type-changed .e breaks breaks",
    ] {
        old { [enum E { A, B }] fn(e: E) -> [String] { format!("{e:?}") } (E::A) }
        new {
            [#[serde(rename_all = "lowercase")] enum E { A, B }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::A)
        }
    }
    variant_gets_data: ["type-changed .e:A breaks breaks"] {
        old { [enum E { A, B }] fn(e: E) -> [String] { format!("{e:?}") } (E::A) }
        new { [enum E { A(u8), B }] fn(e: E) -> [String] { format!("{e:?}") } (E::A(1)) }
    }
    variant_with_data_added: ["variant-added .e:B safe breaks"] {
        old { [enum E { A }] fn(e: E) -> [String] { format!("{e:?}") } (E::A) }
        new { [enum E { A, B { n: u8 } }] fn(e: E) -> [String] { format!("{e:?}") } (E::B { n: 1 }) }
    }
    data_widened: ["integer-widened .e:A safe breaks"] {
        old { [enum E { A(u8), B }] fn(e: E) -> [String] { format!("{e:?}") } (E::A(1)) }
        new { [enum E { A(u16), B }] fn(e: E) -> [String] { format!("{e:?}") } (E::A(300)) }
    }
    data_field_added: ["field-added-required .e:A.m breaks risky"] {
        old { [enum E { A { n: u8 }, B }] fn(e: E) -> [String] { format!("{e:?}") } (E::A { n: 1 }) }
        new { [enum E { A { n: u8, m: u8 }, B }] fn(e: E) -> [String] { format!("{e:?}") } (E::A { n: 1, m: 2 }) }
    }
    data_in_a_tuple: ["type-changed .e:A breaks breaks"] {
        old { [enum E { A(u8), B }] fn(e: E) -> [String] { format!("{e:?}") } (E::A(1)) }
        new { [enum E { A(u8, u8), B }] fn(e: E) -> [String] { format!("{e:?}") } (E::A(1, 2)) }
    }
    tag_added: ["tagging-changed .e breaks breaks"] {
        old { [enum E { A { n: u8 }, B { m: u8 } }] fn(e: E) -> [String] { format!("{e:?}") } (E::A { n: 1 }) }
        new {
            [#[serde(tag = "kind")] enum E { A { n: u8 }, B { m: u8 } }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::A { n: 1 })
        }
    }
    tag_renamed: ["tagging-changed .e breaks breaks"] {
        old {
            [#[serde(tag = "kind")] enum E { A { n: u8 }, B }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::A { n: 1 })
        }
        new {
            [#[serde(tag = "type")] enum E { A { n: u8 }, B }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::A { n: 1 })
        }
    }
    content_added: ["field-added-required .e:A.data breaks risky", "field-removed .e:A.n risky breaks", "really callers fails", "really servers fails"] {
        old {
            [#[serde(tag = "kind")] enum E { A { n: u8 }, B }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::A { n: 1 })
        }
        new {
            [#[serde(tag = "kind", content = "data")] enum E { A { n: u8 }, B }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::A { n: 1 })
        }
    }
    tag_taken_away: [
        "tagging-changed .e breaks breaks",
        "really callers intact, the tag is a field that is ignored",
    ] {
        old {
            [#[serde(tag = "kind")] enum E { A { n: u8 }, B { m: u8 } }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::A { n: 1 })
        }
        new {
            [#[serde(untagged)] enum E { A { n: u8 }, B { m: u8 } }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::A { n: 1 })
        }
    }
    tagged_variant_added: ["variant-added .e:B safe breaks"] {
        old {
            [#[serde(tag = "kind")] enum E { A { n: u8 } }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::A { n: 1 })
        }
        new {
            [#[serde(tag = "kind")] enum E { A { n: u8 }, B }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::B)
        }
    }
    tagged_output_variant_added: ["variant-added .output:B breaks safe"] {
        old { [#[serde(tag = "kind")] enum E { A { n: u8 }, C }] fn() -> [E] { E::A { n: 1 } } () }
        new { [#[serde(tag = "kind")] enum E { A { n: u8 }, B, C }] fn() -> [E] { E::B } () }
    }
    tagged_field_narrowed: ["integer-narrowed .e:A.n breaks safe"] {
        old {
            [#[serde(tag = "kind")] enum E { A { n: u16 }, B }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::A { n: 300 })
        }
        new {
            [#[serde(tag = "kind")] enum E { A { n: u8 }, B }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::A { n: 1 })
        }
    }
    tagged_struct_for_its_fields: [] {
        old {
            [#[serde(tag = "kind")] enum E { A { n: u8 }, B }]
            fn(e: E) -> [u8] { match e { E::A { n } => n, E::B => 0 } } (E::A { n: 1 })
        }
        new {
            [#[serde(tag = "kind")] enum E { A(A), B }] [struct A { n: u8 }]
            fn(e: E) -> [u8] { match e { E::A(a) => a.n, E::B => 0 } } (E::A(A { n: 1 }))
        }
    }
    adjacent_variant_added: ["variant-added .e:B safe breaks"] {
        old {
            [#[serde(tag = "kind", content = "data")] enum E { A(u8) }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::A(1))
        }
        new {
            [#[serde(tag = "kind", content = "data")] enum E { A(u8), B(bool) }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::B(true))
        }
    }
    adjacent_data_widened: ["integer-widened .e:A.data safe breaks"] {
        old {
            [#[serde(tag = "kind", content = "data")] enum E { A(u8), B }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::A(1))
        }
        new {
            [#[serde(tag = "kind", content = "data")] enum E { A(u16), B }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::A(300))
        }
    }
    untagged_variant_added: ["variant-added .e:a truth value safe breaks"] {
        old {
            [#[serde(untagged)] enum E { Text(String), Number(i64) }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::Number(1))
        }
        new {
            [#[serde(untagged)] enum E { Text(String), Number(i64), Flag(bool) }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::Flag(true))
        }
    }
    untagged_for_a_text: ["variant-added .e:an integer (int64) safe breaks"] {
        old { fn(e: &str) -> [String] { e.to_owned() } ("x") }
        new {
            [#[serde(untagged)] enum E { Text(String), Number(i64) }]
            fn(e: E) -> [String] { match e { E::Text(text) => text, E::Number(number) => number.to_string() } }
            (E::Number(1))
        }
    }
    untagged_struct_for_another: [
        "field-removed .e.a risky breaks",
        "field-added-required .e.b breaks risky",
    ] {
        old {
            [#[serde(untagged)] enum E { A { a: u8 }, N(u8) }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::A { a: 1 })
        }
        new {
            [#[serde(untagged)] enum E { B { b: u8 }, N(u8) }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::B { b: 1 })
        }
    }
    enum_for_a_text: ["type-changed .e breaks safe"] {
        old { fn(e: &str) -> [String] { e.to_owned() } ("C") }
        new { [enum E { A, B }] fn(e: E) -> [String] { format!("{e:?}") } (E::A) }
    }
    text_for_an_enum: ["type-changed .e safe breaks"] {
        old { [enum E { A, B }] fn(e: E) -> [String] { format!("{e:?}") } (E::A) }
        new { fn(e: &str) -> [String] { e.to_owned() } ("C") }
    }
    enum_in_an_option: ["nullable-added .output breaks safe"] {
        old { [enum E { A, B(u8) }] fn() -> [E] { E::B(1) } () }
        new { [enum E { A, B(u8) }] fn() -> [Option<E>] { None } () }
    }
    documented_variants: [] {
        old { [enum E { A, B }] fn(e: E) -> [String] { format!("{e:?}") } (E::A) }
        new {
            [enum E { #[doc = "The first."] A, #[doc = "The second."] B }]
            fn(e: E) -> [String] { format!("{e:?}") } (E::B)
        }
    }
    flattened_variant_added: ["variant-added .o:B safe breaks"] {
        old {
            [struct O { id: u8, #[serde(flatten)] e: E }] [#[serde(tag = "kind")] enum E { A { n: u8 }, C }]
            fn(o: O) -> [String] { format!("{o:?}") } (O { id: 1, e: E::A { n: 1 } })
        }
        new {
            [struct O { id: u8, #[serde(flatten)] e: E }] [#[serde(tag = "kind")] enum E { A { n: u8 }, B, C }]
            fn(o: O) -> [String] { format!("{o:?}") } (O { id: 1, e: E::B })
        }
    }
}
