//! Cases with lapin, a client that nobody here wrote: what it makes of what a broker sends.

mod cases;

use std::fmt::Display;
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};
use tokio::runtime::Builder;
use tokio::time::timeout;

use self::cases::CASES;
use crate::names::Names;
use crate::play::Address;

const LONG: Duration = Duration::from_secs(30);

/// A connection with one channel, and what was seen on it.
struct Client {
    uri: String,
    connection: Connection,
    channel: Channel,
    seen: Vec<String>,
}

/// The names of its cases.
pub(crate) fn cases() -> impl Iterator<Item = &'static str> {
    CASES.iter().map(|(name, _)| *name)
}

/// Plays a case; gives what its client saw.
pub(crate) fn play(name: &str, address: &Address) -> Result<Vec<String>> {
    let (_, case) = CASES.iter().find(|(case, _)| *case == name).with_context(|| format!("no case {name} of lapin"))?;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let mut client = Client::connect(&address.uri()).await?;
        timeout(LONG, case(&mut client))
            .await
            .with_context(|| format!("it takes too long after {:?}", client.seen))??;
        if client.connection.status().connected() {
            client.connection.close(200, "".into()).await?;
        }
        let mut names = Names::of(&address.vhost);
        Ok(client.seen.iter().map(|line| names.hide(line)).collect())
    })
}

impl Client {
    async fn connect(uri: &str) -> Result<Self> {
        let connection = Connection::connect(uri, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        Ok(Self { uri: uri.to_owned(), connection, channel, seen: Vec::new() })
    }

    fn sees(&mut self, what: impl Into<String>) {
        self.seen.push(what.into());
    }

    /// Notes whether something worked, or what the client says about it.
    fn notes<T>(&mut self, what: &str, outcome: Result<T, impl Display>) -> Option<T> {
        match outcome {
            Ok(value) => {
                self.sees(format!("{what}: done"));
                Some(value)
            }
            Err(error) => {
                self.sees(format!("{what}: {error}"));
                None
            }
        }
    }

    async fn declare(&mut self, queue: &str, options: QueueDeclareOptions, arguments: FieldTable) -> Result<()> {
        let queue = self.channel.queue_declare(queue.into(), options, arguments).await?;
        let (name, messages, consumers) = (queue.name().as_str(), queue.message_count(), queue.consumer_count());
        self.sees(format!("queue {name:?} with {messages} messages, {consumers} consumers"));
        Ok(())
    }

    /// Publishes with a confirm, and notes it.
    async fn publish(&mut self, queue: &str, body: &str) -> Result<()> {
        self.channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let properties = BasicProperties::default();
        let confirm = self.channel.basic_publish("".into(), queue.into(), options, body.as_bytes(), properties).await?;
        let line = match confirm.await? {
            Confirmation::Ack(None) => "taken".to_owned(),
            Confirmation::Ack(Some(back)) => format!("returned, {} {}, then taken", back.reply_code, back.reply_text),
            Confirmation::Nack(_) => "refused".to_owned(),
            Confirmation::NotRequested => "not confirmed".to_owned(),
        };
        self.sees(format!("{body}: {line}"));
        Ok(())
    }

    async fn consume(&mut self, queue: &str, options: BasicConsumeOptions) -> Result<Consumer> {
        Ok(self.channel.basic_consume(queue.into(), "c".into(), options, FieldTable::default()).await?)
    }

    /// Awaits the next message, and notes it.
    async fn next(&mut self, consumer: &mut Consumer) -> Result<Delivery> {
        let delivery = consumer.next().await.context("the consumer has ended")??;
        self.sees_message("delivered", &delivery);
        Ok(delivery)
    }

    /// Fetches a message, and notes it.
    async fn get(&mut self, queue: &str) -> Result<Option<Delivery>> {
        let Some(got) = self.channel.basic_get(queue.into(), BasicGetOptions::default()).await? else {
            self.sees("nothing waits");
            return Ok(None);
        };
        self.sees_message("fetched", &got.delivery);
        Ok(Some(got.delivery))
    }

    fn sees_message(&mut self, how: &str, message: &Delivery) {
        let again = if message.redelivered { ", again" } else { "" };
        let (body, tag) = (String::from_utf8_lossy(&message.data), message.delivery_tag);
        self.sees(format!("{how} {body} with tag {tag}{again}"));
    }
}
