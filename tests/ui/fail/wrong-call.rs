#[guirpc::function]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn call(client: &guirpc::Client) {
    let _ = add::call(client, 1);
    let _ = add::call(client, 1, "2");
    let _: String = add::call(client, 1, 2).unwrap();
}

fn main() {}
