type Created<T> = guirpc::Reply<T>;

#[guirpc::function]
fn create(name: &str) -> Created<String> {
    guirpc::Reply::with_status(201, name.to_owned())
}

fn main() {}
