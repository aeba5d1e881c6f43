//! Calls two functions of a service, in Python or in Rust, as the file says that `PRODUCER_CONFIG` names.

use serde::{Deserialize, Serialize};

/// What `foobar_sum` gives.
#[derive(Debug, Serialize, Deserialize)]
struct Sum {
    result: i64,
}

/// Adds two numbers.
#[guirpc::function(service = {{service}}, dialect = "python", python(request = "json", response = "json"))]
fn foobar_sum(foo: i64, bar: i64) -> Sum;

/// Counts the foos and bars in a sentence.
#[guirpc::function(service = {{service}}, dialect = "python", python(request = "text", response = "text"))]
fn foobar_count(sentence: &str) -> u64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = guirpc::Client::from_env()?;
    println!("foobar_sum: {}", foobar_sum::call(&client, 1, 2)?.result);
    println!("foobar_count: {}", foobar_count::call(&client, "My name is foo and I love bars")?);
    Ok(())
}
