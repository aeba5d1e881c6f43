//! The harness itself: a private node answers, keeps what is durable, and is alone.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use amiquip::{
    AmqpProperties, Channel, Confirm, Connection, ConsumerMessage, ConsumerOptions, Publish, QueueDeclareOptions,
};
use anyhow::{Context, ensure};
use harness::{Case, Queue, RabbitMq, eventually};

const LONG: Duration = Duration::from_secs(30);

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("broker::delivers_a_message", delivers_a_message),
        Case::shared("broker::counts_what_is_in_a_queue", counts_what_is_in_a_queue),
        Case::shared("broker::refuses_a_wrong_password", refuses_a_wrong_password),
        Case::shared("broker::closes_only_connections_of_its_own_vhost", closes_only_connections_of_its_own_vhost),
        Case::shared("broker::answers_rabbitmqctl", answers_rabbitmqctl),
        Case::exclusive("broker::keeps_a_durable_queue_through_a_kill", keeps_a_durable_queue_through_a_kill),
        Case::exclusive("broker::stops_in_good_order", stops_in_good_order),
        Case::exclusive("broker::alarms_block_publishers", alarms_block_publishers),
        Case::exclusive("broker::is_silent_while_frozen", is_silent_while_frozen),
        Case::exclusive("broker::says_why_it_does_not_start", says_why_it_does_not_start),
        Case::exclusive("broker::two_nodes_are_strangers", two_nodes_are_strangers),
    ]
}

fn delivers_a_message(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&rabbitmq.uri())?;
    let channel = connection.open_channel(None)?;
    ensure!(rabbitmq.queue("letters")?.is_none(), "the vhost is not fresh");
    declare(&channel)?;
    publish(&channel, "hello")?;
    ensure!(take(&channel)?.as_deref() == Some(&b"hello"[..]));
    Ok(connection.close()?)
}

fn counts_what_is_in_a_queue(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&rabbitmq.uri())?;
    let channel = connection.open_channel(None)?;
    declare(&channel)?;
    channel.qos(0, 1, false)?;
    let consumer = channel.basic_consume("letters", ConsumerOptions::default())?;
    publish(&channel, "one")?;
    publish(&channel, "two")?;
    consumer.receiver().recv_timeout(LONG)?;
    let expected = Queue { messages: 2, consumers: 1, unacked: 1 };
    eventually(LONG, || Ok(rabbitmq.queue("letters")? == Some(expected)))?;
    rabbitmq.delete_queue("letters")?;
    ensure!(rabbitmq.queue("letters")?.is_none(), "the queue is still there");
    Ok(())
}

fn refuses_a_wrong_password(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let uri = rabbitmq.uri_for("guest", "wr/ng", "/");
    let Err(error) = Connection::insecure_open(&uri) else {
        anyhow::bail!("the node takes any password");
    };
    ensure!(matches!(error, amiquip::Error::InvalidCredentials), "{error}");
    Ok(())
}

fn closes_only_connections_of_its_own_vhost(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let neighbour = rabbitmq.in_fresh_vhost()?;
    let mut ours = Connection::insecure_open(&rabbitmq.uri())?;
    let mut theirs = Connection::insecure_open(&neighbour.uri())?;
    let closed = rabbitmq.close_all_connections("maintenance, \"today\"")?;
    ensure!(closed == 1, "{closed} connections were closed");
    eventually(LONG, || Ok(ours.open_channel(None).is_err()))?;
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

fn keeps_a_durable_queue_through_a_kill(rabbitmq: &mut RabbitMq) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&rabbitmq.uri())?;
    let channel = connection.open_channel(None)?;
    declare(&channel)?;
    publish(&channel, "kept")?;
    rabbitmq.sync()?;
    rabbitmq.kill()?;
    eventually(LONG, || Ok(channel.basic_get("letters", true).is_err()))?;
    ensure!(Connection::insecure_open(&rabbitmq.uri()).is_err());

    rabbitmq.restart()?;
    let mut connection = Connection::insecure_open(&rabbitmq.uri())?;
    let channel = connection.open_channel(None)?;
    ensure!(take(&channel)?.as_deref() == Some(&b"kept"[..]));
    Ok(connection.close()?)
}

fn stops_in_good_order(rabbitmq: &mut RabbitMq) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&rabbitmq.uri())?;
    let channel = connection.open_channel(None)?;
    declare(&channel)?;
    let consumer = channel.basic_consume("letters", ConsumerOptions::default())?;
    rabbitmq.stop()?;
    let goodbye = consumer.receiver().recv_timeout(LONG)?;
    ensure!(
        matches!(
            goodbye,
            ConsumerMessage::ServerClosedConnection(amiquip::Error::ServerClosedConnection { code: 320, .. })
        ),
        "{goodbye:?}"
    );
    Ok(())
}

fn alarms_block_publishers(rabbitmq: &mut RabbitMq) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&rabbitmq.uri())?;
    let blocked = connection.listen_for_connection_blocked()?;
    let channel = connection.open_channel(None)?;
    declare(&channel)?;
    rabbitmq.memory_alarm(true)?;
    channel.basic_publish("", Publish::new(b"late", "letters"))?;
    blocked.recv_timeout(LONG).context("not blocked")?;
    rabbitmq.memory_alarm(false)?;
    blocked.recv_timeout(LONG).context("not unblocked")?;
    eventually(LONG, || Ok(take(&channel)?.is_some()))
}

fn is_silent_while_frozen(rabbitmq: &mut RabbitMq) -> anyhow::Result<()> {
    rabbitmq.freeze()?;
    let mut stream = TcpStream::connect(("127.0.0.1", rabbitmq.port()))?;
    stream.write_all(b"AMQP\0\0\x09\x01")?;
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mut frame = [0];
    ensure!(stream.read_exact(&mut frame).is_err(), "it answers");
    rabbitmq.thaw()?;
    stream.set_read_timeout(Some(LONG))?;
    Ok(stream.read_exact(&mut frame)?)
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
