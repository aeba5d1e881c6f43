#[guirpc::function]
fn find(#[state] #[context] both: &String, #[state(default)] argued: &u8, #[state] owned: u8) {
    let _ = (both, argued, owned);
}

fn main() {}
