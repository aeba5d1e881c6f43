//! The `guirpc` command.
fn main() {}
