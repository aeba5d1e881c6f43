#[derive(serde::Serialize)]
struct Point {
    x: f64,
}

#[guirpc::function]
fn shift(by: f64, points: Vec<Point>) -> f64 {
    points[0].x + by
}

fn main() {}
