//! The smallest service: `cargo run -p hello`, then from a second terminal
//! `cargo run -p guirpc-cli -- call hello add '{"a": 1, "b": 2}'`.

/// Adds two integers.
#[guirpc::function]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Greets someone.
#[guirpc::function]
fn greet(name: &str) -> String {
    format!("Hello {name}!")
}

guirpc::main!();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_still_a_function() {
        assert_eq!(add(1, 2), 3);
        assert_eq!(greet("Ada"), "Hello Ada!");
    }
}
