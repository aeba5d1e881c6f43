//! The broker says no: it costs the call that it concerns and no other, which hears whether it may have run, and why.

use std::time::{Duration, Instant};

use amiquip::{
    AmqpProperties, AmqpValue, Channel, Connection, ConsumerOptions, ExchangeDeclareOptions, ExchangeType, FieldTable,
    Publish, QueueDeclareOptions,
};
use anyhow::ensure;
use guirpc::{CallError, Client, ErrorKind, Pending, Server};
use harness::{Broker, Case, RabbitMq, eventually};

use crate::service::{LONG, SERVICE, client, serve, setup};
use crate::workload::{add, reversed, sleep, zeros};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::rabbitmq_exclusive("refusals::a_large_message_costs_its_call_only", a_large_message_costs_its_call_only),
        Case::rabbitmq_shared("refusals::an_exchange_that_one_may_not_write_to", an_exchange_that_one_may_not_write_to),
        Case::rabbitmq_shared("refusals::a_server_that_may_not_reply", a_server_that_may_not_reply),
        Case::shared("refusals::large_messages_are_taken", large_messages_are_taken),
        Case::exclusive("refusals::an_alarm_blocks_the_first_call", an_alarm_blocks_the_first_call),
        Case::rabbitmq_shared("refusals::what_refuses_a_connection_is_said", what_refuses_a_connection_is_said),
        Case::rabbitmq_shared("refusals::what_refuses_a_queue_is_said", what_refuses_a_queue_is_said),
        Case::rabbitmq_shared("refusals::the_words_of_the_list_are_the_brokers", the_words_of_the_list_are_the_brokers),
    ]
}

/// Calls that are in flight for a while.
fn bystanders(client: &Client) -> anyhow::Result<Vec<Pending<u64>>> {
    Ok((0..3).map(|_| sleep::start(client, 1500)).collect::<Result<Vec<_>, _>>()?)
}

fn check_bystanders(calls: Vec<Pending<u64>>) -> anyhow::Result<()> {
    calls.into_iter().try_for_each(|call| {
        ensure!(call.wait()? == 1500);
        Ok(())
    })
}

#[track_caller]
fn check_unsendable<E: std::fmt::Debug>(error: &CallError<E>, says: &[&str]) {
    let CallError::Unsendable { message } = error else { panic!("{error:?}") };
    assert!(!error.may_have_run() && !error.is_retryable());
    for said in says {
        assert!(message.contains(said), "no `{said}` in: {message}");
    }
}

fn a_large_message_costs_its_call_only(rabbitmq: &mut RabbitMq) -> anyhow::Result<()> {
    for limit in ["10000", "300000"] {
        rabbitmq.set("max_message_size", limit)?;
        let (server, client) = serve(rabbitmq)?;
        let calls = bystanders(&client)?;
        let error = reversed::call(&client, vec![7; 400_000]).unwrap_err();
        check_unsendable(&error, &["400", &format!("at most {limit}"), "`max_message_size`"]);
        let error = reversed::send(&client, vec![7; 400_000]).unwrap_err();
        check_unsendable(&error, &[&format!("at most {limit}")]);
        let error = zeros::call(&client, 400_000).unwrap_err();
        let CallError::Fault(fault) = &error else { anyhow::bail!("{error:?}") };
        let said = fault.message();
        ensure!(said.contains("the reply of `zeros`") && said.contains(&format!("at most {limit}")), "{said}");
        ensure!(reversed::call(&client, vec![7; 9_000])?.len() == 9_000);
        check_bystanders(calls)?;
        drop(server);
    }
    Ok(())
}

fn large_messages_are_taken(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let sizes = [0, 16_000, 17_000, 200_000, 1_500_000, 3_000_000, 100];
    let calls = sizes.map(|size| reversed::start(&client, vec![7; size]));
    for (size, call) in sizes.into_iter().zip(calls) {
        ensure!(call?.wait()?.len() == size);
        ensure!(zeros::call(&client, size)?.len() == size);
    }
    Ok(())
}

fn an_exchange_that_one_may_not_write_to(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let _server = Server::start(setup(rabbitmq))?;
    let mut connection = Connection::insecure_open(&rabbitmq.uri())?;
    let channel = connection.open_channel(None)?;
    for exchange in ["open", "forbidden"] {
        channel.exchange_declare(ExchangeType::Direct, exchange, ExchangeDeclareOptions::default())?;
        channel.queue_bind(SERVICE, exchange, SERVICE, FieldTable::new())?;
    }
    let uri = rabbitmq.add_user("only-open", ["^$", "^open$", "^$"])?;
    let client = Client::connect(uri)?.with_timeout(LONG);
    let open = client.with_exchange("open");
    let calls = bystanders(&open)?;
    for client in [&client, &client.with_exchange("forbidden")] {
        let says = ["does not permit it", "rabbitmqctl set_permissions -p", "only-open"];
        check_unsendable(&add::call(client, 1, 2).unwrap_err(), &says);
        check_unsendable(&add::send(client, 1, 2).unwrap_err(), &says);
    }
    check_bystanders(calls)?;
    ensure!(add::call(&open, 1, 2)? == 3);
    Ok(())
}

fn a_server_that_may_not_reply(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let uri = rabbitmq.add_user("no-replies", [".*", "^guirpc", ".*"])?;
    let error = Server::start(setup(rabbitmq).uri(uri)).unwrap_err();
    ensure!(error.kind() == ErrorKind::Denied, "{error:?}");
    let said = error.to_string();
    ensure!(said.contains("no reply could be sent") && said.contains("amq.default"), "{said}");
    Ok(())
}

/// The broker tells of its alarm only when something is published.
fn an_alarm_blocks_the_first_call(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let (_server, _) = serve(broker)?;
    broker.memory_alarm(true)?;
    let begun = Instant::now();
    let fresh = client(broker)?;
    let error = add::call(&fresh, 1, 2).unwrap_err();
    ensure!(matches!(error, CallError::Blocked { .. }), "{error:?}");
    ensure!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
    // A server that starts now hears of it as well, and serves when it is over.
    let late = Server::start(setup(broker))?;
    broker.memory_alarm(false)?;
    eventually(LONG, || Ok(add::call(&fresh, 1, 2).is_ok()))?;
    drop(late);
    Ok(())
}

#[track_caller]
fn check_connect(uri: &str, says: &[&str]) {
    let error = Client::connect(uri).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    for said in says {
        assert!(error.to_string().contains(said), "no `{said}` in: {error}");
    }
}

fn what_refuses_a_connection_is_said(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let ada = rabbitmq.add_user("ada", [".*"; 3])?;
    check_connect(&ada.replace("secret", "wrong"), &["refused user `ada`", "the password is wrong"]);
    check_connect(&rabbitmq.uri_for("ada", "secret", "nowhere"), &["no virtual host `nowhere`", "add_vhost nowhere"]);
    check_connect(&rabbitmq.uri_for("ada", "secret", "/"), &["set_permissions -p / ada '.*' '.*' '.*'"]);
    let vhost = rabbitmq.vhost();
    rabbitmq.ctl(&["set_vhost_limits", "-p", vhost, r#"{"max-connections": 0}"#])?;
    check_connect(&ada, &["connection limit (0) is reached", "`rabbitmqctl set_vhost_limits` raises it"]);
    rabbitmq.ctl(&["clear_vhost_limits", "-p", vhost])?;
    rabbitmq.ctl(&["set_user_limits", "ada", r#"{"max-connections": 0}"#])?;
    check_connect(&ada, &["user connection limit (0) is reached", "`rabbitmqctl set_user_limits` raises it"]);
    rabbitmq.ctl(&["set_user_limits", "ada", r#"{"max-connections": 10, "max-channels": 1}"#])?;
    let mut error = String::new();
    // RabbitMQ counts channels a moment after they are open.
    eventually(LONG, || {
        error = Client::connect(&ada).err().map(|error| error.to_string()).unwrap_or_default();
        Ok(!error.is_empty())
    })?;
    // Version 4.0 names its node instead of the user.
    ensure!(error.contains("number of channels opened for user '") && error.contains("set_user_limits"), "{error}");
    Ok(())
}

fn what_refuses_a_queue_is_said(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    rabbitmq.ctl(&["set_vhost_limits", "-p", rabbitmq.vhost(), r#"{"max-queues": 0}"#])?;
    let error = Server::start(setup(rabbitmq)).unwrap_err().to_string();
    for said in ["queue `guirpc-tests` cannot be declared", "queue limit in vhost", "`rabbitmqctl set_vhost_limits`"] {
        ensure!(error.contains(said), "no `{said}` in: {error}");
    }
    rabbitmq.ctl(&["clear_vhost_limits", "-p", rabbitmq.vhost()])?;
    let error = Server::start(setup(rabbitmq).queue("amq.mine")).unwrap_err().to_string();
    ensure!(error.contains("amq.mine"), "{error}");
    Ok(())
}

/// What has the broker close a channel.
type Offence = fn(&Channel) -> amiquip::Result<()>;

/// Publishes, and waits for what the broker says about it.
fn publish(channel: &Channel, exchange: &str, properties: AmqpProperties) -> amiquip::Result<()> {
    channel.basic_publish(exchange, Publish::with_properties(b"", "mine", properties))?;
    channel.qos(0, 0, false)
}

fn declare(channel: &Channel, queue: &str, durable: bool, arguments: &[(&str, AmqpValue)]) -> amiquip::Result<()> {
    let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let options = QueueDeclareOptions { durable, arguments, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue, options).map(drop)
}

/// The library's list of refusals has these words in it, among those that take more to provoke.
const OFFENCES: [(u16, &str, Offence); 13] = [
    (404, "no exchange 'nowhere'", |channel| publish(channel, "nowhere", AmqpProperties::default())),
    (404, "no queue 'nowhere'", |channel| channel.basic_get("nowhere", true).map(drop)),
    (403, "contains reserved prefix 'amq.*'", |channel| declare(channel, "amq.mine", true, &[])),
    (403, "operation not permitted on the default exchange", |channel| {
        channel.queue_bind("mine", "", "key", FieldTable::new())
    }),
    (403, "in exclusive use", |channel| {
        let exclusive = ConsumerOptions { exclusive: true, ..ConsumerOptions::default() };
        channel.basic_consume("consumed", exclusive).map(drop)
    }),
    (405, "cannot obtain exclusive access to locked", |channel| declare(channel, "locked", false, &[])),
    (406, "inequivalent arg 'durable'", |channel| declare(channel, "mine", false, &[])),
    (406, "invalid arg 'x-max-priority'", |channel| {
        let quorum = AmqpValue::LongString("quorum".to_owned());
        declare(channel, "new", true, &[("x-queue-type", quorum), ("x-max-priority", AmqpValue::LongInt(3))])
    }),
    (406, "invalid property", |channel| {
        declare(channel, "new", false, &[("x-queue-type", AmqpValue::LongString("quorum".to_owned()))])
    }),
    (406, "invalid expiration", |channel| {
        publish(channel, "", AmqpProperties::default().with_expiration("never".to_owned()))
    }),
    (406, "user_id property set to 'eve'", |channel| {
        publish(channel, "", AmqpProperties::default().with_user_id("eve".to_owned()))
    }),
    (406, "reply consumer cannot acknowledge", |channel| {
        channel.basic_consume("amq.rabbitmq.reply-to", ConsumerOptions::default()).map(drop)
    }),
    (406, "fast reply consumer does not exist", |channel| {
        publish(channel, "", AmqpProperties::default().with_reply_to("amq.rabbitmq.reply-to".to_owned()))
    }),
];

fn the_words_of_the_list_are_the_brokers(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let mut other = Connection::insecure_open(&rabbitmq.uri())?;
    let others = other.open_channel(None)?;
    declare(&others, "mine", true, &[])?;
    declare(&others, "consumed", true, &[])?;
    let _consumer = others.basic_consume("consumed", ConsumerOptions::default())?;
    others.queue_declare("locked", QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() })?;
    let mut connection = Connection::insecure_open(&rabbitmq.uri())?;
    for (expected, says, offend) in OFFENCES {
        let channel = connection.open_channel(None)?;
        match offend(&channel) {
            Err(amiquip::Error::ServerClosedChannel { code, message, .. }) => {
                ensure!(code == expected && message.contains(says), "{code} {message}, not {expected} {says}");
            }
            other => anyhow::bail!("{says}: {other:?}"),
        }
    }
    Ok(())
}
