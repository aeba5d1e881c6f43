//! The server in Python, called by stubs in Rust.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use guirpc::control::{Control, Target};
use guirpc::{CallError, Client, Coalescing, Fault};
use harness::{Broker, Case, Program, eventually};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{LONG, MODELS, Package};
use crate::conformance;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Article {
    id: u64,
    name: String,
    tags: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    article: Article,
    count: u16,
    delivery: Delivery,
    note: Option<String>,
    prices: BTreeMap<String, f64>,
    size: Option<Size>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Delivery {
    Pickup,
    Parcel { street: String, weight: f32 },
}

#[derive(Debug, Serialize, Deserialize)]
enum Size {
    Small,
    Custom(u32, u32),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Receipt {
    number: u64,
    total: f64,
    stock: BTreeMap<u32, i32>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum PlaceError {
    #[error("sold out")]
    SoldOut,
    #[error("there are {left} left")]
    TooMany { left: u16 },
}

#[guirpc::function(service = "shop", idempotent)]
fn add(a: i64, b: i64) -> i64;

#[guirpc::function(service = "shop")]
fn checksum(data: &[u8]) -> u64;

#[guirpc::function(service = "shop", lane = "search", idempotent)]
fn find(name: &str, limit: Option<u32>) -> Vec<Article>;

#[guirpc::function(service = "shop")]
fn opaque(thing: serde_json::Value) -> serde_json::Value;

#[guirpc::function(service = "shop")]
fn place(order: Order) -> Result<Receipt, PlaceError>;

#[guirpc::function(service = "shop", idempotent)]
fn reset();

#[guirpc::function(service = "shop")]
fn fail(how: String) -> Result<(), Fault>;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::shared("python::server::stubs_in_rust_call_it", stubs_call_it),
        Case::shared("python::server::its_failures_are_those_of_rust", its_failures_are_those_of_rust),
        Case::shared("python::server::calls_that_travel_together_are_answered", calls_that_travel_together),
        Case::shared("python::server::it_answers_on_the_control_exchange", it_answers_on_the_control_exchange),
        Case::shared("python::server::it_serves_beside_one_in_rust", it_serves_beside_one_in_rust),
        Case::shared("python::server::it_ends_when_what_runs_has_ended", it_ends_when_what_runs_has_ended),
        Case::exclusive("python::server::it_connects_again", it_connects_again),
    ]
}

/// The server, and the package that it is made of.
struct Shop {
    program: Program,
    package: Package,
}

fn serve(broker: &dyn Broker, models: &str) -> anyhow::Result<Shop> {
    let package = Package::of_shop(models)?;
    let program = conformance::start(broker, &mut package.run("shop_server.py"))?;
    // It consumes before it has all of its channels.
    program.wait_for_log("serving `shop`", LONG)?;
    Ok(Shop { program, package })
}

fn client(broker: &dyn Broker) -> anyhow::Result<Client> {
    Ok(Client::connect(broker.uri())?.with_timeout(LONG))
}

fn order(count: u16, size: Option<Size>) -> Order {
    Order {
        article: Article { id: 5, name: "tea".to_owned(), tags: Vec::new() },
        count,
        delivery: Delivery::Parcel { street: "Mill Lane".to_owned(), weight: 1.5 },
        note: None,
        prices: BTreeMap::from([("unit".to_owned(), 2.5)]),
        size,
    }
}

fn stubs_call_it(broker: &dyn Broker) -> anyhow::Result<()> {
    for models in MODELS {
        let _shop = serve(broker, models)?;
        let client = client(broker)?;
        ensure!(add::call(&client, i64::MAX, 1)? == i64::MIN);
        ensure!(checksum::call(&client, &[255; 1000])? == 255_000);
        let found = find::call(&client, "tea", None)?;
        ensure!(found.len() == 3 && found[2].name == "tea 3" && found[2].tags == ["found"], "{found:?}");
        ensure!(find::call(&client, "tea", Some(1))?.len() == 1);
        let thing = json!({ "value": [1, null, -1.5, "x"] });
        ensure!(opaque::call(&client, thing.clone())? == thing);
        let expected = Receipt { number: (1 << 60) + 5, total: 10.0, stock: BTreeMap::from([(7, 6)]) };
        ensure!(place::call(&client, order(4, Some(Size::Custom(1, 2))))? == expected);
        let fetched = Order { delivery: Delivery::Pickup, ..order(4, Some(Size::Small)) };
        ensure!(place::call(&client, fetched)? == expected);
        reset::call(&client)?;
        let calls = (0..500).map(|n| add::start(&client, n, 1)).collect::<Result<Vec<_>, _>>()?;
        for (n, call) in (1..).zip(calls) {
            ensure!(call.wait()? == n);
        }
    }
    Ok(())
}

fn its_failures_are_those_of_rust(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = serve(broker, MODELS[0])?;
    let client = client(broker)?;
    ensure!(place::call(&client, order(0, None)) == Err(CallError::Function(PlaceError::SoldOut)));
    let too_many = CallError::Function(PlaceError::TooMany { left: 10 });
    ensure!(place::call(&client, order(11, None)) == Err(too_many));
    let fault = Fault::new(409, "there already").with_details(json!({ "how": "fault" }));
    ensure!(fail::call(&client, "fault".to_owned()) == Err(CallError::Fault(fault)));
    let Err(CallError::Fault(fault)) = fail::call(&client, "panic".to_owned()) else { anyhow::bail!("no fault") };
    ensure!(fault.status() == 500 && fault.message().contains("on purpose"), "{fault:?}");
    let quick = client.with_timeout(Duration::from_millis(300));
    let late = fail::call(&quick, "slow".to_owned());
    ensure!(matches!(late, Err(CallError::TimedOut { .. })), "{late:?}");
    for (function, arguments, status, text) in [
        ("ad", json!({}), 404, "did you mean `add`?"),
        ("add", json!({ "a": 1 }), 400, "argument `b` is missing"),
        ("add", json!({ "a": 1, "b": "x" }), 400, "argument `b`: expected an integer, not a text"),
    ] {
        let Err(CallError::Refused(refusal)) = client.call_json("shop", function, arguments) else {
            anyhow::bail!("`{function}` is not refused");
        };
        ensure!(
            refusal.status() == status && !refusal.may_have_run() && refusal.message().contains(text),
            "{refusal:?}"
        );
    }
    Ok(())
}

fn calls_that_travel_together(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = serve(broker, MODELS[0])?;
    let client = client(broker)?.with_coalescing(Coalescing::default());
    for round in 0..20 {
        let calls = (0..200).map(|n| add::start(&client, n, round)).collect::<Result<Vec<_>, _>>()?;
        let early = opaque::start(&client, json!({ "value": round }))?;
        for (n, call) in (0..).zip(calls) {
            ensure!(call.wait()? == n + round);
        }
        ensure!(early.wait()? == json!({ "value": round }));
    }
    let none: Result<_, _> = client.call_json("shop", "ad", json!({}));
    ensure!(matches!(&none, Err(CallError::Refused(refusal)) if refusal.status() == 404), "{none:?}");
    eventually(LONG, || Ok(broker.queue("shop.calls")?.is_some_and(|queue| queue.messages == 0)))
}

fn it_answers_on_the_control_exchange(broker: &dyn Broker) -> anyhow::Result<()> {
    let shop = serve(broker, MODELS[0])?;
    let client = client(broker)?;
    add::call(&client, 1, 2)?;
    let _ = place::call(&client, order(0, None));
    let _ = client.call_json("shop", "nowhere", json!({}));
    let ask = || anyhow::Ok(Control::connect(&broker.uri())?.wait(LONG).expect(1));
    let target = Target::service("shop");
    eventually(LONG, || Ok(ask()?.ping(&Target::all())?.len() == 1))?;
    let pong = ask()?.ping(&target)?.pop().context("nobody answers")?;
    ensure!(pong.instance.pid == shop.program.id() && pong.instance.services == ["shop"], "{pong:?}");
    ensure!(pong.clock_difference() < Duration::from_secs(5), "{pong:?}");
    let info = ask()?.info(&Target::instance(&pong.instance.id))?.pop().context("it does not answer")?;
    let functions: Vec<&str> = info.services[0].functions.iter().map(|function| &*function.name).collect();
    ensure!(functions == ["add", "checksum", "fail", "find", "opaque", "place", "reset"], "{functions:?}");
    let found = &info.services[0].functions[3];
    ensure!(found.lane.as_deref() == Some("search") && found.arguments[1].type_name == "Option<u32>", "{found:?}");
    ensure!(info.services[0].functions[4].ack == "early" && !info.broker.contains("guest:guest"), "{info:?}");
    let queues: Vec<_> = info.lanes.iter().flat_map(|lane| &lane.queues).collect();
    ensure!(queues == ["shop", "shop.search"], "{queues:?}");
    let statistics = ask()?.statistics(&target)?.pop().context("it does not answer")?;
    let counted = |name: &str| {
        let functions = &statistics.lanes[0].services[0].functions;
        functions.iter().find(|function| function.function == name).context("it is not counted")
    };
    ensure!((counted("add")?.outputs, counted("add")?.run_time.count) == (1, 1), "{statistics:?}");
    ensure!(counted("place")?.errors == 1 && counted("place")?.last_failure.is_some(), "{statistics:?}");
    ensure!(counted("_OTHER")?.refusals == BTreeMap::from([(404, 1)]), "{statistics:?}");
    Ok(())
}

/// Both declare the same queues, and each takes its share.
fn it_serves_beside_one_in_rust(broker: &dyn Broker) -> anyhow::Result<()> {
    let rust = || conformance::start_rust_server(broker);
    for python_first in [true, false] {
        let early = if python_first { None } else { Some(rust()?) };
        // Its program is ended before its package is gone.
        let Shop { program: python, package } = serve(broker, MODELS[0])?;
        let rust = early.map_or_else(&rust, Ok)?;
        eventually(LONG, || Ok(broker.queue("shop")?.is_some_and(|queue| queue.consumers == 2)))
            .with_context(|| [python.stderr(), rust.stderr()].concat().join("\n"))?;
        let client = client(broker)?;
        for n in 0..50 {
            ensure!(add::call(&client, n, 1)? == n + 1);
        }
        drop((python, rust, package));
        eventually(LONG, || Ok(broker.queue("shop")?.is_some_and(|queue| queue.consumers == 0)))?;
    }
    Ok(())
}

fn it_ends_when_what_runs_has_ended(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut shop = serve(broker, MODELS[0])?;
    let client = client(broker)?;
    let slow = fail::start(&client, "slow".to_owned())?;
    eventually(LONG, || {
        let statistics = Control::connect(&broker.uri())?.wait(LONG).expect(1).statistics(&Target::service("shop"))?;
        let functions = statistics.first().map(|one| &one.lanes[0].services[0].functions);
        Ok(functions
            .is_some_and(|all| all.iter().any(|function| function.function == "fail" && function.requests == 1)))
    })?;
    shop.program.terminate()?;
    let ended = slow.wait();
    ensure!(ended == Ok(()), "{ended:?}");
    let status = shop.program.wait(LONG)?;
    ensure!(status.success(), "{status}: {}", shop.program.stderr().join("\n"));
    eventually(LONG, || Ok(broker.queue("shop")?.is_some_and(|queue| queue.messages == 0 && queue.consumers == 0)))
}

fn it_connects_again(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let shop = serve(broker, MODELS[0])?;
    broker.close_all_connections("for the test")?;
    let client = client(broker)?;
    eventually(LONG, || Ok(add::call(&client.with_timeout(Duration::from_secs(2)), 1, 2).is_ok()))
        .with_context(|| shop.program.stderr().join("\n"))
}
