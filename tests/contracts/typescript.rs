//! The package in TypeScript, made of a contract: it compiles and lints, calls services in Rust, and is called by stubs.

mod called;
mod kinds;
pub(crate) mod package;

use std::time::Duration;

use anyhow::ensure;
use guirpc::contract::Contract;
use guirpc::{Server, Setup};
use harness::{Broker, Case, Program, Proxy, eventually};

use package::{Package, node};

use crate::conformance::start_rust_server;

/// For what takes moments, on a machine that is busy with other things.
const LONG: Duration = Duration::from_mins(1);

pub(crate) fn cases() -> Vec<Case> {
    let cases = vec![
        Case::embedded("typescript::what_is_made_compiles_and_lints", |_| compiles_and_lints()),
        Case::shared("typescript::calls_a_service_in_rust", calls_a_service_in_rust),
        Case::shared("typescript::every_kind_of_type_travels", every_kind_of_type_travels),
        Case::shared("typescript::nobody_serves_it", nobody_serves_it),
        Case::shared("typescript::a_lost_connection_is_each_calls_own", a_lost_connection),
        Case::shared("typescript::a_server_answers_its_own_client", a_server_answers_its_own_client),
    ];
    let cases = cases.into_iter().chain(called::cases());
    cases.map(|case| case.unless_missing(package::missing())).collect()
}

/// Waits for the end of a program that counts its cases.
fn passes(mut program: Program) -> anyhow::Result<()> {
    let status = program.wait(LONG)?;
    // Both streams end with the program, and their readers a moment later.
    eventually(LONG, || Ok(program.stdout().last().is_some_and(|line| line.ends_with("failed"))))?;
    let lines = program.stdout();
    ensure!(status.success(), "{}\n{}", lines.join("\n"), program.stderr().join("\n"));
    Ok(())
}

fn compiles_and_lints() -> anyhow::Result<()> {
    for package in [Package::of_shop()?, Package::of_kinds()?] {
        package.lint()?;
    }
    Ok(())
}

fn calls_a_service_in_rust(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = start_rust_server(broker)?;
    passes(node(Package::of_shop()?, "calls.js", &broker.uri())?)
}

fn a_server_answers_its_own_client(broker: &dyn Broker) -> anyhow::Result<()> {
    let package = Package::of_shop()?;
    let _shop = called::serve(broker)?;
    passes(node(package, "calls.js", &broker.uri())?)
}

fn every_kind_of_type_travels(broker: &dyn Broker) -> anyhow::Result<()> {
    let package = Package::of_kinds()?;
    let _server = Server::start(Setup::new([kinds::SERVICE]).uri(broker.uri()))?;
    passes(node(package, "kinds.js", &broker.uri())?)
}

fn nobody_serves_it(broker: &dyn Broker) -> anyhow::Result<()> {
    passes(node(Package::of_shop()?, "unserved.js", &broker.uri())?)
}

/// An idempotent function is called again on the next connection, any other is not; and there is a next connection.
fn a_lost_connection(broker: &dyn Broker) -> anyhow::Result<()> {
    let package = Package::of_shop()?;
    // Its queue stays, so that calls wait in it.
    drop(start_rust_server(broker)?);
    eventually(LONG, || Ok(broker.queue("shop")?.is_some_and(|queue| queue.consumers == 0)))?;
    let proxy = Proxy::to(broker.port())?;
    let mut program = node(package, "lost.js", &proxy.detour(&broker.uri()))?;
    eventually(LONG, || Ok(broker.queue("shop")?.is_some_and(|queue| queue.messages == 2)))?;
    proxy.cut();
    program.wait_for_line("checksum: disconnected true false", LONG)?;
    eventually(LONG, || Ok(broker.queue("shop")?.is_some_and(|queue| queue.messages == 3)))?;
    let _shop = start_rust_server(broker)?;
    program.wait_for_line("add: 5", LONG)?;
    program.wait_for_line("again: 9", LONG)?;
    ensure!(program.wait(LONG)?.success());
    Ok(())
}

/// The contract of a service that this program has.
fn contract(service: &str) -> anyhow::Result<String> {
    Ok(Contract::of_service(service)?.to_json())
}
