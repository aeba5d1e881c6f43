//! What is served: functions of this package, and of a service that it has the functions of as well.

use guirpc::{Client, Context, Fault, OrFault};

/// The state that functions here ask for, beside a client.
#[derive(Default)]
pub(crate) struct Prices {
    /// Added to every price.
    pub(crate) tax: u32,
}

#[guirpc::function]
pub(crate) fn double(number: i64) -> i64 {
    2 * number
}

#[guirpc::function]
pub(crate) fn price(#[state] prices: &Prices, article: &str) -> Result<u32, Fault> {
    let length = u32::try_from(article.len()).or_fault(400)?;
    Ok(length + prices.tax)
}

/// Asks for each price by a call, as if they were elsewhere.
#[guirpc::function]
pub(crate) fn total(#[state] client: &Client, articles: Vec<String>) -> Result<u32, Fault> {
    let prices = articles.into_iter().map(|article| Ok(price::call(client, &article)?));
    prices.sum()
}

#[guirpc::function]
pub(crate) fn service_name(#[context] context: &Context) -> String {
    context.service().to_owned()
}

/// How many milliseconds its caller still waits.
#[guirpc::function]
pub(crate) fn remaining(#[context] context: &Context) -> Option<u64> {
    u64::try_from(context.remaining()?.as_millis()).ok()
}

/// How many milliseconds a call that it makes itself is waited for.
#[guirpc::function]
pub(crate) fn remaining_inside(#[state] client: &Client) -> Result<Option<u64>, Fault> {
    Ok(remaining::call(client)?)
}

#[guirpc::function(service = "bakery")]
pub(crate) fn bake(dozens: u32) -> u32 {
    12 * dozens
}
