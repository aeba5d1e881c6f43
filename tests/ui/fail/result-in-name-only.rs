#[derive(serde::Serialize, serde::Deserialize)]
struct SearchResult {
    found: Vec<String>,
}

#[guirpc::function]
fn search(text: &str) -> SearchResult {
    SearchResult { found: vec![text.to_owned()] }
}

#[guirpc::function(fallible)]
fn nothing() {}

#[guirpc::function(fallible, infallible)]
fn both() -> u8 {
    1
}

fn main() {}
