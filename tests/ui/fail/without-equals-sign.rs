#[guirpc::function(service "math")]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[guirpc::function(timeout: "2s")]
fn find(name: String) -> String {
    name
}

#[guirpc::function(nmae = "sum")]
fn sum(a: i64) -> i64 {
    a
}

fn main() {
    // Who calls one of them hears nothing of the mistake in its options.
    let client = guirpc::Client::connect("amqp://localhost").unwrap();
    let _: i64 = add::call(&client, 1, 2).unwrap();
    let _: i64 = sum::call(&client, 1).unwrap();
}
