//! The smallest service: `cargo run -p hello -- dev`, and in a second terminal what that shows.
//!
//! `cargo run -p hello` serves on RabbitMQ.

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

    #[test]
    fn a_function_can_be_called() -> Result<(), Box<dyn std::error::Error>> {
        let service = guirpc::testing::serve!().start()?;
        assert_eq!(add::call(service.client(), 1, 2)?, 3);
        assert_eq!(greet::call(service.client(), "Ada")?, "Hello Ada!");
        Ok(())
    }
}
