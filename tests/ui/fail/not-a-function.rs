#[guirpc::function]
struct Point {
    x: f64,
}

#[guirpc::function]
const LIMIT: u8 = 1;

fn main() {
    let _ = Point { x: f64::from(LIMIT) };
}
