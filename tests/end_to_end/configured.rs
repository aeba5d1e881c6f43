//! Services by configuration: another exchange, another queue, the topology of the Python original, a file.

use std::fs;
use std::process::Command;

use amiquip::{Connection, ExchangeDeclareOptions, QueueDeclareOptions};
use anyhow::ensure;
use guirpc::{Client, Dialect, ErrorKind, ExchangeType, Server};
use harness::{Broker, Case, Program, binary};
use tempfile::TempDir;

use crate::service::{LONG, client, setup};
use crate::workload::add;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("configured::exchanges_of_every_type", exchanges_of_every_type),
        Case::shared("configured::as_the_original_declares_it", as_the_original_declares_it),
        Case::shared("configured::an_exchange_declared_differently", an_exchange_declared_differently),
        Case::shared("configured::a_file_is_served_and_called", a_file_is_served_and_called),
    ]
}

fn exchanges_of_every_type(broker: &dyn Broker) -> anyhow::Result<()> {
    for (exchange_type, bound, called) in [
        (ExchangeType::Direct, "sums", "sums"),
        (ExchangeType::Fanout, "", "anything"),
        (ExchangeType::Topic, "math.*", "math.sums"),
    ] {
        let name = format!("{exchange_type:?}");
        let setup = setup(broker).exchange(&name).exchange_type(exchange_type).queue(&name).routing_key(bound);
        let _server = Server::start(setup)?;
        ensure!(add::call(&client(broker)?.with_exchange(&name).with_routing_key(called), 1, 2)? == 3, "{name}");
    }
    Ok(())
}

fn as_the_original_declares_it(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    // What its consumer declares; were ours any different, the broker would refuse it.
    channel.exchange_declare(amiquip::ExchangeType::Direct, "rpc_gateway", ExchangeDeclareOptions::default())?;
    channel.queue_declare("my_queue", QueueDeclareOptions::default())?;
    let setup = setup(broker).dialect(Dialect::Python).queue("my_queue").routing_key("my_queue");
    let _server = Server::start(setup.clone())?;
    // Its name for the exchange, and our way of writing.
    let client = client(broker)?.with_exchange("rpc_gateway").with_routing_key("my_queue");
    ensure!(add::call(&client, 1, 2)? == 3);

    let error = Server::start(setup.durable(true)).unwrap_err();
    ensure!(error.kind() == ErrorKind::Topology, "{error}");
    Ok(())
}

fn an_exchange_declared_differently(broker: &dyn Broker) -> anyhow::Result<()> {
    let setup = setup(broker).exchange("news").queue("news");
    let server = Server::start(setup.clone().exchange_type(ExchangeType::Fanout))?;
    let error = Server::start(setup.exchange_type(ExchangeType::Topic)).unwrap_err();
    let said = error.to_string();
    ensure!(error.kind() == ErrorKind::Topology && said.contains("exchange `news`"), "{said}");
    ensure!(said.contains("guirpc wants it topic and durable"), "{said}");
    drop(server);
    Ok(())
}

fn a_file_is_served_and_called(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let file = folder.path().join("workload.toml");
    let uri = broker.uri();
    let server =
        format!("[server]\nuri = \"{uri}\"\nqueue = \"in-the-file\"\nexchange = \"sums\"\nrouting_key = \"file\"\n");
    fs::write(&file, format!("{server}[client]\nuri = \"{uri}\"\nexchange = \"sums\"\nrouting_key = \"file\"\n"))?;
    let mut command = Command::new(binary("workload")?);
    command.env_remove("AMQP_URI").env("GUIRPC_CONFIG", &file).env("GUIRPC_QUEUE", "in-the-environment");
    let program = Program::start(command.args(["--queue", "on-the-command-line"]))?;
    let line = program.wait_for_log("serving", LONG)?;
    ensure!(line.contains("on-the-command-line"), "{line}");
    ensure!(add::call(&Client::from_file(&file)?.with_timeout(LONG), 1, 2)? == 3);

    let mut mistaken = Program::start(Command::new(binary("workload")?).args(["--config", "no-such.ini"]))?;
    mistaken.wait_for_log("error: cannot read the settings in `no-such.ini`", LONG)?;
    ensure!(mistaken.wait(LONG)?.code() == Some(2));
    Ok(())
}
