//! An implementation takes over what is declared, and may borrow and have state as any function.

use std::time::Duration;

use guirpc::{Context, Fault, Function};

#[guirpc::service("orders")]
mod orders {
    /// Places an order.
    #[deprecated]
    #[guirpc::function(name = "place-order", lane = "quick", timeout = "2s", idempotent)]
    pub fn place(order: &str, data: &[u8], note: Option<String>) -> Result<u64, guirpc::Fault>;

    pub mod more {
        #[guirpc::function(coalesce)]
        pub fn count() -> u64;

        #[guirpc::function(service = "others")]
        pub fn other();
    }
}

#[allow(deprecated)]
#[guirpc::function(implements = orders::place, ack = "early", stub = place_here)]
fn place(
    order: &str,
    #[state] prices: &u64,
    data: &[u8],
    #[context] context: &Context,
    note: Option<String>,
) -> Result<u64, Fault> {
    let _ = context;
    Ok(prices * (order.len() + data.len() + note.map_or(0, |note| note.len())) as u64)
}

#[guirpc::function(implements = crate::orders::more::count)]
fn count() -> u64 {
    1
}

#[allow(deprecated)]
fn main() {
    assert_eq!((place_here::NAME, place_here::SERVICE), ("place-order", "orders"));
    assert_eq!((place_here::LANE, place_here::TIMEOUT), (Some("quick"), Some(Duration::from_secs(2))));
    assert!(place_here::IDEMPOTENT && !place_here::COALESCE && count::COALESCE);
    assert_eq!((count::NAME, count::SERVICE), ("count", "orders"));
    assert_eq!(orders::more::other::SERVICE, "others");
}
