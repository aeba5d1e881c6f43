//! The smallest service: `cargo run -p hello`, then from a second terminal
//! `cargo run -p guirpc-cli -- call hello add '{"a": 1, "b": 2}'`.

/// Adds two integers.
#[guirpc::function]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

guirpc::main!();
