//! The cases: each notes what its client sees.

use anyhow::{Context, Result};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicPublishOptions, BasicQosOptions,
    BasicRejectOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
    QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, ExchangeKind};

use super::Client;

type Case = for<'a> fn(&'a mut Client) -> LocalBoxFuture<'a, Result<()>>;

/// All cases, by the names of their transcripts.
pub(super) const CASES: [(&str, Case); 13] = [
    ("ack", |client| Box::pin(ack(client))),
    ("cancelled-by-the-broker", |client| Box::pin(cancelled_by_the_broker(client))),
    ("confirm", |client| Box::pin(confirm(client))),
    ("dead-letter", |client| Box::pin(dead_letter(client))),
    ("declare", |client| Box::pin(declare(client))),
    ("exclusive", |client| Box::pin(exclusive(client))),
    ("get", |client| Box::pin(get(client))),
    ("large-body", |client| Box::pin(large_body(client))),
    ("mandatory", |client| Box::pin(mandatory(client))),
    ("nack-requeue", |client| Box::pin(nack_requeue(client))),
    ("qos", |client| Box::pin(qos(client))),
    ("reply-to", |client| Box::pin(reply_to(client))),
    ("unknown-queue", |client| Box::pin(unknown_queue(client))),
];

async fn declare(client: &mut Client) -> Result<()> {
    let (exchange, bind, none) =
        (ExchangeDeclareOptions::default(), QueueBindOptions::default(), FieldTable::default());
    client.channel.exchange_declare("e".into(), ExchangeKind::Topic, exchange, none.clone()).await?;
    client.declare("q", QueueDeclareOptions::durable(), none.clone()).await?;
    client.channel.queue_bind("q".into(), "e".into(), "a.#".into(), bind, none.clone()).await?;
    client.declare("q", QueueDeclareOptions::durable(), none.clone()).await?;
    let differently = client.channel.queue_declare("q".into(), QueueDeclareOptions::default(), none).await;
    client.notes("declare it differently", differently);
    Ok(())
}

async fn confirm(client: &mut Client) -> Result<()> {
    client.declare("q", QueueDeclareOptions::default(), FieldTable::default()).await?;
    client.publish("q", "one").await?;
    client.publish("q", "two").await
}

async fn mandatory(client: &mut Client) -> Result<()> {
    client.publish("nowhere", "one").await
}

async fn get(client: &mut Client) -> Result<()> {
    client.declare("q", QueueDeclareOptions::default(), FieldTable::default()).await?;
    client.get("q").await?;
    client.publish("q", "one").await?;
    client.get("q").await?.context("it is there")?.ack(BasicAckOptions::default()).await?;
    client.get("q").await?;
    Ok(())
}

async fn ack(client: &mut Client) -> Result<()> {
    client.declare("q", QueueDeclareOptions::default(), FieldTable::default()).await?;
    let mut consumer = client.consume("q", BasicConsumeOptions::default()).await?;
    client.publish("q", "one").await?;
    client.publish("q", "two").await?;
    client.next(&mut consumer).await?;
    client.next(&mut consumer).await?.ack(BasicAckOptions { multiple: true }).await?;
    client.channel.basic_cancel("c".into(), BasicCancelOptions::default()).await?;
    client.get("q").await?;
    Ok(())
}

async fn nack_requeue(client: &mut Client) -> Result<()> {
    client.declare("q", QueueDeclareOptions::default(), FieldTable::default()).await?;
    client.publish("q", "one").await?;
    let mut consumer = client.consume("q", BasicConsumeOptions::default()).await?;
    let requeue = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
    client.next(&mut consumer).await?.nack(requeue).await?;
    client.next(&mut consumer).await?.ack(BasicAckOptions::default()).await?;
    Ok(())
}

async fn dead_letter(client: &mut Client) -> Result<()> {
    let mut arguments = FieldTable::default();
    for (name, value) in [("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", "dead")] {
        arguments.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    client.declare("dead", QueueDeclareOptions::default(), FieldTable::default()).await?;
    client.declare("q", QueueDeclareOptions::default(), arguments).await?;
    client.publish("q", "one").await?;
    client.get("q").await?.context("it is there")?.reject(BasicRejectOptions::default()).await?;
    let mut consumer = client.consume("dead", BasicConsumeOptions::default()).await?;
    let dead = client.next(&mut consumer).await?;
    let headers = dead.properties.headers().clone().unwrap_or_default();
    let mut names: Vec<&str> = headers.inner().keys().map(ShortString::as_str).collect();
    names.sort_unstable();
    client.sees(format!("with the headers {}", names.join(", ")));
    Ok(())
}

async fn qos(client: &mut Client) -> Result<()> {
    client.declare("q", QueueDeclareOptions::default(), FieldTable::default()).await?;
    client.channel.basic_qos(1, BasicQosOptions::default()).await?;
    let mut consumer = client.consume("q", BasicConsumeOptions::default()).await?;
    client.publish("q", "one").await?;
    let one = client.next(&mut consumer).await?;
    client.publish("q", "two").await?;
    client.declare("q", QueueDeclareOptions::default(), FieldTable::default()).await?;
    one.ack(BasicAckOptions::default()).await?;
    client.next(&mut consumer).await?;
    Ok(())
}

async fn large_body(client: &mut Client) -> Result<()> {
    client.declare("q", QueueDeclareOptions::default(), FieldTable::default()).await?;
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    let body = vec![b'x'; 300_000];
    client.channel.basic_publish("".into(), "q".into(), options, &body, properties).await?.await?;
    let mut consumer = client.consume("q", BasicConsumeOptions::default()).await?;
    let delivery = consumer.next().await.context("the consumer has ended")??;
    client.sees(format!("delivered {} bytes", delivery.data.len()));
    Ok(())
}

async fn reply_to(client: &mut Client) -> Result<()> {
    const REPLY_TO: &str = "amq.rabbitmq.reply-to";
    client.declare("q", QueueDeclareOptions::default(), FieldTable::default()).await?;
    let no_ack = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let mut replies = client.consume(REPLY_TO, no_ack).await?;
    let request = BasicProperties::default().with_reply_to(REPLY_TO.into()).with_correlation_id("7".into());
    let options = BasicPublishOptions::default();
    client.channel.confirm_select(ConfirmSelectOptions::default()).await?;
    client.channel.basic_publish("".into(), "q".into(), options, b"request", request).await?.await?;

    let mut server = Client::connect(&client.uri).await?;
    let request = server.get("q").await?.context("it is there")?;
    let address = request.properties.reply_to().clone().context("no address")?;
    let id = request.properties.correlation_id().clone().context("no correlation id")?;
    let reply = BasicProperties::default().with_correlation_id(id);
    server.channel.basic_publish("".into(), address, options, b"reply", reply).await?.await?;
    client.seen.append(&mut server.seen);
    let reply = client.next(&mut replies).await?;
    client.sees(format!(
        "with the correlation id {:?}",
        reply.properties.correlation_id().as_ref().map(ShortString::as_str)
    ));
    server.connection.close(200, "".into()).await?;
    Ok(())
}

async fn cancelled_by_the_broker(client: &mut Client) -> Result<()> {
    client.declare("q", QueueDeclareOptions::default(), FieldTable::default()).await?;
    let mut consumer = client.consume("q", BasicConsumeOptions::default()).await?;
    let other = Client::connect(&client.uri).await?;
    other.channel.queue_delete("q".into(), QueueDeleteOptions::default()).await?;
    let ended = consumer.next().await.is_none();
    client.sees(if ended { "the consumer has ended" } else { "the consumer goes on" });
    client.declare("q", QueueDeclareOptions::default(), FieldTable::default()).await?;
    client.publish("q", "one").await?;
    let mut consumer = client.consume("q", BasicConsumeOptions::default()).await?;
    client.next(&mut consumer).await?;
    other.connection.close(200, "".into()).await?;
    Ok(())
}

async fn exclusive(client: &mut Client) -> Result<()> {
    let exclusive = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    client.declare("q", exclusive, FieldTable::default()).await?;
    let other = Client::connect(&client.uri).await?;
    let declared = other.channel.queue_declare("q".into(), exclusive, FieldTable::default()).await;
    client.notes("another connection declares it", declared);
    other.connection.close(200, "".into()).await?;
    Ok(())
}

async fn unknown_queue(client: &mut Client) -> Result<()> {
    let consumed = client.consume("nowhere", BasicConsumeOptions::default()).await;
    client.notes("consume from a queue that does not exist", consumed);
    client.channel = client.connection.create_channel().await?;
    client.declare("q", QueueDeclareOptions::default(), FieldTable::default()).await
}
