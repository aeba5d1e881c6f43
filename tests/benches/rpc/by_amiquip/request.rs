//! The client's side of one call.

use amiquip::{AmqpProperties, AmqpValue, Channel, Consumer, ConsumerOptions, Delivery, FieldTable, Publish, Return};
use anyhow::{Context as _, Error, Result, anyhow};
use crossbeam_channel::Receiver;

use crate::message::{self, Correlation, EXCHANGE, MSGPACK, Question, REPLY_TO, TIMEOUT};

/// Consumes the replies to the requests that this channel publishes.
pub(super) fn replies(channel: &Channel) -> Result<(Consumer<'_>, Receiver<Return>)> {
    let options = ConsumerOptions { no_ack: true, ..ConsumerOptions::default() };
    let replies = channel.basic_consume(REPLY_TO, options).context("consume replies")?;
    let returns = channel.listen_for_returns().context("listen for returns")?;
    Ok((replies, returns))
}

/// A request that is ready to be published: made outside of any lock.
pub(super) struct Request {
    body: Vec<u8>,
    properties: AmqpProperties,
}

impl Request {
    /// The request for one call, with the properties that guirpc sends.
    pub(super) fn new(question: &Question, correlation_id: String) -> Result<Self> {
        let mut headers = FieldTable::new();
        headers.insert("guirpc-deadline".to_owned(), AmqpValue::LongLongInt(message::deadline()));
        headers.insert("guirpc-timeout".to_owned(), AmqpValue::LongLongInt(message::millis(TIMEOUT)));
        let properties = AmqpProperties::default()
            .with_content_type(MSGPACK.to_owned())
            .with_type_(question.function.name().to_owned())
            .with_correlation_id(correlation_id)
            .with_reply_to(REPLY_TO.to_owned())
            .with_expiration(TIMEOUT.as_millis().to_string())
            .with_delivery_mode(1)
            .with_app_id("bench".to_owned())
            .with_headers(headers);
        Ok(Self { body: question.request()?, properties })
    }

    /// Publishes it to the queue, which must exist.
    pub(super) fn publish(self, channel: &Channel, queue: &str) -> Result<()> {
        let mut publish = Publish::with_properties(&self.body, queue, self.properties);
        publish.mandatory = true;
        channel.basic_publish(EXCHANGE, publish).context("publish a request")
    }
}

/// The call that a reply answers, and the body.
pub(super) fn answer(correlation: &Correlation, reply: Delivery) -> Result<(u64, Vec<u8>)> {
    let call = correlation.call(reply.properties.correlation_id().as_deref())?;
    Ok((call, reply.body))
}

/// What a returned request means.
pub(super) fn unroutable(returned: &Return) -> Error {
    anyhow!("a request to `{}` was returned: {}", returned.routing_key, returned.reply_text)
}
