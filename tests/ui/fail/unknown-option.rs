#[guirpc::function(retries = 3, idempotent = true, timeout = "soon")]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[guirpc::function(timeout = "0s", ack = "late", name, idempotent, idempotent)]
fn subtract(a: i64, b: i64) -> i64 {
    a - b
}

fn main() {
    // The functions are there all the same.
    assert_eq!(add(subtract(3, 2), 1), 2);
}
