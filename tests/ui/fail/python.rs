#[guirpc::function(python(request = "xml", response = json, codec = "ascii", request_codec = "utf8"), idempotent = 1)]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[guirpc::function(python(request = "text", response = "binary", response_codec = "ascii"))]
fn subtract(a: i64, b: i64) -> i64 {
    a - b
}

#[guirpc::function(python, name("subtract"))]
fn negate(a: i64) -> i64 {
    -a
}

#[guirpc::function(python = "text")]
fn double(a: i64) -> i64 {
    a * 2
}

#[guirpc::function(python(request = "text", request = "json"))]
fn half(a: i64) -> i64 {
    a / 2
}

fn main() {
    assert_eq!(add(subtract(3, 2), negate(-1)), half(double(2)));
}
