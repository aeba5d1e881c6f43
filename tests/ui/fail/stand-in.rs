#[guirpc::function(service = "math")]
fn add(a: i64, b: i64) -> i64;

#[guirpc::function(service = "users")]
fn find(name: &str) -> Result<u64, guirpc::Fault>;

fn main() {
    let _ = guirpc::testing::serve!().stand_in::<add, _>(|a| a);
    let _ = guirpc::testing::serve!().stand_in::<add, _>(|a, b| format!("{a}{b}"));
    let _ = guirpc::testing::serve!().stand_in::<find, _>(|name: String| Ok(name.len() as u64));
    let _ = guirpc::testing::serve!().stand_in::<find, _>(|name| name.len() as u64);
}
