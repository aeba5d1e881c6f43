struct Point {
    x: f64,
}

struct Size {
    width: f64,
}

#[guirpc::function]
fn area(name: &str, point: Point, size: Size) -> Size {
    let _ = (name, point.x);
    size
}

#[guirpc::function]
fn resized(size: Size) -> Result<guirpc::Reply<Point>, guirpc::Fault> {
    Ok(guirpc::Reply::new(Point { x: size.width }))
}

fn main() {
    let call: fn(&guirpc::Client, &str, Point, Size) -> Result<Size, guirpc::CallError> = area::call;
    let _ = call;
}
