//! Queues of another kind, and what is said of those that are there already.

use amiquip::{AmqpValue, Connection, FieldTable, QueueDeclareOptions};
use anyhow::{Context, ensure};
use guirpc::{CallError, ErrorKind, QueueType, Server, Setup};
use harness::{Broker, Case, RabbitMq, eventually};

use crate::service::{LONG, SERVICE, client, program, setup};
use crate::workload::{add, count, counted, fail, process};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("queues::a_quorum_queue_serves", a_quorum_queue_serves),
        Case::shared("queues::one_server_is_active", one_server_is_active),
        Case::rabbitmq_exclusive("queues::the_policies_of_the_guide_hold", the_policies_of_the_guide_hold),
        Case::shared("queues::a_difference_is_explained", a_difference_is_explained),
        Case::shared("queues::one_without_a_type_is_a_classic_one", one_without_a_type_is_a_classic_one),
        Case::rabbitmq_shared("queues::the_type_is_always_said", the_type_is_always_said),
        Case::shared("queues::what_does_not_go_together_is_refused", what_does_not_go_together_is_refused),
    ]
}

/// What a setup has different.
type Change = fn(Setup) -> Setup;

/// The commands as they stand in the guide, for a service of another name and a shorter queue.
fn the_policies_of_the_guide_hold(rabbitmq: &mut RabbitMq) -> anyhow::Result<()> {
    drop(Server::start(setup(rabbitmq))?);
    let guide = include_str!("../../guirpc/src/reliability.md");
    let commands: Vec<&str> = guide.lines().filter_map(|line| line.strip_prefix("rabbitmqctl ")).collect();
    ensure!(commands.len() == 2, "the guide has other commands: {commands:?}");
    for command in commands {
        let command = command.replace("^math$", &format!("^{SERVICE}$")).replace("100000", "3");
        let words = shlex::split(&command).context("it is a command")?;
        rabbitmq.ctl(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    let client = client(rabbitmq)?;
    eventually(LONG, || Ok(matches!(count::send(&client, "full"), Err(CallError::Overloaded { .. }))))?;
    ensure!(matches!(add::call(&client, 1, 2), Err(CallError::Overloaded { .. })));
    let _server = Server::start(setup(rabbitmq))?;
    eventually(LONG, || Ok(add::call(&client, 1, 2).is_ok()))
}

fn declare(broker: &dyn Broker, arguments: FieldTable) -> anyhow::Result<()> {
    let options = QueueDeclareOptions { durable: true, arguments, ..QueueDeclareOptions::default() };
    let mut connection = Connection::insecure_open(&broker.uri())?;
    connection.open_channel(None)?.queue_declare(SERVICE, options)?;
    Ok(connection.close()?)
}

fn a_quorum_queue_serves(broker: &dyn Broker) -> anyhow::Result<()> {
    let quorum = || setup(broker).queue_type(QueueType::Quorum);
    let server = Server::start(quorum())?;
    let client = client(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    fail::send(&client, "dead", 400)?;
    let dead = format!("{SERVICE}.dead");
    eventually(LONG, || Ok(broker.queue(&dead)?.is_some_and(|queue| queue.messages == 1)))?;
    drop(server);
    count::send(&client, "kept")?;
    let _server = Server::start(quorum())?;
    eventually(LONG, || Ok(counted::call(&client, "kept")? == 1))
}

/// The other one takes over when the active one stops, and what comes again comes to it, too.
fn one_server_is_active(broker: &dyn Broker) -> anyhow::Result<()> {
    let arguments = ["--queue-type", "quorum", "--single-active-consumer", "--workers", "2"];
    let mut first = program(&broker.uri(), &arguments)?;
    let second = program(&broker.uri(), &arguments)?;
    let client = client(broker)?;
    let ran_by = |id| -> anyhow::Result<bool> {
        let calls = (0..50).map(|_| process::start(&client)).collect::<Result<Vec<_>, _>>()?;
        Ok(calls.into_iter().map(guirpc::Pending::wait).collect::<Result<Vec<_>, _>>()?.iter().all(|ran| *ran == id))
    };
    ensure!(ran_by(first.id())?, "the other one is active as well");
    let during = (0..50).map(|_| process::start(&client)).collect::<Result<Vec<_>, _>>()?;
    first.terminate()?;
    ensure!(first.wait(LONG)?.success());
    during.into_iter().try_for_each(|call| call.wait().map(drop))?;
    ensure!(ran_by(second.id())?, "the other one has not taken over");
    Ok(())
}

/// As those are that were declared by others, who may go on to declare theirs.
fn one_without_a_type_is_a_classic_one(broker: &dyn Broker) -> anyhow::Result<()> {
    declare(broker, FieldTable::new())?;
    drop(Server::start(setup(broker))?);
    declare(broker, FieldTable::new())?;
    broker.delete_queue(SERVICE)?;
    let _server = Server::start(setup(broker).queue_type(QueueType::Classic))?;
    declare(broker, FieldTable::new())
}

/// Else the default type of the virtual host would count, from RabbitMQ 4.0 on.
fn the_type_is_always_said(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let _server = Server::start(setup(rabbitmq))?;
    let client = client(rabbitmq)?;
    fail::send(&client, "dead", 400)?;
    let dead = format!("{SERVICE}.dead");
    eventually(LONG, || Ok(rabbitmq.queue(&dead)?.is_some_and(|queue| queue.messages == 1)))?;
    let arguments = format!("[amqqueue:get_arguments(Q) || Q <- rabbit_amqqueue:list(<<\"{}\">>)]", rabbitmq.vhost());
    let arguments = rabbitmq.eval(&arguments)?;
    let classic = r#"[{<<"x-queue-type">>,longstr,<<"classic">>}]"#;
    // Those of the service and of its lane, each with three beside it, and the dead letters.
    ensure!(arguments.matches(classic).count() == 9 && !arguments.contains("[]"), "{arguments}");
    Ok(())
}

fn a_difference_is_explained(broker: &dyn Broker) -> anyhow::Result<()> {
    let with = |name: &str, value| FieldTable::from([(name.to_owned(), value)]);
    let differences: [(FieldTable, Change, &str); 2] = [
        (FieldTable::new(), |setup| setup.queue_type(QueueType::Quorum), "`x-queue-type` would be `quorum`"),
        (with("x-max-length", AmqpValue::LongInt(10)), |setup| setup, "`x-max-length` would be nothing, and is `10`"),
    ];
    for (there, change, says) in differences {
        declare(broker, there)?;
        let error = Server::start(change(setup(broker))).unwrap_err();
        ensure!(error.kind() == ErrorKind::Topology, "{error:?}");
        let text = error.to_string();
        ensure!(text.contains(says) && text.contains("rabbitmqctl delete_queue"), "{text}");
        broker.delete_queue(SERVICE)?;
    }
    Ok(())
}

fn what_does_not_go_together_is_refused(broker: &dyn Broker) -> anyhow::Result<()> {
    let quorum = || setup(broker).queue_type(QueueType::Quorum);
    for (setup, says) in [
        (quorum().max_priority(5), "`max_priority`"),
        (quorum().durable(false), "`durable = false`"),
        (setup(broker).single_active_consumer(true), "quorum"),
        (setup(broker).max_deliveries(1), "`max_deliveries`"),
    ] {
        let error = Server::start(setup).unwrap_err();
        ensure!(error.kind() == ErrorKind::Configuration && error.to_string().contains(says), "{error}");
    }
    Ok(())
}
