#[guirpc::function]
fn sum(numbers: &[i64], names: &Vec<String>, label: Option<&str>) -> i64 {
    let _ = (names, label);
    numbers.iter().sum()
}

fn main() {}
