//! Both forms of the client, with both kinds of models, against the service in Rust.

use amiquip::{
    AmqpProperties, AmqpValue, Channel, Connection, Delivery, ExchangeDeclareOptions, ExchangeType, FieldTable,
    Publish, QueueDeclareOptions,
};
use anyhow::{Context, ensure};
use guirpc::DeadLetters;
use guirpc::dead_letters::Selection;
use harness::{Broker, Case, eventually};

use super::{LONG, MODELS, Package, SHOP, passed, start};
use crate::conformance::start_rust_server;

const FORMS: [&str; 2] = ["asynchronous.py", "blocking.py"];

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::shared("python::client::every_function_is_called", every_function_is_called),
        Case::shared("python::client::what_is_not_served_is_unroutable", what_is_not_served_is_unroutable),
        Case::shared("python::client::without_a_broker_nothing_is_sent", without_a_broker_nothing_is_sent),
        Case::shared("python::client::what_is_too_large_is_told", what_is_too_large_is_told),
        Case::shared("python::client::a_send_that_fails_is_a_dead_letter", a_send_that_fails_is_a_dead_letter),
        Case::shared("python::client::a_request_is_as_the_wire_format_has_it", a_request_is_as_the_wire_format_has_it),
        Case::exclusive("python::client::a_lost_connection_is_told", a_lost_connection_is_told),
        Case::exclusive("python::client::an_idempotent_call_is_made_again", an_idempotent_call_is_made_again),
    ]
}

/// A case in both forms, without anything to do here.
fn both(broker: &dyn Broker, models: &str, case: &str) -> anyhow::Result<()> {
    let package = Package::of_shop(models)?;
    for form in FORMS {
        passed(&mut start(&package, broker, form, case)?).with_context(|| format!("{form} with {models}"))?;
    }
    Ok(())
}

fn every_function_is_called(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = start_rust_server(broker)?;
    MODELS.into_iter().try_for_each(|models| both(broker, models, "every_function"))
}

fn what_is_not_served_is_unroutable(broker: &dyn Broker) -> anyhow::Result<()> {
    // Neither before there is the exchange, nor afterwards.
    both(broker, MODELS[0], "nobody_serves")?;
    exchange(&Connection::insecure_open(&broker.uri())?.open_channel(None)?)?;
    both(broker, MODELS[0], "nobody_serves")
}

fn without_a_broker_nothing_is_sent(broker: &dyn Broker) -> anyhow::Result<()> {
    both(broker, MODELS[0], "no_broker")
}

fn what_is_too_large_is_told(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = start_rust_server(broker)?;
    both(broker, MODELS[0], "too_large")
}

fn a_send_that_fails_is_a_dead_letter(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = start_rust_server(broker)?;
    both(broker, MODELS[0], "sends")?;
    let letters = DeadLetters::connect(&broker.uri(), "shop")?;
    let mut dead = Vec::new();
    eventually(LONG, || {
        let list = letters.list(&Selection::all())?;
        dead = list.letters.iter().map(|letter| letter.function().to_owned()).collect();
        Ok(dead.len() >= 4)
    })?;
    dead.sort();
    ensure!(dead == ["fail", "fail", "place", "place"], "{dead:?}");
    Ok(())
}

fn exchange(channel: &Channel) -> anyhow::Result<()> {
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(ExchangeType::Direct, "guirpc", durable)?;
    Ok(())
}

/// The queue of a service that somebody plays.
fn declare(channel: &Channel) -> anyhow::Result<()> {
    exchange(channel)?;
    channel.queue_declare("shop", QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() })?;
    Ok(channel.queue_bind("shop", "guirpc", "shop", FieldTable::new())?)
}

fn next(channel: &Channel) -> anyhow::Result<Delivery> {
    let mut next = None;
    eventually(LONG, || {
        next = channel.basic_get("shop", true)?;
        Ok(next.is_some())
    })?;
    Ok(next.context("it is there")?.delivery)
}

fn text<'d>(request: &'d Delivery, name: &str) -> Option<&'d str> {
    match request.properties.headers().as_ref()?.get(name)? {
        AmqpValue::LongString(text) => Some(text),
        _ => None,
    }
}

fn integer(request: &Delivery, name: &str) -> Option<i64> {
    match request.properties.headers().as_ref()?.get(name)? {
        AmqpValue::LongLongInt(number) => Some(*number),
        AmqpValue::LongInt(number) => Some((*number).into()),
        AmqpValue::ShortInt(number) => Some((*number).into()),
        AmqpValue::ShortUInt(number) => Some((*number).into()),
        _ => None,
    }
}

fn a_request_is_as_the_wire_format_has_it(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    declare(&channel)?;
    let package = Package::of_shop(MODELS[0])?;
    let mut ids = Vec::new();
    for form in FORMS {
        let mut client = start(&package, broker, form, "one_request")?;
        let call = next(&channel)?;
        let properties = &call.properties;
        ensure!(call.exchange == "guirpc" && call.routing_key == "shop", "{call:?}");
        ensure!(properties.type_().as_deref() == Some("add"), "{form}: {properties:?}");
        ensure!(properties.content_type().as_deref() == Some("application/msgpack"), "{form}: {properties:?}");
        ensure!(*properties.delivery_mode() == Some(1) && properties.reply_to().is_some(), "{form}: {properties:?}");
        ensure!(rmp_serde::from_slice::<serde_json::Value>(&call.body)? == serde_json::json!({ "a": 1, "b": 2 }));
        let expiration: i64 = properties.expiration().as_deref().context("it expires")?.parse()?;
        let timeout = integer(&call, "guirpc-timeout").context("it has a timeout")?;
        ensure!((1..=5000).contains(&expiration) && (1..=5000).contains(&timeout), "{expiration} {timeout}");
        ensure!(integer(&call, "guirpc-deadline").is_some_and(|deadline| deadline > 1_600_000_000_000));
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        ensure!(text(&call, "traceparent") == Some(trace) && text(&call, "tenant") == Some("acme"));
        let contract = guirpc::contract::Contract::from_json(SHOP)?;
        ensure!(text(&call, "guirpc-contract") == Some(contract.hash.as_str()));
        ids.push(properties.correlation_id().clone().context("it has an id")?);

        let send = next(&channel)?;
        let properties = &send.properties;
        ensure!(properties.type_().as_deref() == Some("place") && properties.reply_to().is_none(), "{properties:?}");
        ensure!(*properties.delivery_mode() == Some(2), "{properties:?}");
        ensure!(properties.expiration().as_deref() == Some("30000"), "{properties:?}");
        let body: serde_json::Value = rmp_serde::from_slice(&send.body)?;
        let expected = serde_json::json!({ "order": {
            "article": { "id": 5, "name": "tea", "tags": ["hot"] }, "count": 3, "note": null,
            "delivery": { "kind": "parcel", "street": "Mill Lane", "weight": 1.5 },
            "prices": { "unit": 2.5 }, "size": { "Custom": [3, 4] }
        } });
        ensure!(body == expected, "{body}");
        passed(&mut client)?;
    }
    ensure!(ids[0] != ids[1] && ids.iter().all(|id| id.len() >= 22), "they can be guessed: {ids:?}");
    Ok(())
}

fn a_lost_connection_is_told(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let _shop = start_rust_server(broker)?;
    let package = Package::of_shop(MODELS[0])?;
    for form in FORMS {
        let mut client = start(&package, broker, form, "lost_connection")?;
        client.wait_for_line("ready", LONG)?;
        eventually(LONG, || Ok(broker.queue("shop")?.is_some_and(|queue| queue.unacked > 0)))?;
        broker.close_all_connections("for the test")?;
        passed(&mut client).context(form)?;
    }
    Ok(())
}

fn an_idempotent_call_is_made_again(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let package = Package::of_shop(MODELS[0])?;
    declare(&Connection::insecure_open(&broker.uri())?.open_channel(None)?)?;
    for form in FORMS {
        let mut client = start(&package, broker, form, "calls_an_idempotent_function_again")?;
        let first = next(&Connection::insecure_open(&broker.uri())?.open_channel(None)?)?;
        broker.close_all_connections("for the test")?;
        let mut connection = Connection::insecure_open(&broker.uri())?;
        let channel = connection.open_channel(None)?;
        let again = next(&channel)?;
        let id = again.properties.correlation_id().clone().context("it has an id")?;
        ensure!(first.properties.correlation_id().as_deref() == Some(&*id) && first.body == again.body, "{again:?}");
        let headers = FieldTable::from([("Response-Status".to_owned(), AmqpValue::LongInt(200))]);
        let properties = AmqpProperties::default()
            .with_type_("output".to_owned())
            .with_content_type("application/msgpack".to_owned())
            .with_correlation_id(id)
            .with_headers(headers);
        let address = again.properties.reply_to().clone().context("it wants a reply")?;
        channel.basic_publish("", Publish::with_properties(&[3], address, properties))?;
        passed(&mut client).context(form)?;
    }
    Ok(())
}
