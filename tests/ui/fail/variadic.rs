#[guirpc::function(service = "printer")]
fn print(format: String, rest: ...);

fn main() {}
