#[guirpc::function]
fn trim<'a>(text: &'a str) -> &'a str {
    text.trim()
}

#[guirpc::function]
fn constant(text: &'static str, word: std::borrow::Cow<'static, str>) -> usize {
    text.len() + word.len()
}

fn main() {}
