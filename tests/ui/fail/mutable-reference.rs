#[guirpc::function]
fn fill(buffer: &mut [u8], #[state] count: &mut u64) {
    buffer.fill(0);
    *count += 1;
}

fn main() {}
