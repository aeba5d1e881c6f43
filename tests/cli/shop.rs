//! A service for the command to call, with one function for each way in which a call can end.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use std::{fmt, thread};

use guirpc::{Context, Fault, Server, Setup};
use harness::Broker;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Where orders go that were placed.
pub(crate) struct Orders(Mutex<Sender<String>>);

#[derive(Debug, Serialize, Deserialize)]
struct SoldOut {
    article: String,
    left: u32,
}

impl fmt::Display for SoldOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is sold out", self.article)
    }
}

#[guirpc::function(service = "shop")]
fn price(article: &str, amount: u32) -> u32 {
    amount * u32::try_from(article.len()).unwrap_or(u32::MAX)
}

#[guirpc::function(service = "shop")]
fn reserve(article: &str) -> Result<(), SoldOut> {
    Err(SoldOut { article: article.to_owned(), left: 2 })
}

#[guirpc::function(service = "shop")]
fn cancel() -> Result<(), Fault> {
    Err(Fault::new(409, "it has left the house").with_details(json!({ "at": "noon" })))
}

#[guirpc::function(service = "shop")]
fn place(article: &str, #[state] orders: &Orders, #[context] context: &Context) {
    let header = |name| context.headers().get(name).and_then(|value| value.as_str()).unwrap_or("-");
    let order = format!("{article} {} {} {}", header("tenant"), header("note"), context.is_awaited());
    let orders = orders.0.lock().expect("nothing panics that holds it");
    orders.send(order).expect("the test listens");
}

#[guirpc::function(service = "shop")]
fn doubled(number: u128) -> u128 {
    number * 2
}

#[guirpc::function(service = "shop")]
fn discount(percent: Option<u32>) -> Result<u32, SoldOut> {
    percent.ok_or_else(|| SoldOut { article: "all".to_owned(), left: 0 })
}

#[guirpc::function(service = "shop")]
fn mean(of: Vec<f64>) -> f64 {
    let (sum, count) = of.into_iter().fold((0.0, 0.0), |(sum, count), number| (sum + number, count + 1.0));
    sum / count
}

#[guirpc::function(service = "shop")]
fn dawdle() {
    thread::sleep(Duration::from_secs(5));
}

/// The state of the service, and what yields the orders that come in.
pub(crate) fn orders() -> (Orders, Receiver<String>) {
    let (sender, orders) = channel();
    (Orders(Mutex::new(sender)), orders)
}

/// Serves it until the value is dropped; the other value yields the orders that come in.
pub(crate) fn open(broker: &dyn Broker) -> anyhow::Result<(Server, Receiver<String>)> {
    open_with(broker, |setup| setup)
}

/// The same, served otherwise.
pub(crate) fn open_with(
    broker: &dyn Broker,
    change: impl FnOnce(Setup) -> Setup,
) -> anyhow::Result<(Server, Receiver<String>)> {
    let (setup, orders) = setup(broker);
    Ok((Server::start(change(setup))?, orders))
}

/// What it is served by; the other value yields the orders that come in.
pub(crate) fn setup(broker: &dyn Broker) -> (Setup, Receiver<String>) {
    let (state, orders) = orders();
    (Setup::new(["shop"]).uri(broker.uri()).state(state), orders)
}
