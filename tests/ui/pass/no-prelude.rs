//! Nothing of what an expansion needs comes from the prelude.

#![no_implicit_prelude]

#[::guirpc::function]
fn add(a: i64, bytes: &[u8], text: &str) -> i64 {
    let _ = (bytes, text);
    a
}

#[::guirpc::function(timeout = "1s")]
fn divide(a: i64, b: i64) -> ::core::result::Result<i64, ::guirpc::Fault> {
    ::core::result::Result::Ok(a / b)
}

fn main() {
    let _ = (add(1, &[], ""), divide(2, 1));
}
