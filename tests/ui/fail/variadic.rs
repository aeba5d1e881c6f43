#[guirpc::function]
fn print(format: String, rest: ...);

fn main() {}
