//! Dead letters as a server writes them, put there without one.

use std::cell::Cell;

use amiquip::{AmqpProperties, AmqpValue, Channel, Confirm, Connection, FieldTable, Publish, QueueDeclareOptions};
use anyhow::{Context, ensure};
use guirpc::embedded::Queue;
use harness::Broker;

/// A letter of a request in JSON that nobody waited for.
pub(crate) struct Letter {
    pub(crate) properties: AmqpProperties,
    headers: FieldTable,
    body: Vec<u8>,
}

impl Letter {
    /// A letter that says everything, taken off this queue.
    pub(crate) fn new(queue: &str, function: &str, correlation_id: &str, arguments: &str) -> Self {
        let properties = AmqpProperties::default()
            .with_type_(function.to_owned())
            .with_content_type("application/json".to_owned())
            .with_correlation_id(correlation_id.to_owned())
            .with_app_id("tests".to_owned())
            .with_delivery_mode(2);
        let letter = Letter { properties, headers: FieldTable::new(), body: arguments.as_bytes().to_vec() };
        letter
            .header("guirpc-dead-reason", text("failed"))
            .header("guirpc-dead-queue", text(queue))
            .header("guirpc-dead-time", AmqpValue::LongLongInt(1_700_000_000_000))
            .header("guirpc-dead-status", AmqpValue::LongInt(500))
            .header("guirpc-dead-message", text("no tea"))
            .header("guirpc-attempts", AmqpValue::LongLongInt(4))
            .header("tenant", text("acme"))
    }

    pub(crate) fn header(mut self, name: &str, value: AmqpValue) -> Self {
        self.headers.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }
}

pub(crate) fn text(text: &str) -> AmqpValue {
    AmqpValue::LongString(text.to_owned())
}

/// A connection of the test's own, to write letters and to look what becomes of them.
pub(crate) struct Post {
    connection: Connection,
    pub(crate) channel: Channel,
    /// How many letters have been written.
    written: Cell<u64>,
}

impl Post {
    pub(crate) fn open(broker: &dyn Broker) -> anyhow::Result<Self> {
        let mut connection = Connection::insecure_open(&broker.uri())?;
        let channel = connection.open_channel(None)?;
        channel.enable_publisher_confirms()?;
        Ok(Post { connection, channel, written: Cell::new(0) })
    }

    pub(crate) fn declare(&self, queue: &str) -> anyhow::Result<()> {
        self.declare_with(queue, &[])
    }

    pub(crate) fn declare_with(&self, queue: &str, arguments: &[(&str, AmqpValue)]) -> anyhow::Result<()> {
        let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let options = QueueDeclareOptions { durable: true, arguments, ..QueueDeclareOptions::default() };
        self.channel.queue_declare(queue, options)?;
        Ok(())
    }

    /// Writes letters of a service, and waits until the broker has them.
    pub(crate) fn write(&self, service: &str, letters: impl IntoIterator<Item = Letter>) -> anyhow::Result<()> {
        self.declare(&format!("{service}.dead"))?;
        self.write_into_declared(service, letters)
    }

    /// As [`write`](Post::write), into a queue that has been declared.
    pub(crate) fn write_into_declared(
        &self,
        service: &str,
        letters: impl IntoIterator<Item = Letter>,
    ) -> anyhow::Result<()> {
        let queue = format!("{service}.dead");
        let confirms = self.channel.listen_for_publisher_confirms()?;
        let mut written = 0_u64;
        for letter in letters {
            let properties = letter.properties.with_headers(letter.headers);
            self.channel.basic_publish("", Publish::with_properties(&letter.body, &queue, properties))?;
            written += 1;
        }
        let mut confirmed = 0;
        while confirmed < written {
            match confirms.recv()? {
                Confirm::Ack(ack) if ack.multiple => confirmed = ack.delivery_tag - self.written.get(),
                Confirm::Ack(_) => confirmed += 1,
                Confirm::Nack(_) => anyhow::bail!("it was not taken"),
            }
        }
        self.written.set(self.written.get() + written);
        Ok(())
    }

    /// Takes the next message off a queue.
    #[allow(dead_code, reason = "not every test that writes letters looks at requests")]
    pub(crate) fn take(&self, queue: &str) -> anyhow::Result<amiquip::Delivery> {
        let got = self.channel.basic_get(queue, true)?.context("there is no message")?;
        Ok(got.delivery)
    }

    pub(crate) fn close(self) -> anyhow::Result<()> {
        Ok(self.connection.close()?)
    }
}

/// Fails unless so many letters are there, and nobody holds one.
pub(crate) fn check_count(broker: &dyn Broker, service: &str, count: usize) -> anyhow::Result<()> {
    let Queue { messages, unacked, .. } = broker.queue(&format!("{service}.dead"))?.context("there is no queue")?;
    ensure!((messages, unacked) == (count, 0), "{messages} letters, of which {unacked} are held; {count} expected");
    Ok(())
}
