#[guirpc::function(contract = "00112233445566778899aabbccddeeff")]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[guirpc::function(service = "math", contract)]
fn subtract(a: i64, b: i64) -> i64;

fn main() {
    assert_eq!(add(1, 2), 3);
}
