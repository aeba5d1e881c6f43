//! What an implementation is held to by the function without a body that it implements.

use guirpc::Fault;

#[guirpc::service("orders")]
mod orders {
    #[guirpc::function(timeout = "2s")]
    pub fn place(order: String, count: u32) -> u64;

    #[guirpc::function]
    pub fn cancel(number: u64) -> bool;
}

#[guirpc::function(implements = orders::place)]
fn narrower(order: String, count: u16) -> u64 {
    order.len() as u64 * u64::from(count)
}

#[guirpc::function(implements = orders::place)]
fn other_output(order: String, count: u32) -> String {
    order.repeat(count as usize)
}

#[guirpc::function(implements = orders::cancel)]
fn fallible(number: u64) -> Result<bool, Fault> {
    Ok(number > 0)
}

#[guirpc::function(implements = orders::cancel)]
fn renamed(id: u64) -> bool {
    id > 0
}

#[guirpc::function(implements = orders::cancel)]
fn longer(number: u64, reason: String) -> bool {
    number > 0 && !reason.is_empty()
}

#[guirpc::function(implements = orders::cancel, timeout = "1s", idempotent)]
fn said_twice(number: u64) -> bool {
    number > 0
}

#[guirpc::function(implements = orders::cancel)]
fn without_a_body(number: u64) -> bool;

#[guirpc::function(implements)]
fn nothing(number: u64) -> bool {
    number > 0
}

fn main() {}
