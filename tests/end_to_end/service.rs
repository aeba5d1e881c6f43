//! The service under test, in this process or in one of its own.

use std::process::Command;
use std::time::Duration;

use guirpc::{Client, Coalescing, Server, Setup};
use harness::{Broker, Program, binary};

use crate::workload::Runs;

/// The service's name: that of the package in which its functions are defined.
pub(crate) const SERVICE: &str = env!("CARGO_PKG_NAME");
/// For what takes moments, on a machine that is busy with other things.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// What a server of the test functions does unless a test says otherwise.
pub(crate) fn setup(broker: &dyn Broker) -> Setup {
    Setup::new([SERVICE]).uri(broker.uri()).workers(4).state(Runs::default())
}

/// A server in this process, and a client of it.
pub(crate) fn serve(broker: &dyn Broker) -> anyhow::Result<(Server, Client)> {
    Ok((Server::start(setup(broker))?, client(broker)?))
}

/// A client that is patient enough for a busy machine.
///
/// What looks at the queue of single calls, or at their order, has one whose calls do not travel together.
pub(crate) fn client(broker: &dyn Broker) -> anyhow::Result<Client> {
    let client = Client::connect(broker.uri())?.with_timeout(LONG);
    // One call by itself, and all others together.
    Ok(if broker.coalesces() { client.with_coalescing(Coalescing::default().window(1)) } else { client })
}

/// The service as a program, serving.
pub(crate) fn program(uri: &str, arguments: &[&str]) -> anyhow::Result<Program> {
    let mut command = Command::new(binary("workload")?);
    let program = Program::start(command.env("AMQP_URI", uri).args(arguments))?;
    program.wait_for_log("serving", LONG)?;
    Ok(program)
}
