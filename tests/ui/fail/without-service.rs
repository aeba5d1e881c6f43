#[guirpc::function]
fn add(a: i64, b: i64) -> i64;

#[guirpc::function(timeout = "2s", idempotent)]
fn find(name: String) -> String;

fn main() {
    let client = guirpc::Client::connect("amqp://localhost").unwrap();
    let _: i64 = add::call(&client, 1, 2).unwrap();
}
