#[guirpc::function(name = "guirpc.ping", service = "amq.direct")]
fn ping() {}

#[guirpc::function(name = "", stub = "text")]
fn pong() {}

fn main() {}
