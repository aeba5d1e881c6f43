//! A `Result` is recognised by its name, and taken apart whatever it is an alias of.

use guirpc::{Client, Fault, Function, Pending, Reply};

type FindResult<T> = Result<T, FindError>;
type Outcome = Result<u8, Fault>;

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct FindError(String);

impl std::fmt::Display for FindError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[guirpc::function]
fn find(name: &str) -> FindResult<u64> {
    name.parse().map_err(|_| FindError(name.to_owned()))
}

#[guirpc::function]
fn create(name: &str) -> FindResult<Reply<String>> {
    Ok(Reply::with_status(201, name.to_owned()))
}

#[guirpc::function(fallible)]
fn attempt() -> Outcome {
    Ok(1)
}

#[guirpc::function]
fn moved() -> Reply<String> {
    Reply::with_status(301, String::new())
}

fn output<F: Function>(_: fn(&Client) -> guirpc::CallResult<F>) -> &'static str {
    std::any::type_name::<guirpc::OutputOf<F>>()
}

fn main() {
    let _: fn(&Client, &str) -> Result<u64, guirpc::CallError<FindError>> = find::call;
    let _: fn(&Client, &str) -> Result<String, guirpc::CallError<FindError>> = create::call;
    let _: fn(&Client, &str) -> Result<Pending<String, FindError>, guirpc::CallError<FindError>> = create::start;
    let _: fn(&Client) -> Result<u8, guirpc::CallError<Fault>> = attempt::call;
    let _: fn(&Client) -> Result<String, guirpc::CallError> = moved::call;
    assert_eq!(output::<attempt>(attempt::call), "u8");
    assert_eq!(find("x").unwrap_err().0, "x");
    assert_eq!((create("").unwrap().status(), attempt().unwrap(), moved().status()), (201, 1, 301));
}
