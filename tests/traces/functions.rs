//! The functions of two services, of which one calls the other.

use std::time::Duration;

use guirpc::{Client, Coalescing, Fault};
use tracing::info;

/// Doubles, and logs that.
#[guirpc::function(service = "back")]
pub(crate) fn double(n: i64) -> i64 {
    info!(n, "doubling");
    2 * n
}

/// Doubles after an await.
#[guirpc::function(service = "back")]
pub(crate) async fn double_later(n: i64) -> i64 {
    tokio::time::sleep(Duration::from_millis(1)).await;
    2 * n
}

/// Fails.
#[guirpc::function(service = "back")]
pub(crate) fn fail() -> Result<(), Fault> {
    Err(Fault::new(503, "not today"))
}

/// Nobody waits for it.
#[guirpc::function(service = "back")]
pub(crate) fn keep(_n: i64) {}

/// Doubles twice, one call after the other.
#[guirpc::function(service = "front")]
pub(crate) fn quadruple(#[state] client: &Client, n: i64) -> Result<i64, Fault> {
    let n = double::call(client, n)?;
    Ok(double_later::call(client, n)?)
}

/// Doubles twice, after an await.
#[guirpc::function(service = "front")]
pub(crate) async fn quadruple_later(#[state] client: &Client, n: i64) -> Result<i64, Fault> {
    tokio::time::sleep(Duration::from_millis(1)).await;
    let n = double_later::call_async(client, n).await?;
    Ok(double::call_async(client, n).await?)
}

/// Doubles many, whose calls travel together.
#[guirpc::function(service = "front")]
pub(crate) fn sum_of_doubles(#[state] client: &Client, count: i64) -> Result<i64, Fault> {
    let client = client.with_coalescing(Coalescing::default().window(1));
    double::call_many(&client, (0..count).map(|n| (n,))).try_fold(0, |sum, n| Ok(sum + n?))
}

/// Has something kept.
#[guirpc::function(service = "front")]
pub(crate) fn post(#[state] client: &Client, n: i64) -> Result<(), Fault> {
    Ok(keep::send(client, n)?)
}

/// Calls what fails, and what is not there.
#[guirpc::function(service = "front")]
pub(crate) fn try_in_vain(#[state] client: &Client) -> u16 {
    let refused = client.call_json("back", "no_such_function", serde_json::json!({})).is_err();
    u16::from(refused) + u16::from(fail::call(client).is_err())
}
