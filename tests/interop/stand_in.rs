//! A consumer that stands where the original's would, sees each request as it comes, and answers anything.

use amiquip::{
    AmqpProperties, AmqpValue, Connection, ConsumerMessage, ConsumerOptions, ExchangeDeclareOptions, ExchangeType,
    FieldTable, Publish, QueueDeclareOptions,
};
use anyhow::{Context, Result, bail, ensure};
use guirpc::{CallError, Client, Dialect, Pending, Reply};
use harness::{Broker, Case};
use serde_json::{Value, json};

use crate::python::{EXCHANGE, LONG, QUEUE};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("stand_in::sees_what_the_originals_producer_sends", sees_what_the_originals_producer_sends),
        Case::shared("stand_in::nonsense_is_undecodable", nonsense_is_undecodable),
    ]
}

#[guirpc::function(service = "foobar", dialect = "python")]
fn foobar_sum(foo: i64, bar: i64) -> Value;

#[guirpc::function(service = "foobar", dialect = "python", python(request = "binary"))]
fn echo(object: Value) -> Value;

/// Has the client make calls, and answers each; gives the requests.
fn answer<T>(
    broker: &dyn Broker,
    start: impl Fn(&Client) -> Result<Pending<T>>,
    replies: &[(AmqpProperties, &[u8])],
    mut check: impl FnMut(&AmqpProperties, &[u8], Result<Reply<T>, CallError>) -> Result<()>,
) -> Result<()> {
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    channel.exchange_declare(ExchangeType::Direct, EXCHANGE, ExchangeDeclareOptions::default())?;
    channel.queue_declare(QUEUE, QueueDeclareOptions::default())?;
    channel.queue_bind(QUEUE, EXCHANGE, QUEUE, FieldTable::new())?;
    let consumer = channel.basic_consume(QUEUE, ConsumerOptions { no_ack: true, ..ConsumerOptions::default() })?;
    let client = Client::connect(broker.uri())?.with_timeout(LONG).with_routing_key(QUEUE);
    for (properties, body) in replies {
        let call = start(&client)?;
        let ConsumerMessage::Delivery(request) = consumer.receiver().recv_timeout(LONG)? else {
            bail!("the consumer ended");
        };
        let to = request.properties.reply_to().clone().context("it wants a reply")?;
        let id = request.properties.correlation_id().clone().context("it has a name")?;
        channel.basic_publish("", Publish::with_properties(body, to, properties.clone().with_correlation_id(id)))?;
        check(&request.properties, &request.body, call.wait_reply())?;
    }
    Ok(())
}

/// Properties of a reply with these headers.
fn headers(headers: &[(&str, AmqpValue)]) -> AmqpProperties {
    AmqpProperties::default()
        .with_headers(headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn text(text: &str) -> AmqpValue {
    AmqpValue::LongString(text.to_owned())
}

fn json_reply() -> AmqpProperties {
    headers(&[("Response-Status", AmqpValue::LongInt(200)), ("Response-Serializer", text("JsonSerializer"))])
        .with_content_type("application/json".to_owned())
        .with_content_encoding("ascii".to_owned())
}

fn sees_what_the_originals_producer_sends(broker: &dyn Broker) -> Result<()> {
    let reply = [(json_reply(), &b"eyJyZXN1bHQiOiAzfQ==\n"[..])];
    let sum = |client: &Client| Ok(foobar_sum::start(client, 1, 2)?);
    answer(broker, sum, &reply, |request, body, reply| {
        ensure!(reply?.into_value() == json!({ "result": 3 }));
        ensure!(body == b"eyJmb28iOiAxLCAiYmFyIjogMn0=\n", "{body:?}");
        ensure!(request.type_().is_none() && request.content_type().as_deref() == Some("application/json"));
        ensure!(request.content_encoding().as_deref() == Some("ascii") && *request.delivery_mode() == Some(2));
        ensure!(request.app_id().as_deref() == Some("Unknown"));
        let headers = request.headers().as_ref().context("it has headers")?;
        ensure!(headers.get("FaaS-Name") == Some(&text("foobar_sum")), "{headers:?}");
        // What is ours: when the caller gives up.
        let mut names: Vec<&str> = headers.keys().map(String::as_str).collect();
        names.sort_unstable();
        ensure!(names == ["FaaS-Name", "guirpc-deadline", "guirpc-timeout"] && request.expiration().is_some());
        Ok(())
    })?;
    let echo = |client: &Client| Ok(echo::start(&client.with_app_id("me").with_header("tenant", "a"), json!(1))?);
    answer(broker, echo, &reply, |request, _, reply| {
        reply?;
        ensure!(request.content_type().is_none() && request.content_encoding().is_none());
        ensure!(request.app_id().as_deref() == Some("me"));
        ensure!(request.headers().as_ref().is_some_and(|headers| headers.get("tenant") == Some(&text("a"))));
        Ok(())
    })
}

fn nonsense_is_undecodable(broker: &dyn Broker) -> Result<()> {
    let status = ("Response-Status", AmqpValue::LongInt(200));
    let serializer = |name| ("Response-Serializer", text(name));
    let good = &b"e30=\n"[..];
    let replies = [
        (AmqpProperties::default(), good),
        (headers(&[("x", AmqpValue::Void)]), good),
        (headers(std::slice::from_ref(&status)), good),
        (headers(&[serializer("JsonSerializer")]), good),
        (headers(&[status.clone(), serializer("YamlSerializer")]), good),
        (headers(&[status.clone(), ("Response-Serializer", AmqpValue::LongInt(1))]), good),
        (headers(&[("Response-Status", AmqpValue::Boolean(true)), serializer("JsonSerializer")]), good),
        (headers(&[("Response-Status", AmqpValue::LongInt(-200)), serializer("JsonSerializer")]), good),
        (json_reply(), b"abcde"),
        (json_reply(), b""),
        (json_reply(), b"e3t7\n"),
        (json_reply(), b"w7E=\n"),
        (json_reply(), b"\xff\xfe"),
        (headers(&[status, serializer("BinarySerializer")]), good),
    ];
    let start = |client: &Client| {
        Ok(client.with_dialect(Dialect::Python)).and_then(|client| Ok(foobar_sum::start(&client, 1, 2)?))
    };
    answer(broker, start, &replies, |_, _, reply| {
        let error = reply.map(Reply::into_value).expect_err("it is nonsense");
        ensure!(matches!(error, CallError::Undecodable { .. }) && error.may_have_run(), "{error:?}");
        Ok(())
    })?;
    // And what is none after all that.
    answer(broker, start, &[(json_reply(), good)], |_, _, reply| {
        ensure!(reply?.into_value() == json!({}));
        Ok(())
    })
}
