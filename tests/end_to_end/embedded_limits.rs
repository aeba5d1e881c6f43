//! The embedded broker's memory stays bounded, whatever its clients do or leave undone.

use amiquip::{
    AmqpProperties, Channel, Confirm, Connection, ConnectionBlockedNotification as Blocked, Consumer, ConsumerMessage,
    ConsumerOptions, FieldTable, Publish, QueueDeclareOptions, QueueDeleteOptions,
};
use anyhow::{Context, bail, ensure};
use crossbeam_channel::select;
use guirpc::embedded::Broker;
use harness::{Case, Proxy, eventually};

use crate::service::LONG;

const MIB: usize = 1 << 20;
const REPLIES: &str = "amq.rabbitmq.reply-to";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::embedded("limits::who_does_not_read_is_given_no_more", who_does_not_read_is_given_no_more),
        Case::embedded("limits::who_does_not_read_replies_is_cut_off", who_does_not_read_replies_is_cut_off),
        Case::embedded("limits::too_many_messages_block_publishers", too_many_messages_block_publishers),
    ]
}

/// A consumer that wants no acknowledgements has no prefetch: only the broker itself can hold back.
fn who_does_not_read_is_given_no_more(broker: &Broker) -> anyhow::Result<()> {
    const COUNT: usize = 64;
    let road = Proxy::to(broker.port())?;
    let mut reader = Connection::insecure_open(&road.detour(&broker.uri()))?;
    let channel = reader.open_channel(None)?;
    let consumer = consume_letters(&channel)?;
    road.freeze();
    let mut writer = Connection::insecure_open(&broker.uri())?;
    publish(&writer.open_channel(None)?, COUNT)?;
    let waiting = broker.queue("letters").context("it was declared")?.messages;
    // What the sockets hold is the system's affair.
    ensure!(waiting >= COUNT / 2, "{} MiB wait for a client that does not read", COUNT - waiting);

    road.thaw();
    for number in 0..COUNT {
        let ConsumerMessage::Delivery(delivery) = consumer.receiver().recv_timeout(LONG)? else { bail!("it ended") };
        ensure!(delivery.body == letter(number), "message {number} is another");
    }
    Ok(writer.close()?)
}

/// Replies have no queue in which they could wait.
fn who_does_not_read_replies_is_cut_off(broker: &Broker) -> anyhow::Result<()> {
    let road = Proxy::to(broker.port())?;
    let mut asking = Connection::insecure_open(&road.detour(&broker.uri()))?;
    let channel = asking.open_channel(None)?;
    channel.queue_declare("letters", QueueDeclareOptions::default())?;
    let options = ConsumerOptions { no_ack: true, ..ConsumerOptions::default() };
    let _replies = channel.basic_consume(REPLIES, options)?;
    let request = AmqpProperties::default().with_reply_to(REPLIES.to_owned());
    channel.basic_publish("", Publish::with_properties(b"?", "letters", request))?;

    let mut answering = Connection::insecure_open(&broker.uri())?;
    let channel = answering.open_channel(None)?;
    let mut request = None;
    eventually(LONG, || {
        request = channel.basic_get("letters", true)?;
        Ok(request.is_some())
    })?;
    let address = request.and_then(|got| got.delivery.properties.reply_to().clone()).context("no address")?;
    ensure!(broker.connections().len() == 2);
    road.freeze();
    let reply = vec![0; MIB];
    for _ in 0..256 {
        channel.basic_publish("", Publish::new(&reply, &address))?;
    }
    eventually(LONG, || Ok(broker.connections().len() == 1))?;
    road.cut();
    Ok(answering.close()?)
}

fn too_many_messages_block_publishers(broker: &Broker) -> anyhow::Result<()> {
    let mut writer = Connection::insecure_open(&broker.uri())?;
    let blocked = writer.listen_for_connection_blocked()?;
    let channel = writer.open_channel(None)?;
    channel.queue_declare("letters", QueueDeclareOptions::default())?;
    let confirms = channel.listen_for_publisher_confirms()?;
    channel.enable_publisher_confirms()?;
    let large = vec![0; 16 * MIB];
    let mut taken = 0;
    let told = loop {
        ensure!(taken < 64, "the broker takes a gigabyte");
        channel.basic_publish("", Publish::new(&large, "letters"))?;
        select! {
            recv(confirms) -> confirm => ensure!(matches!(confirm?, Confirm::Ack(_))),
            recv(blocked) -> told => break told?,
        }
        taken += 1;
    };
    ensure!(matches!(told, Blocked::Blocked(_)));

    let mut reader = Connection::insecure_open(&broker.uri())?;
    let deleted = reader.open_channel(None)?.queue_delete("letters", QueueDeleteOptions::default())?;
    ensure!(deleted.abs_diff(taken) <= 1, "{deleted} messages for {taken}");
    ensure!(matches!(blocked.recv_timeout(LONG)?, Blocked::Unblocked));
    // The one that it would not read: taken now, and lost, since it has no queue any more.
    ensure!(matches!(confirms.recv_timeout(LONG)?, Confirm::Ack(_)));
    Ok(writer.close()?)
}

fn consume_letters(channel: &Channel) -> anyhow::Result<Consumer<'_>> {
    channel.queue_declare("letters", QueueDeclareOptions::default())?;
    let options = ConsumerOptions { no_ack: true, arguments: FieldTable::new(), ..ConsumerOptions::default() };
    Ok(channel.basic_consume("letters", options)?)
}

/// Publishes so many letters, each of a MiB, and waits until the broker has them.
fn publish(channel: &Channel, count: usize) -> anyhow::Result<()> {
    let confirms = channel.listen_for_publisher_confirms()?;
    channel.enable_publisher_confirms()?;
    for number in 0..count {
        channel.basic_publish("", Publish::new(&letter(number), "letters"))?;
        confirms.recv_timeout(LONG).context("not confirmed")?;
    }
    Ok(())
}

fn letter(number: usize) -> Vec<u8> {
    vec![u8::try_from(number).unwrap_or(u8::MAX); MIB]
}
