//! Callers, servers and operators need the rights that the guide lists, and no others.

use amiquip::{Connection, ExchangeDeclareOptions, ExchangeType, FieldTable, QueueDeclareOptions};
use anyhow::{Context, ensure};
use guirpc::control::{Control, Target};
use guirpc::dead_letters::Selection;
use guirpc::{CallError, Client, DeadLetters, Dialect, ErrorKind, Server};
use harness::{Broker, Case, RabbitMq, eventually};

use crate::service::{LONG, SERVICE, setup};
use crate::workload::{add, parse};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::rabbitmq_shared("permissions::those_of_the_guide_suffice", those_of_the_guide_suffice),
        Case::rabbitmq_shared("permissions::a_declared_topology_is_used", a_declared_topology_is_used),
        Case::rabbitmq_shared("permissions::pythons_callers_need_only_their_exchange", pythons_callers),
    ]
}

/// The rights of the guide for these, for a service of another name.
fn rights(whose: &str) -> anyhow::Result<[String; 3]> {
    let guide = include_str!("../../guirpc/src/reliability.md");
    let row = guide.lines().find(|line| line.starts_with(&format!("| {whose} |"))).context("it is not in the guide")?;
    let (_, command) = row.split_once("`rabbitmqctl set_permissions -p VHOST USER ").context("it has no command")?;
    let (rights, _) = command.split_once('`').context("it has an end")?;
    // As Markdown has it in a table.
    let rights = shlex::split(&rights.replace("\\|", "|").replace("math", SERVICE).replace("LANE", "reports"))
        .context("they are words")?;
    rights.try_into().map_err(|rights| anyhow::anyhow!("not three: {rights:?}"))
}

fn user(rabbitmq: &RabbitMq, name: &str, whose: &str) -> anyhow::Result<String> {
    let rights = rights(whose)?;
    rabbitmq.add_user(name, rights.each_ref().map(String::as_str))
}

fn those_of_the_guide_suffice(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let server = Server::start(setup(rabbitmq).uri(user(rabbitmq, "server", "server")?))?;
    let client = Client::connect(user(rabbitmq, "caller", "caller")?)?.with_timeout(LONG);
    check_served(rabbitmq, &client)?;
    let letters = DeadLetters::connect(&user(rabbitmq, "operator", "operator")?, SERVICE)?;
    ensure!(letters.list(&Selection::all())?.letters.len() == 1);
    let control = Control::connect(&user(rabbitmq, "asker", "operator")?)?.expect(1).wait(LONG);
    ensure!(control.ping(&Target::service(SERVICE))?.len() == 1);
    drop(server);
    ensure!(letters.requeue(&Selection::all())?.done == 1);
    eventually(LONG, || Ok(rabbitmq.queue(SERVICE)?.is_some_and(|queue| queue.messages == 1)))
}

/// Calls are answered, and what fails becomes a dead letter.
fn check_served(rabbitmq: &RabbitMq, client: &Client) -> anyhow::Result<()> {
    ensure!(add::call(client, 1, 2)? == 3);
    ensure!(matches!(add::call(&client.with_service("nobody"), 1, 2), Err(CallError::Unroutable { .. })));
    parse::send(client, "no number")?;
    let dead = format!("{SERVICE}.dead");
    eventually(LONG, || Ok(rabbitmq.queue(&dead)?.is_some_and(|queue| queue.messages == 1)))
}

fn a_declared_topology_is_used(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let uri = user(rabbitmq, "bare", "server, all declared")?;
    let error = Server::start(setup(rabbitmq).uri(&uri)).unwrap_err();
    ensure!(error.kind() == ErrorKind::Topology, "{error:?}");
    let said = error.to_string();
    ensure!(said.contains("no queue") && said.contains("to declare it") && said.contains("bare"), "{said}");

    // By an operator; the types of the queues are his.
    let mut connection = Connection::insecure_open(&rabbitmq.uri())?;
    let channel = connection.open_channel(None)?;
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(ExchangeType::Direct, "guirpc", durable)?;
    let durable = || QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(format!("{SERVICE}.dead"), durable())?;
    for own in [SERVICE, "guirpc-tests.reports"] {
        for role in ["", ".retry", ".quarantine"] {
            channel.queue_declare(format!("{own}{role}"), durable())?;
        }
        channel.queue_bind(own, "guirpc", own, FieldTable::new())?;
    }
    let server = Server::start(setup(rabbitmq).uri(&uri))?;
    let client = Client::connect(user(rabbitmq, "caller-too", "caller")?)?.with_timeout(LONG);
    check_served(rabbitmq, &client)?;
    drop(server);
    // It does without the queue for coalesced calls, and takes it if there is one.
    let calls = format!("{SERVICE}.calls");
    channel.queue_declare(&*calls, durable())?;
    let _server = Server::start(setup(rabbitmq).uri(uri))?;
    let consumed = channel.queue_declare_passive(&*calls)?.declared_consumer_count();
    ensure!(consumed == Some(1), "{consumed:?} servers take from it");
    Ok(())
}

fn pythons_callers(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let _server = Server::start(setup(rabbitmq).dialect(Dialect::Python))?;
    let uri = rabbitmq.add_user("python", ["^$", "^rpc_gateway$", "^$"])?;
    let client = Client::connect(uri)?.with_timeout(LONG).with_dialect(Dialect::Python);
    ensure!(add::call(&client, 1, 2)? == 3);
    Ok(())
}
