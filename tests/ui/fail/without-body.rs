#[guirpc::function(service = "files", ack = "early")]
#[inline]
fn read(#[state] disk: &String, #[context] context: &guirpc::Context, path: String) -> Vec<u8>;

fn main() {}
