type Outcome<T> = Result<T, String>;

#[guirpc::function]
fn divide(a: i64, b: i64) -> Outcome<i64> {
    a.checked_div(b).ok_or_else(|| "division by zero".to_owned())
}

fn main() {}
