#[derive(serde::Serialize, serde::Deserialize)]
struct User;

#[guirpc::function]
pub fn rename(user: User, name: &str) -> User {
    let _ = name;
    user
}

fn main() {}
