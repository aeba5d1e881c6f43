#[guirpc::function(lane = "dead")]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[guirpc::function(lane)]
fn subtract(a: i64, b: i64) -> i64 {
    a - b
}

fn main() {}
