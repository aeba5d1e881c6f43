//! Connections with the settings that were found to be fastest.

use std::time::Duration;

use amiquip::{
    Auth, Channel, Connection, ConnectionOptions, ConnectionTuning, Consumer, ConsumerOptions, ExchangeDeclareOptions,
    ExchangeType, FieldTable, QueueDeclareOptions, QueueDeleteOptions,
};
use anyhow::{Context as _, Result};
use mio::net::TcpStream;
use url::Url;

use crate::message::{EXCHANGE, PREFETCH};

const HEARTBEAT_SECONDS: u16 = 10;
const PATIENCE: Duration = Duration::from_secs(10);

/// Connects to the broker, without Nagle's delay.
pub(super) fn dial(uri: &str) -> Result<Connection> {
    let uri = Url::parse(uri).context("the broker's URI")?;
    let addresses = uri.socket_addrs(|| Some(5672)).context("find the broker")?;
    let stream = std::net::TcpStream::connect(&*addresses).context("connect to the broker")?;
    stream.set_nodelay(true)?;
    let virtual_host = match uri.path() {
        "" | "/" | "/%2f" | "/%2F" => "/",
        path => &path[1..],
    };
    let options = ConnectionOptions::default()
        .auth(credentials(&uri))
        .virtual_host(virtual_host)
        .heartbeat(HEARTBEAT_SECONDS)
        .connection_timeout(Some(PATIENCE));
    let tuning = ConnectionTuning::default().mem_channel_bound(256).buffered_writes_high_water(1 << 20);
    Connection::insecure_open_stream(TcpStream::from_stream(stream)?, options, tuning).context("open the connection")
}

fn credentials(uri: &Url) -> Auth {
    match uri.password() {
        Some(password) => Auth::Plain { username: uri.username().to_owned(), password: password.to_owned() },
        None => Auth::default(),
    }
}

/// Declares the queue as guirpc does, and consumes from it with manual acknowledgement.
pub(super) fn consume<'a>(channel: &'a Channel, queue: &str) -> Result<Consumer<'a>> {
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(ExchangeType::Direct, EXCHANGE, durable)?;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue, durable)?;
    channel.queue_bind(queue, EXCHANGE, queue, FieldTable::new())?;
    channel.queue_purge(queue)?;
    channel.qos(0, PREFETCH, false)?;
    channel.basic_consume(queue, ConsumerOptions::default()).context("consume requests")
}

/// Deletes queues, with whatever is in them; none of a name is fine.
pub(crate) fn delete(uri: &str, queues: &[String]) -> Result<()> {
    let mut connection = dial(uri)?;
    let channel = connection.open_channel(None)?;
    for queue in queues {
        channel.queue_delete(queue, QueueDeleteOptions::default())?;
    }
    connection.close().context("close the connection")
}
