//! `guirpc new`: the service that it writes is built, tested, served and called.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, ensure};
use harness::{Broker, Program, binary, outside_of_cargo};
use tempfile::TempDir;

use crate::run::{check, guirpc, run};
use crate::{LONG, ask};

pub(crate) const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

pub(crate) fn builds_passes_its_test_and_serves(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    // The target folder is shared with other runs of this test; no two brokers have one port.
    let name = &format!("fresh-{}", broker.port());
    let written = run(guirpc()?.current_dir(&folder).args(["new", name, "--guirpc-path", CHECKOUT]))?;
    check(&written, 0, &format!("cd {name}\n"))?;
    let package = folder.path().join(name);
    // The versions that are there already, since a test downloads nothing.
    fs::copy(Path::new(CHECKOUT).join("Cargo.lock"), package.join("Cargo.lock"))?;
    for uri in ["", &broker.uri()] {
        let tested = cargo(&package, &["test"], uri)?;
        ensure!(tested.contains("2 passed"), "{tested}");
    }
    cargo(&package, &["build"], "")?;

    let mut developed = Command::new(target()?.join("debug").join(name));
    let developed = Program::start(developed.arg("dev"))?;
    let call = shlex::split(&developed.wait_for_line("guirpc call", LONG)?).context("a shell understands it")?;
    check(&run(guirpc()?.args(&call[1..]))?, 0, "3\n")?;
    drop(developed);

    let mut service = Command::new(target()?.join("debug").join(name));
    let service = Program::start(service.env("AMQP_URI", broker.uri()))?;
    service.wait_for_log("serving", LONG)?;
    check(&ask(broker, &["call", name, "add", r#"{"a": 1, "b": 2}"#])?, 0, "3\n")?;
    check(&ask(broker, &["call", name, "greet", r#"["Ada"]"#])?, 0, "\"Hello Ada!\"\n")?;
    drop(service);
    // Else every run would leave its own behind.
    cargo(&package, &["clean", "--package", name], "").map(drop)
}

/// Runs cargo in the package, which must end well and warn of nothing; gives its standard output.
///
/// Tests run on the broker at the URI, or on their own if it is empty.
pub(crate) fn cargo(package: &Path, arguments: &[&str], uri: &str) -> anyhow::Result<String> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let output = outside_of_cargo(&mut command)
        .args(arguments)
        .arg("--offline")
        .current_dir(package)
        .env("CARGO_TARGET_DIR", target()?)
        .env("GUIRPC_TEST_AMQP_URI", uri)
        .output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo {arguments:?} failed\n{log}");
    ensure!(!log.contains("warning"), "cargo {arguments:?} warns\n{log}");
    Ok(String::from_utf8(output.stdout)?)
}

/// The target folder of the workspace, whose dependencies need not be built a second time.
pub(crate) fn target() -> anyhow::Result<PathBuf> {
    binary("guirpc")?.ancestors().nth(2).map(Path::to_owned).context("a binary is in target/debug")
}
