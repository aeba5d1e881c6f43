//! The server: one task per request, which replies and then acknowledges.

use anyhow::{Context as _, Result, bail};
use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ExchangeDeclareOptions,
    QueueBindOptions, QueueDeclareOptions, QueuePurgeOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Consumer, ExchangeKind};
use tokio::time::sleep;

use super::dial;
use crate::child::ready;
use crate::message::{EXCHANGE, Function, MSGPACK, PREFETCH};
use crate::tasks::runtime;

/// Serves until the connection is lost.
pub(crate) fn serve(uri: &str, queue: &str) -> Result<()> {
    runtime()?.block_on(async {
        let (consuming, replying) = (dial(uri).await?, dial(uri).await?);
        let (channel, replies) = (consuming.create_channel().await?, replying.create_channel().await?);
        let mut consumer = consume(&channel, queue).await?;
        ready("");
        while let Some(request) = consumer.next().await {
            let (request, replies) = (request?, replies.clone());
            tokio::spawn(async move {
                if let Err(error) = answer(&replies, &request).await {
                    eprintln!("{error:#}");
                }
            });
        }
        bail!("lost the connection")
    })
}

async fn consume(channel: &Channel, queue: &str) -> Result<Consumer> {
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(EXCHANGE.into(), ExchangeKind::Direct, durable, FieldTable::default()).await?;
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), FieldTable::default()).await?;
    let (bind, arguments) = (QueueBindOptions::default(), FieldTable::default());
    channel.queue_bind(queue.into(), EXCHANGE.into(), queue.into(), bind, arguments).await?;
    channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await?;
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let (consume, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    channel.basic_consume(queue.into(), "".into(), consume, arguments).await.context("consume requests")
}

async fn answer(replies: &Channel, request: &Delivery) -> Result<()> {
    let asked = &request.properties;
    let function = Function::named(asked.kind().as_ref().map(ShortString::as_str))?;
    if let Some(time) = function.time() {
        sleep(time).await;
    }
    let output = function.execute(&request.data)?;
    let reply_to = asked.reply_to().clone().context("a request without `reply_to`")?;
    let correlation_id = asked.correlation_id().clone().context("a request without a correlation id")?;
    let mut headers = FieldTable::default();
    headers.insert("Response-Status".into(), AMQPValue::LongInt(200));
    let properties = BasicProperties::default()
        .with_content_type(MSGPACK.into())
        .with_type("output".into())
        .with_correlation_id(correlation_id)
        .with_delivery_mode(1)
        .with_headers(headers);
    let options = BasicPublishOptions::default();
    replies.basic_publish("".into(), reply_to, options, &output, properties).await.context("publish a reply")?;
    request.acker.ack(BasicAckOptions::default()).await.context("acknowledge")?;
    Ok(())
}
