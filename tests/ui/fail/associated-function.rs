struct Point(i64);

impl Point {
    #[guirpc::function]
    fn new(x: i64) -> Self {
        Point(x)
    }
}

fn main() {}
