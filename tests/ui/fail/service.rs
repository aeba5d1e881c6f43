#[guirpc::service]
mod nameless {}

#[guirpc::service("amq.orders")]
mod reserved {}

#[guirpc::service("orders")]
fn place() {}

fn main() {}
