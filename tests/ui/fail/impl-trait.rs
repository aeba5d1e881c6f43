#[guirpc::function]
fn count(words: impl Iterator<Item = String>) -> impl std::fmt::Display {
    words.count()
}

fn main() {}
