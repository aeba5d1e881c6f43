// An `async fn` runs on a runtime, which is there with a cargo feature only; and no other function can be cancelled.

#[guirpc::function]
async fn wait(milliseconds: u64) -> u64 {
    milliseconds
}

#[guirpc::function(cancel)]
fn compute(depth: u8) -> u8 {
    depth
}

#[guirpc::function(service = "elsewhere", cancel)]
async fn elsewhere(depth: u8) -> u8;

fn main() {}
