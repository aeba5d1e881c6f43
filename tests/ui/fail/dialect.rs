#[guirpc::function(dialect = "python")]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[guirpc::function(service = "math", dialect = "cobol")]
fn subtract(a: i64, b: i64) -> i64;

#[guirpc::function(service = "math", dialect("python"))]
fn multiply(a: i64, b: i64) -> i64;

fn main() {
    assert_eq!(add(1, 2), 3);
}
