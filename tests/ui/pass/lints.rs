//! What a function allows is allowed for its stub as well.

#![deny(warnings, non_snake_case, non_camel_case_types, missing_docs, dead_code)]

/// Not our names.
#[guirpc::function]
#[allow(non_snake_case)]
fn addNumbers(firstNumber: i64, secondNumber: i64) -> i64 {
    firstNumber + secondNumber
}

/// Expected on the function, and allowed elsewhere.
#[guirpc::function]
#[expect(non_snake_case)]
fn subtractNumbers(firstNumber: i64) -> i64 {
    firstNumber
}

fn main() {
    assert_eq!(addNumbers(1, 2) + subtractNumbers(1), 4);
    let _: fn(&guirpc::Client, i64, i64) -> Result<i64, guirpc::CallError> = addNumbers::call;
}
