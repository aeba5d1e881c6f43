//! The server's side of one call.

use std::thread;

use amiquip::{AmqpProperties, AmqpValue, Channel, ConsumerMessage, Delivery, FieldTable, Publish};
use anyhow::{Context as _, Result, bail};

use crate::message::{Function, MSGPACK};

/// The delivery, or the reason why there are no more.
pub(super) fn delivery(message: ConsumerMessage) -> Result<Delivery> {
    match message {
        ConsumerMessage::Delivery(delivery) => Ok(delivery),
        other => bail!("no more deliveries: {other:?}"),
    }
}

/// Runs the function that was called and publishes its output.
pub(super) fn reply(channel: &Channel, request: &Delivery) -> Result<()> {
    let asked = &request.properties;
    let function = Function::named(asked.type_().as_deref())?;
    if let Some(time) = function.time() {
        thread::sleep(time);
    }
    let output = function.execute(&request.body)?;
    let reply_to = asked.reply_to().clone().context("a request without `reply_to`")?;
    let correlation_id = asked.correlation_id().clone().context("a request without a correlation id")?;
    let mut headers = FieldTable::new();
    headers.insert("Response-Status".to_owned(), AmqpValue::LongInt(200));
    let properties = AmqpProperties::default()
        .with_content_type(MSGPACK.to_owned())
        .with_type_("output".to_owned())
        .with_correlation_id(correlation_id)
        .with_delivery_mode(1)
        .with_headers(headers);
    channel.basic_publish("", Publish::with_properties(&output, reply_to, properties)).context("publish a reply")
}
