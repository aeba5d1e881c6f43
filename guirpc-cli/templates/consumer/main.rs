//! A service for callers in Python and in Rust; `guirpc runconsumer -c {{name}}.ini` runs it.
//!
//! What `python(…)` says is how a caller in Python writes its request and reads its response.

use guirpc::Fault;
use serde::{Deserialize, Serialize};

/// What `foobar_sum` gives.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Sum {
    result: i64,
}

/// Adds two numbers: `{"foo": 1, "bar": 2}` gives `{"result": 3}`.
#[guirpc::function(python(request = "json", response = "json"))]
fn foobar_sum(foo: i64, bar: i64) -> Result<Sum, Fault> {
    let too_large = || Fault::new(400, "[ValidationError] The sum is too large.");
    Ok(Sum { result: foo.checked_add(bar).ok_or_else(too_large)? })
}

/// Counts the foos and bars in a sentence.
#[guirpc::function(python(request = "text", response = "text"))]
fn foobar_count(sentence: &str) -> Result<usize, Fault> {
    let sentence = sentence.to_lowercase();
    if sentence.chars().count() < 10 {
        return Err(Fault::new(400, "[ValidationError] Invalid sentence: the minimun required length is 10."));
    }
    Ok(sentence.matches("foo").count() + sentence.matches("bar").count())
}

guirpc::main!();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_are_added() {
        assert_eq!(foobar_sum(1, 2).unwrap(), Sum { result: 3 });
        assert_eq!(foobar_sum(i64::MAX, 1).unwrap_err().status(), 400);
    }

    #[test]
    fn foos_and_bars_are_counted() -> Result<(), Box<dyn std::error::Error>> {
        let service = guirpc::testing::serve!().start()?;
        assert_eq!(foobar_count::call(service.client(), "My name is foo and I love bars")?, 2);
        assert!(foobar_count::call(service.client(), "foo").is_err());
        Ok(())
    }
}
