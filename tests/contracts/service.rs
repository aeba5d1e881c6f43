//! The service whose contract `shop.json` is.

use std::collections::BTreeMap;

use guirpc::Fault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What can be ordered.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Article {
    id: u64,
    /// As customers see it.
    name: String,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Order {
    article: Article,
    count: u16,
    delivery: Delivery,
    note: Option<String>,
    prices: BTreeMap<String, f64>,
    size: Option<Size>,
}

/// How it gets there.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Delivery {
    /// Fetched by the customer.
    Pickup,
    Parcel {
        street: String,
        weight: f32,
    },
}

#[derive(Serialize, Deserialize, JsonSchema)]
enum Size {
    Small,
    Large,
    Custom(u32, u32),
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Receipt {
    number: u64,
    total: f64,
    /// What is left, by the number of the shelf.
    stock: BTreeMap<u32, i32>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, thiserror::Error)]
enum PlaceError {
    #[error("sold out")]
    SoldOut,
    #[error("there are {left} left")]
    TooMany { left: u16 },
}

/// A type that does not describe itself.
#[derive(Serialize, Deserialize)]
struct Thing {
    value: serde_json::Value,
}

/// Adds two integers.
#[guirpc::function(service = "shop", idempotent)]
fn add(a: i64, b: i64) -> i64 {
    a.wrapping_add(b)
}

/// The sum of all bytes.
#[guirpc::function(service = "shop", timeout = "20s")]
fn checksum(data: &[u8]) -> u64 {
    data.iter().map(|byte| u64::from(*byte)).sum()
}

/// Finds articles by their name.
#[deprecated = "use `search`"]
#[guirpc::function(service = "shop", lane = "search", idempotent)]
fn find(name: &str, limit: Option<u32>) -> Vec<Article> {
    let article = |id| Article { id, name: format!("{name} {id}"), tags: vec!["found".to_owned()] };
    (1..=u64::from(limit.unwrap_or(3))).map(article).collect()
}

#[guirpc::function(service = "shop", ack = "early")]
fn opaque(thing: Thing) -> Thing {
    thing
}

/// Places an order.
///
/// The price is agreed with it.
#[guirpc::function(service = "shop")]
fn place(order: Order) -> Result<Receipt, PlaceError> {
    let Order { article, count, prices, .. } = order;
    match count {
        0 => Err(PlaceError::SoldOut),
        count @ 1..=10 => Ok(Receipt {
            // Beyond what a float holds exactly.
            number: (1 << 60) + article.id,
            total: prices.get("unit").copied().unwrap_or(1.0) * f64::from(count),
            stock: BTreeMap::from([(7, 10 - i32::from(count))]),
        }),
        _ => Err(PlaceError::TooMany { left: 10 }),
    }
}

#[guirpc::function(service = "shop", idempotent)]
fn reset() {}

/// Fails as `how` says: `fault` (409), `panic`, or takes five seconds (`slow`).
#[guirpc::function(service = "shop")]
fn fail(how: &str) -> Result<(), Fault> {
    match how {
        "panic" => panic!("on purpose"),
        "slow" => std::thread::sleep(std::time::Duration::from_secs(5)),
        _ => return Err(Fault::new(409, "there already").with_details(serde_json::json!({ "how": how }))),
    }
    Ok(())
}

guirpc::main!(services = ["shop"]);
