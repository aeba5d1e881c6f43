#[guirpc::function]
fn read(path: &str) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}

#[guirpc::function]
fn parse(text: &str) -> anyhow::Result<i64> {
    Ok(text.parse()?)
}

fn main() {}
