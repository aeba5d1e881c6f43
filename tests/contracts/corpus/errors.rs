//! Errors of functions' own, which are outputs, too.

use super::pairs;

pairs! {
    error_added: ["error-added .error breaks safe"] {
        old { fn() -> [u8] { 1 } () }
        new { fn() -> [Result<u8, String>] { Err("no".to_owned()) } () }
    }
    error_removed: ["error-removed .error safe breaks"] {
        old { fn() -> [Result<u8, String>] { Err("no".to_owned()) } () }
        new { fn() -> [u8] { 1 } () }
    }
    fault_added: [] {
        old { fn() -> [u8] { 1 } () }
        new { fn() -> [Result<u8, Fault>] { Ok(1) } () }
    }
    error_variant_added: ["variant-added .error:B breaks safe"] {
        old { [#[derive(thiserror::Error)] enum E { #[error("a")] A }] fn() -> [Result<(), E>] { Err(E::A) } () }
        new {
            [#[derive(thiserror::Error)] enum E { #[error("a")] A, #[error("b")] B }]
            fn() -> [Result<(), E>] { Err(E::B) } ()
        }
    }
    error_variant_removed: ["variant-removed .error:B safe breaks"] {
        old {
            [#[derive(thiserror::Error)] enum E { #[error("a")] A, #[error("b")] B }]
            fn() -> [Result<(), E>] { Err(E::B) } ()
        }
        new { [#[derive(thiserror::Error)] enum E { #[error("a")] A }] fn() -> [Result<(), E>] { Err(E::A) } () }
    }
    error_field_removed: ["field-removed .error.left breaks safe"] {
        old {
            [#[derive(thiserror::Error)] #[error("{left}")] struct E { code: u8, left: u8 }]
            fn() -> [Result<(), E>] { Err(E { code: 1, left: 2 }) } ()
        }
        new {
            [#[derive(thiserror::Error)] #[error("{code}")] struct E { code: u8 }]
            fn() -> [Result<(), E>] { Err(E { code: 1 }) } ()
        }
    }
    error_field_added: ["field-added .error.left safe breaks"] {
        old {
            [#[derive(thiserror::Error)] #[error("{code}")] struct E { code: u8 }]
            fn() -> [Result<(), E>] { Err(E { code: 1 }) } ()
        }
        new {
            [#[derive(thiserror::Error)] #[error("{left}")] struct E { code: u8, left: u8 }]
            fn() -> [Result<(), E>] { Err(E { code: 1, left: 2 }) } ()
        }
    }
    error_of_another_type: ["type-changed .error breaks breaks"] {
        old { fn() -> [Result<(), String>] { Err("no".to_owned()) } () }
        new { fn() -> [Result<(), u8>] { Err(1) } () }
    }
}
