//! `guirpc new`: the service that it writes is built, tested, served and called.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use harness::{Program, RabbitMq, binary};
use tempfile::TempDir;

use crate::run::{check, guirpc, run};
use crate::{LONG, ask};

const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

pub(crate) fn builds_passes_its_test_and_serves(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let written = run(guirpc()?.current_dir(&folder).args(["new", "fresh-service", "--guirpc-path", CHECKOUT]))?;
    check(&written, 0, "cd fresh-service\n")?;
    let package = folder.path().join("fresh-service");
    // The versions that are there already, since a test downloads nothing.
    fs::copy(Path::new(CHECKOUT).join("Cargo.lock"), package.join("Cargo.lock"))?;
    let tested = cargo(&package, "test")?;
    ensure!(tested.contains("1 passed"), "{tested}");
    cargo(&package, "build")?;

    let mut service = Command::new(target()?.join("debug/fresh-service"));
    let service = Program::start(service.env("AMQP_URI", rabbitmq.uri()))?;
    service.wait_for_log("serving", LONG)?;
    check(&ask(rabbitmq, &["call", "fresh-service", "add", r#"{"a": 1, "b": 2}"#])?, 0, "3\n")?;
    check(&ask(rabbitmq, &["call", "fresh-service", "greet", r#"["Ada"]"#])?, 0, "\"Hello Ada!\"\n")
}

/// Runs cargo in the package, which must end well and warn of nothing; gives its standard output.
fn cargo(package: &Path, command: &str) -> anyhow::Result<String> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([command, "--offline"])
        .current_dir(package)
        .env("CARGO_TARGET_DIR", target()?)
        .output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo {command} failed\n{log}");
    ensure!(!log.contains("warning"), "cargo {command} warns\n{log}");
    Ok(String::from_utf8(output.stdout)?)
}

/// The target folder of the workspace, whose dependencies need not be built a second time.
fn target() -> anyhow::Result<PathBuf> {
    let target = binary("guirpc")?.ancestors().nth(2).context("a binary is in target/debug")?.to_owned();
    Ok(target)
}
