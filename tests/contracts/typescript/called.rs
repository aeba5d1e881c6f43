//! A server in TypeScript, called by stubs in Rust: it answers as one in Rust does.

use std::time::{Duration, SystemTime};

use amiquip::{
    AmqpProperties, AmqpValue, Connection, ConsumerMessage, ConsumerOptions, FieldTable, Publish, QueueDeclareOptions,
};
use anyhow::{Context, ensure};
use guirpc::control::{Control, Target};
use guirpc::dead_letters::Selection;
use guirpc::{CallError, Client, Coalescing, DeadLetters};
use harness::{Broker, Case, Program, eventually};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::LONG;
use super::package::{Package, node};
use crate::conformance::{self, start_rust_server};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::shared("typescript::a_server_conforms", |broker| {
            conformance::conforms(broker, &mut Package::of_shop()?.run("shop_server.js"))
        }),
        Case::shared("typescript::a_server_is_called_by_stubs", is_called_by_stubs),
        Case::shared("typescript::a_server_refuses_what_it_cannot_run", refuses_what_it_cannot_run),
        Case::shared("typescript::a_server_refuses_what_has_expired", refuses_what_has_expired),
        Case::shared("typescript::a_server_takes_calls_that_travel_together", takes_calls_that_travel_together),
        Case::shared("typescript::a_server_declares_what_servers_in_rust_do", declares_what_servers_in_rust_do),
        Case::shared("typescript::a_server_puts_failed_sends_aside", puts_failed_sends_aside),
        Case::shared("typescript::a_server_counts_what_kills_it", counts_what_kills_it),
        Case::shared("typescript::a_server_answers_on_the_control_exchange", answers_on_the_control_exchange),
        Case::shared("typescript::a_server_finishes_what_is_in_flight", finishes_what_is_in_flight),
        Case::shared("typescript::a_server_connects_again", connects_again),
    ]
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Article {
    id: u64,
    name: String,
    tags: Vec<String>,
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

#[guirpc::function(service = "shop", lane = "search")]
fn find(name: &str, limit: Option<u32>) -> Vec<Article>;

#[guirpc::function(service = "shop")]
fn fail(how: &str);

#[guirpc::function(service = "shop")]
fn opaque(thing: Value) -> Value;

#[guirpc::function(service = "shop")]
fn place(order: Value) -> Result<Value, PlaceError>;

#[guirpc::function(service = "shop")]
fn reset();

/// The service in TypeScript, as a program.
pub(super) fn serve(broker: &dyn Broker) -> anyhow::Result<Program> {
    let server = node(Package::of_shop()?, "shop_server.js", &broker.uri())?;
    server.wait_for_line("serving", LONG)?;
    Ok(server)
}

fn client(broker: &dyn Broker) -> anyhow::Result<Client> {
    Ok(Client::connect(broker.uri())?.with_timeout(LONG))
}

fn order(count: u32) -> Value {
    json!({
        "article": { "id": 5, "name": "tea" }, "count": count, "delivery": { "kind": "pickup" }, "prices": { "unit": 2.5 },
        "size": { "Custom": [1, 2] },
    })
}

fn is_called_by_stubs(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = serve(broker)?;
    let msgpack = client(broker)?;
    for client in [&msgpack, &msgpack.with_codec(guirpc::Codec::Json)] {
        ensure!(add::call(client, 2, 3)? == 5);
        ensure!(add::call(client, i64::MAX, -1)? == i64::MAX - 1);
        ensure!(checksum::call(client, &[1, 2, 253])? == 256);
        let found = find::call(client, "tea", Some(1))?;
        ensure!(found == [Article { id: 1, name: "tea 1".to_owned(), tags: vec!["found".to_owned()] }], "{found:?}");
        ensure!(find::call(client, "tea", None)?.len() == 3);
        let thing = json!({ "value": [1, u64::MAX, 0.5, "ü", null] });
        ensure!(opaque::call(client, thing.clone())? == thing);
        let receipt = place::call(client, order(4))?;
        ensure!(receipt == json!({ "number": (1_u64 << 60) + 5, "total": 10.0, "stock": { "7": 6 } }), "{receipt}");
        reset::call(client)?;
        let error = place::call(client, order(11)).unwrap_err();
        ensure!(error == CallError::Function(PlaceError::TooMany { left: 10 }), "{error:?}");
        let error = place::call(client, order(0)).unwrap_err();
        ensure!(error == CallError::Function(PlaceError::SoldOut), "{error:?}");
        let CallError::Fault(fault) = fail::call(client, "fault").unwrap_err() else { anyhow::bail!("no fault") };
        ensure!((fault.status(), fault.message()) == (409, "there already"), "{fault:?}");
        ensure!(fault.details() == Some(&json!({ "how": "fault" })), "{fault:?}");
        let CallError::Fault(fault) = fail::call(client, "panic").unwrap_err() else { anyhow::bail!("no fault") };
        ensure!(fault.status() == 500 && fault.message().contains("on purpose"), "{fault:?}");
    }
    let info = msgpack.ping("shop")?;
    ensure!(info.functions == ["add", "checksum", "fail", "find", "opaque", "place", "reset"], "{info:?}");
    Ok(())
}

#[track_caller]
fn check_refusal(error: &CallError<Value>, status: u16, text: &str) -> anyhow::Result<()> {
    let CallError::Refused(refusal) = error else { anyhow::bail!("it is {error:?}") };
    ensure!(refusal.status() == status && refusal.message().contains(text), "{refusal:?}");
    ensure!(!error.may_have_run() && !error.is_retryable(), "{error:?}");
    Ok(())
}

fn refuses_what_it_cannot_run(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = serve(broker)?;
    let client = client(broker)?;
    let refused = |function: &str, arguments: Value| client.call_json("shop", function, arguments).unwrap_err();
    check_refusal(&refused("ad", json!({})), 404, "did you mean `add`?")?;
    check_refusal(&refused("add", json!({ "a": 1 })), 400, "argument `b` is missing")?;
    check_refusal(&refused("add", json!({ "a": 1, "b": "2" })), 400, "argument `b`: expected an integer")?;
    check_refusal(&refused("add", json!([1, 2, 3])), 400, "too many arguments: the function takes 2")?;
    check_refusal(&refused("place", json!([order(70_000)])), 400, "`count`: expected an integer from 0 to 65535")?;
    // An argument too many is ignored, and one that may be left out may be.
    ensure!(client.call_json("shop", "add", json!({ "a": 1, "b": 2, "c": 3 }))? == 3);
    ensure!(client.call_json("shop", "add", json!([1, 2]))? == 3);
    ensure!(client.call_json("shop", "find", json!({ "name": "tea" }))?.as_array().is_some_and(|all| all.len() == 3));
    Ok(())
}

/// What the broker did not drop, since it had been fetched by then.
fn refuses_what_has_expired(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = serve(broker)?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    let queue = "replies";
    channel.queue_declare(queue, QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() })?;
    let replies = channel.basic_consume(queue, ConsumerOptions { no_ack: true, ..ConsumerOptions::default() })?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let deadline = i64::try_from(now.saturating_sub(Duration::from_mins(1)).as_millis())?;
    let properties = AmqpProperties::default()
        .with_type_("reset".to_owned())
        .with_reply_to(queue.to_owned())
        .with_correlation_id("1".to_owned())
        .with_headers(FieldTable::from([("guirpc-deadline".to_owned(), AmqpValue::LongLongInt(deadline))]));
    channel.basic_publish("guirpc", Publish::with_properties(b"\x80", "shop", properties))?;
    let ConsumerMessage::Delivery(reply) = replies.receiver().recv_timeout(LONG)? else { anyhow::bail!("no reply") };
    ensure!(reply.properties.type_().as_deref() == Some("refusal"), "{:?}", reply.properties);
    let headers = reply.properties.headers().as_ref().context("it has headers")?;
    ensure!(headers.get("Response-Status") == Some(&AmqpValue::LongInt(408)), "{headers:?}");
    ensure!(
        matches!(headers.get("guirpc-time"), Some(AmqpValue::LongLongInt(time)) if *time > deadline),
        "{headers:?}"
    );
    ensure!(!headers.contains_key("guirpc-attempts"), "{headers:?}");
    connection.close()?;
    Ok(())
}

fn takes_calls_that_travel_together(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = serve(broker)?;
    let client = client(broker)?.with_coalescing(Coalescing::default().window(1).linger(Duration::from_millis(20)));
    let sums: Vec<_> = (0..200).map(|number| add::start(&client, number, 1)).collect::<Result<_, _>>()?;
    let things: Vec<_> =
        (0..20).map(|number| opaque::start(&client, json!({ "value": number }))).collect::<Result<_, _>>()?;
    let wrong = client.call_json_async("shop", "add", json!([1]));
    for (number, sum) in (1..).zip(sums) {
        ensure!(sum.wait()? == number);
    }
    for (number, thing) in (0..).zip(things) {
        ensure!(thing.wait()? == json!({ "value": number }));
    }
    let error = wrong.wait().unwrap_err();
    ensure!(matches!(&error, CallError::Refused(refusal) if refusal.status() == 400), "{error:?}");
    eventually(LONG, || Ok(broker.queue("shop.calls")?.is_some_and(|queue| queue.messages == 0)))
}

/// Each may be there first.
fn declares_what_servers_in_rust_do(broker: &dyn Broker) -> anyhow::Result<()> {
    let client = client(broker)?;
    for rust_is_first in [true, false] {
        let rust = || start_rust_server(broker);
        let servers = if rust_is_first { [rust()?, serve(broker)?] } else { [serve(broker)?, rust()?] };
        eventually(LONG, || Ok(broker.queue("shop.search")?.is_some_and(|queue| queue.consumers == 2)))?;
        for number in 0..20 {
            ensure!(add::call(&client, number, 1)? == number + 1);
        }
        drop(servers);
        for queue in ["shop", "shop.search"] {
            for beside in ["", ".calls", ".retry", ".quarantine"] {
                let queue = format!("{queue}{beside}");
                ensure!(broker.queue(&queue)?.is_some(), "there is no queue `{queue}`");
                broker.delete_queue(&queue)?;
            }
        }
        broker.delete_queue("shop.dead")?;
    }
    Ok(())
}

fn puts_failed_sends_aside(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = serve(broker)?;
    let client = client(broker)?;
    fail::send(&client, "fault")?;
    client.send_json("shop", "nothing", json!({}))?;
    reset::send(&client)?;
    eventually(LONG, || Ok(broker.queue("shop.dead")?.is_some_and(|queue| queue.messages == 2)))?;
    let letters = DeadLetters::connect(&broker.uri(), "shop")?;
    let listed = letters.list(&Selection::all())?.letters;
    let failed = listed.iter().find(|letter| letter.function() == "fail").context("it is there")?;
    ensure!(
        failed.status() == Some(409) && failed.message().is_some_and(|message| message.contains("there already")),
        "{failed:?}"
    );
    ensure!(listed.iter().any(|letter| letter.status() == Some(404)), "{listed:?}");
    Ok(())
}

/// A server that is killed while it runs a function: the next one runs it once more, and knows.
fn counts_what_kills_it(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut server = serve(broker)?;
    let client = client(broker)?;
    let call = fail::start(&client, "slow")?;
    let early = opaque::start(&client, json!({ "value": 1 }))?;
    ensure!(early.wait()? == json!({ "value": 1 }), "what was sent after it was begun after it");
    server.kill()?;
    server.wait(LONG)?;
    let _next = serve(broker)?;
    call.wait()?;
    eventually(LONG, || {
        let empty = |queue: &str| Ok::<_, anyhow::Error>(broker.queue(queue)?.is_some_and(|queue| queue.messages == 0));
        Ok(empty("shop")? && empty("shop.retry")?)
    })?;
    let answers = Control::connect(&broker.uri())?.wait(LONG).expect(1).statistics(&Target::service("shop"))?;
    let functions = &answers.first().context("it answers")?.lanes[0].services[0].functions;
    let failing = functions.iter().find(|function| function.function == "fail").context("it was called")?;
    ensure!(failing.requests == 1 && failing.redelivered >= 1, "{failing:?}");
    Ok(())
}

fn answers_on_the_control_exchange(broker: &dyn Broker) -> anyhow::Result<()> {
    let server = serve(broker)?;
    let client = client(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    let _fault = fail::call(&client, "fault").unwrap_err();
    let control = Control::connect(&broker.uri())?.wait(LONG).expect(1);
    let pong = control.ping(&Target::all())?;
    let instance = &pong.first().context("it answers")?.instance;
    ensure!((instance.pid, instance.program.as_str()) == (server.id(), "shop_server.js"), "{instance:?}");
    ensure!(server.stdout() == [format!("serving {}", instance.id)], "{instance:?}");
    let info = control.info(&Target::instance(&instance.id))?;
    let info = info.first().context("it answers")?;
    let names: Vec<&str> = info.services[0].functions.iter().map(|function| function.name.as_str()).collect();
    ensure!(names == ["add", "checksum", "fail", "find", "opaque", "place", "reset"], "{info:?}");
    ensure!(info.lanes.len() == 2 && info.lanes[1].lane.as_deref() == Some("search"), "{info:?}");
    ensure!(!info.broker.contains("guest:guest"), "{info:?}");
    let statistics = control.statistics(&Target::service("shop"))?;
    let functions = &statistics.first().context("it answers")?.lanes[0].services[0].functions;
    let counts: Vec<_> =
        functions.iter().map(|of| (of.function.as_str(), of.requests, of.outputs, of.faults)).collect();
    ensure!(counts == [("add", 1, 1, 0), ("fail", 1, 0, 1)], "{counts:?}");
    let contracts = control.contracts(&Target::service("shop"))?;
    let expected = guirpc::contract::Contract::from_json(include_str!("../shop.json"))?;
    ensure!(contracts.first().context("it answers")?.contracts == [expected]);
    Ok(())
}

fn finishes_what_is_in_flight(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut server = serve(broker)?;
    let client = client(broker)?;
    let call = fail::start(&client, "slow")?;
    // It has begun when what was sent after it is done.
    ensure!(add::call(&client, 1, 2)? == 3);
    server.terminate()?;
    call.wait()?;
    ensure!(server.wait(LONG)?.success());
    let queue = broker.queue("shop")?.context("its queue stays")?;
    ensure!((queue.messages, queue.consumers) == (0, 0), "{queue:?}");
    Ok(())
}

fn connects_again(broker: &dyn Broker) -> anyhow::Result<()> {
    let server = serve(broker)?;
    broker.close_all_connections("maintenance")?;
    server.wait_for_log("connected again", LONG)?;
    let client = client(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    broker.delete_queue("shop")?;
    eventually(LONG, || Ok(broker.queue("shop")?.is_some_and(|queue| queue.consumers == 1)))?;
    ensure!(add::call(&client, 1, 2)? == 3);
    Ok(())
}
