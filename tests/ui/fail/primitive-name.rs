#[guirpc::function]
fn str(number: i64) -> String {
    number.to_string()
}

fn main() {}
