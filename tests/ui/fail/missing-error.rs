struct NotFound;

#[guirpc::function]
fn find(name: &str) -> Result<String, NotFound> {
    let _ = name;
    Err(NotFound)
}

fn main() {}
