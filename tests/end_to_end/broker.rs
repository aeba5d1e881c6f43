//! The brokers of the harness: they answer, keep what is durable, and do to their clients what a test wants.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use amiquip::{
    AmqpProperties, Channel, Confirm, Connection, ConsumerMessage, ConsumerOptions, Publish, QueueDeclareOptions,
};
use anyhow::{Context, bail, ensure};
use guirpc::embedded::Broker as Embedded;
use harness::{Broker, Case, Queue, RabbitMq, eventually};

const LONG: Duration = Duration::from_secs(30);

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("broker::delivers_a_message", delivers_a_message),
        Case::shared("broker::counts_what_is_in_a_queue", counts_what_is_in_a_queue),
        Case::shared("broker::refuses_a_wrong_password", refuses_a_wrong_password),
        Case::shared("broker::closes_all_connections", closes_all_connections),
        Case::shared("broker::closes_the_channels_of_a_queue", closes_the_channels_of_a_queue),
        Case::rabbitmq_shared("broker::leaves_other_vhosts_alone", leaves_other_vhosts_alone),
        Case::rabbitmq_shared("broker::answers_rabbitmqctl", answers_rabbitmqctl),
        Case::exclusive("broker::keeps_a_durable_queue_through_a_kill", keeps_a_durable_queue_through_a_kill),
        Case::exclusive("broker::stops_in_good_order", stops_in_good_order),
        Case::exclusive("broker::alarms_block_publishers", alarms_block_publishers),
        Case::exclusive("broker::is_silent_while_frozen", is_silent_while_frozen),
        Case::exclusive("broker::starts_on_its_own_port_or_not_at_all", starts_on_its_own_port_or_not_at_all),
        Case::rabbitmq_exclusive("broker::says_why_it_does_not_start", says_why_it_does_not_start),
        Case::rabbitmq_exclusive("broker::two_nodes_are_strangers", two_nodes_are_strangers),
        Case::embedded("broker::says_which_port_is_taken", says_which_port_is_taken),
        Case::embedded("broker::two_brokers_are_strangers", two_brokers_are_strangers),
    ]
}

fn delivers_a_message(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    ensure!(broker.queue("letters")?.is_none(), "the broker is not fresh");
    declare(&channel)?;
    publish(&channel, "hello")?;
    ensure!(take(&channel)?.as_deref() == Some(&b"hello"[..]));
    Ok(connection.close()?)
}

fn counts_what_is_in_a_queue(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    declare(&channel)?;
    channel.qos(0, 1, false)?;
    let consumer = channel.basic_consume("letters", ConsumerOptions::default())?;
    publish(&channel, "one")?;
    publish(&channel, "two")?;
    consumer.receiver().recv_timeout(LONG)?;
    let expected = Queue { messages: 2, consumers: 1, unacked: 1 };
    eventually(LONG, || Ok(broker.queue("letters")? == Some(expected)))?;
    broker.delete_queue("letters")?;
    ensure!(broker.queue("letters")?.is_none(), "the queue is still there");
    Ok(())
}

fn closes_the_channels_of_a_queue(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let (channel, other) = (connection.open_channel(None)?, connection.open_channel(None)?);
    declare(&channel)?;
    let consumer = channel.basic_consume("letters", ConsumerOptions::default())?;
    publish(&other, "one")?;
    consumer.receiver().recv_timeout(LONG)?;
    ensure!(broker.close_channels("letters")? == 1);
    let last = consumer.receiver().recv_timeout(LONG)?;
    let ConsumerMessage::ServerClosedChannel(amiquip::Error::ServerClosedChannel { code: 406, .. }) = last else {
        bail!("{last:?}");
    };
    // What the channel held is back, and the connection is as good as before.
    eventually(LONG, || Ok(broker.queue("letters")? == Some(Queue { messages: 1, consumers: 0, unacked: 0 })))?;
    ensure!(take(&other)?.as_deref() == Some(&b"one"[..]));
    let again = connection.open_channel(Some(channel.channel_id()))?;
    publish(&again, "two")?;
    eventually(LONG, || Ok(take(&other)?.as_deref() == Some(&b"two"[..])))?;
    ensure!(broker.close_channels("letters")? == 0);
    Ok(connection.close()?)
}

fn refuses_a_wrong_password(broker: &dyn Broker) -> anyhow::Result<()> {
    let uri = broker.uri_for("guest", "wr/ng", "/");
    let Err(error) = Connection::insecure_open(&uri) else {
        bail!("the broker takes any password");
    };
    ensure!(matches!(error, amiquip::Error::InvalidCredentials), "{error}");
    Ok(())
}

fn closes_all_connections(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut connections = [Connection::insecure_open(&broker.uri())?, Connection::insecure_open(&broker.uri())?];
    let channels = connections.iter_mut().map(|connection| connection.open_channel(None));
    let channels = channels.collect::<Result<Vec<_>, _>>()?;
    declare(&channels[0])?;
    let consume = |channel| Channel::basic_consume(channel, "letters", ConsumerOptions::default());
    let consumers = channels.iter().map(consume).collect::<Result<Vec<_>, _>>()?;
    let closed = broker.close_all_connections("maintenance, \"today\"")?;
    ensure!(closed == 2, "{closed} connections were closed");
    for consumer in consumers {
        let goodbye = consumer.receiver().recv_timeout(LONG)?;
        ensure!(said_goodbye(&goodbye, "maintenance, \"today\""), "{goodbye:?}");
    }
    Ok(())
}

fn leaves_other_vhosts_alone(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let neighbour = rabbitmq.in_fresh_vhost()?;
    let _ours = Connection::insecure_open(&rabbitmq.uri())?;
    let mut theirs = Connection::insecure_open(&neighbour.uri())?;
    let closed = rabbitmq.close_all_connections("maintenance")?;
    ensure!(closed == 1, "{closed} connections were closed");
    theirs.open_channel(None).context("the neighbour was cut off")?;
    Ok(())
}

fn answers_rabbitmqctl(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    rabbitmq.add_vhost("été/1")?;
    let vhosts = rabbitmq.ctl(&["list_vhosts"])?;
    ensure!(vhosts.lines().any(|line| line == "été/1"), "{vhosts}");
    Connection::insecure_open(&rabbitmq.uri_for("guest", "guest", "été/1"))?;
    let error = rabbitmq.ctl(&["delete_vhost", "nowhere"]).unwrap_err();
    ensure!(error.to_string().contains("nowhere"), "{error}");
    Ok(())
}

fn keeps_a_durable_queue_through_a_kill(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    declare(&channel)?;
    publish(&channel, "kept")?;
    broker.sync()?;
    broker.kill()?;
    eventually(LONG, || Ok(channel.basic_get("letters", true).is_err()))?;
    ensure!(Connection::insecure_open(&broker.uri()).is_err());

    broker.restart()?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    ensure!(take(&channel)?.as_deref() == Some(&b"kept"[..]));
    Ok(connection.close()?)
}

fn stops_in_good_order(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    declare(&channel)?;
    let consumer = channel.basic_consume("letters", ConsumerOptions::default())?;
    broker.stop()?;
    let goodbye = consumer.receiver().recv_timeout(LONG)?;
    ensure!(said_goodbye(&goodbye, "shutdown"), "{goodbye:?}");
    Ok(())
}

fn alarms_block_publishers(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let blocked = connection.listen_for_connection_blocked()?;
    let channel = connection.open_channel(None)?;
    declare(&channel)?;
    broker.memory_alarm(true)?;
    channel.basic_publish("", Publish::new(b"late", "letters"))?;
    blocked.recv_timeout(LONG).context("not blocked")?;
    broker.memory_alarm(false)?;
    blocked.recv_timeout(LONG).context("not unblocked")?;
    eventually(LONG, || Ok(take(&channel)?.is_some()))
}

fn is_silent_while_frozen(broker: &mut dyn Broker) -> anyhow::Result<()> {
    broker.freeze()?;
    let mut stream = TcpStream::connect(("127.0.0.1", broker.port()))?;
    stream.write_all(b"AMQP\0\0\x09\x01")?;
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mut frame = [0];
    ensure!(stream.read_exact(&mut frame).is_err(), "it answers");
    broker.thaw()?;
    stream.set_read_timeout(Some(LONG))?;
    Ok(stream.read_exact(&mut frame)?)
}

fn starts_on_its_own_port_or_not_at_all(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let uri = broker.uri();
    broker.kill()?;
    let occupant = TcpListener::bind(("127.0.0.1", broker.port()))?;
    ensure!(broker.restart().is_err(), "two listen on one port");
    drop(occupant);
    broker.restart()?;
    Ok(Connection::insecure_open(&uri)?.close()?)
}

fn says_why_it_does_not_start(rabbitmq: &mut RabbitMq) -> anyhow::Result<()> {
    rabbitmq.kill()?;
    let _occupied = TcpListener::bind(("127.0.0.1", rabbitmq.port()))?;
    let error = format!("{:#}", rabbitmq.restart().unwrap_err());
    ensure!(error.contains("eaddrinuse"), "{error}");
    Ok(())
}

fn two_nodes_are_strangers(rabbitmq: &mut RabbitMq) -> anyhow::Result<()> {
    let mut other = RabbitMq::start()?;
    ensure!(rabbitmq.port() != other.port());
    let mut connection = Connection::insecure_open(&rabbitmq.uri())?;
    let channel = connection.open_channel(None)?;
    declare(&channel)?;
    ensure!(rabbitmq.queue("letters")?.is_some());
    ensure!(other.queue("letters")?.is_none(), "the nodes are one");
    other.kill()?;
    publish(&channel, "still here")?;
    Ok(connection.close()?)
}

fn says_which_port_is_taken(broker: &Embedded) -> anyhow::Result<()> {
    let error = Embedded::start_on(broker.port()).unwrap_err().to_string();
    ensure!(error.contains(&broker.port().to_string()) && error.contains("in use"), "{error}");
    Ok(())
}

fn two_brokers_are_strangers(broker: &Embedded) -> anyhow::Result<()> {
    let other = Embedded::start()?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    declare(&channel)?;
    ensure!(broker.queue("letters").is_some());
    ensure!(other.queue("letters").is_none(), "the brokers are one");
    drop(other);
    publish(&channel, "still here")?;
    Ok(connection.close()?)
}

/// Whether a consumer has heard that its connection was closed on purpose, for this reason.
fn said_goodbye(heard: &ConsumerMessage, reason: &str) -> bool {
    let ConsumerMessage::ServerClosedConnection(error) = heard else { return false };
    matches!(error, amiquip::Error::ServerClosedConnection { code: 320, message } if message.contains(reason))
}

fn declare(channel: &Channel) -> anyhow::Result<()> {
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare("letters", durable)?;
    Ok(())
}

/// Publishes a persistent message and waits until the broker has it.
fn publish(channel: &Channel, body: &str) -> anyhow::Result<()> {
    let confirms = channel.listen_for_publisher_confirms()?;
    channel.enable_publisher_confirms()?;
    let persistent = AmqpProperties::default().with_delivery_mode(2);
    channel.basic_publish("", Publish::with_properties(body.as_bytes(), "letters", persistent))?;
    let confirm = confirms.recv_timeout(LONG).context("not confirmed")?;
    ensure!(matches!(confirm, Confirm::Ack(_)), "not taken");
    Ok(())
}

fn take(channel: &Channel) -> anyhow::Result<Option<Vec<u8>>> {
    let got = channel.basic_get("letters", true)?;
    Ok(got.map(|got| got.delivery.body))
}
