use std::rc::Rc;

#[guirpc::function]
fn count(#[state] counter: &Rc<u64>) -> u64 {
    **counter
}

fn main() {}
