#[derive(serde::Deserialize)]
struct Point {
    x: f64,
}

#[guirpc::function]
fn shift(point: Point, by: f64) -> f64 {
    point.x + by
}

fn main() {}
