//! A server that is written by hand, and reads and writes messages of several calls with a decoder of its own.

use std::collections::BTreeMap;

use amiquip::{
    AmqpProperties, AmqpValue, Channel, Connection, Delivery, ExchangeDeclareOptions, ExchangeType, FieldTable,
    Publish, QueueDeclareOptions,
};
use anyhow::Context;
use harness::{Broker, eventually};
use serde_bytes::ByteBuf;

use crate::service::LONG;

pub(super) const MSGPACK: &str = "application/msgpack";
pub(super) const CALLS: &str = concat!(env!("CARGO_PKG_NAME"), ".calls");

/// A call as it is in a message of several.
pub(super) type Call =
    (String, String, Option<String>, Option<i64>, Option<i64>, Option<BTreeMap<String, String>>, ByteBuf);
pub(super) type Reply = (String, Option<String>, u16, Option<String>, Option<BTreeMap<String, String>>, ByteBuf);

/// A server that does what the test says.
pub(super) struct ByHand {
    pub(super) channel: Channel,
    _connection: Connection,
}

impl ByHand {
    /// With the queues of a service, the second of which takes calls that travel together.
    pub(super) fn serve(broker: &dyn Broker, queues: &[&str]) -> anyhow::Result<Self> {
        let mut connection = Connection::insecure_open(&broker.uri())?;
        let channel = connection.open_channel(None)?;
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        channel.exchange_declare(ExchangeType::Direct, "guirpc", durable)?;
        for queue in queues {
            channel.queue_declare(*queue, QueueDeclareOptions::default())?;
            channel.queue_bind(*queue, "guirpc", *queue, FieldTable::new())?;
        }
        Ok(ByHand { channel, _connection: connection })
    }

    pub(super) fn next(&self, queue: &str) -> anyhow::Result<Delivery> {
        let mut next = None;
        let waited = eventually(LONG, || {
            next = self.channel.basic_get(queue, true)?;
            Ok(next.is_some())
        });
        waited.with_context(|| format!("nothing comes to `{queue}`"))?;
        Ok(next.context("it is there")?.delivery)
    }

    pub(super) fn is_empty(&self, queue: &str) -> anyhow::Result<bool> {
        Ok(self.channel.basic_get(queue, true)?.is_none())
    }

    pub(super) fn next_together(&self) -> anyhow::Result<(Delivery, Vec<Call>)> {
        let delivery = self.next(CALLS)?;
        let calls = rmp_serde::from_slice(&delivery.body)?;
        Ok((delivery, calls))
    }

    pub(super) fn publish(&self, to: &Delivery, properties: AmqpProperties, body: &[u8]) -> anyhow::Result<()> {
        let address = to.properties.reply_to().clone().context("it wants a reply")?;
        Ok(self.channel.basic_publish("", Publish::with_properties(body, address, properties))?)
    }

    /// Replies to one call.
    pub(super) fn reply(&self, to: &Delivery, id: &str, kind: &str, status: i32, body: &[u8]) -> anyhow::Result<()> {
        let status = FieldTable::from([("Response-Status".to_owned(), AmqpValue::LongInt(status))]);
        let properties = AmqpProperties::default()
            .with_type_(kind.to_owned())
            .with_content_type(MSGPACK.to_owned())
            .with_correlation_id(id.to_owned())
            .with_headers(status);
        self.publish(to, properties, body)
    }

    /// Answers a call that travelled by itself.
    pub(super) fn answer(&self, call: &Delivery) -> anyhow::Result<()> {
        self.reply(call, correlation_id(call)?, "output", 200, &sum(&call.body)?)
    }

    pub(super) fn reply_together(&self, to: &Delivery, replies: &[Reply]) -> anyhow::Result<()> {
        self.publish(to, together(), &rmp_serde::to_vec(replies)?)
    }
}

pub(super) fn together() -> AmqpProperties {
    AmqpProperties::default().with_type_("guirpc.replies".to_owned()).with_content_type(MSGPACK.to_owned())
}

pub(super) fn correlation_id(delivery: &Delivery) -> anyhow::Result<&str> {
    delivery.properties.correlation_id().as_deref().context("it has an id")
}

/// What `add` returns.
pub(super) fn sum(arguments: &[u8]) -> anyhow::Result<Vec<u8>> {
    let arguments: BTreeMap<String, i64> = rmp_serde::from_slice(arguments)?;
    Ok(rmp_serde::to_vec(&(arguments["a"] + arguments["b"]))?)
}

pub(super) fn output(call: &Call) -> anyhow::Result<Reply> {
    let (id, .., body) = call;
    Ok((id.clone(), Some("output".to_owned()), 200, Some(MSGPACK.to_owned()), None, ByteBuf::from(sum(body)?)))
}
