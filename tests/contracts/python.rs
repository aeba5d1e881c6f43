//! The package that `guirpc contract client --lang python` writes: its clients call the service in Rust, and its server
//! is called by stubs in Rust.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, ensure};
use harness::{Broker, Case, Program, binary};
use serde_json::Value;
use tempfile::TempDir;

use crate::conformance;

mod client;
mod generator;
mod server;

/// For what takes moments, on a machine that is busy with other things.
const LONG: Duration = Duration::from_mins(1);
/// Where `scripts/test` has the packages.
const VARIABLE: &str = "GUIRPC_TEST_CONTRACTS_PYTHON";
const SHOP: &str = include_str!("shop.json");
/// What types are made of.
const MODELS: [&str; 2] = ["dataclasses", "pydantic"];

pub(crate) fn cases() -> Vec<Case> {
    let conforms = Case::shared("python::the_server_conforms", |broker| {
        let package = Package::of_shop(MODELS[0])?;
        conformance::conforms(broker, package.run("shop_server.py").current_dir(env::temp_dir()))
    });
    let with_python = client::cases().into_iter().chain(server::cases()).chain(generator::with_python());
    let with_python = with_python.chain([conforms]).map(|case| case.unless_missing(missing()));
    with_python.chain(generator::cases()).collect()
}

/// Why there is no Python with what the packages need, if there is none.
pub(crate) fn missing() -> Option<&'static str> {
    static MISSING: OnceLock<bool> = OnceLock::new();
    let missing = MISSING.get_or_init(|| {
        let import = "import aio_pika, msgpack, mypy, pika, pydantic, ruff";
        let tried = python().map(|python| Command::new(python).args(["-c", import]).output());
        !matches!(tried, Ok(Ok(output)) if output.status.success())
    });
    missing.then_some("needs packages for Python: run scripts/test")
}

pub(crate) fn python() -> anyhow::Result<PathBuf> {
    if let Some(python) = env::var_os(VARIABLE) {
        return Ok(python.into());
    }
    let test = env::current_exe()?;
    // target/debug/deps/NAME-HASH
    Ok(test.ancestors().nth(3).context("a test is in target")?.join("contracts-python/bin/python"))
}

/// A folder with a package in it.
struct Package(TempDir);

impl Package {
    fn of_shop(models: &str) -> anyhow::Result<Self> {
        Package::of(&shop()?, models)
    }

    /// Has the command write the package of this contract.
    fn of(contract: &Value, models: &str) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let document = folder.path().join("contract.json");
        fs::write(&document, contract.to_string())?;
        let output = generate(&document, models, folder.path()).output()?;
        let ended = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success() && output.stdout.is_empty() && ended.is_empty(), "it says: {ended}");
        Ok(Package(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// A module of Python's, run in the folder.
    fn module(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(python()?);
        command.arg("-m").args(arguments).current_dir(self.path());
        Ok(command)
    }

    /// One of our programs, which imports the package.
    fn run(&self, program: &str) -> Command {
        let mut command = Command::new(python().unwrap_or_default());
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts/python").join(program);
        command.arg("-B").arg(program).env("PYTHONPATH", self.path());
        command
    }
}

/// The command that writes a package into a folder.
fn generate(document: &Path, models: &str, out: &Path) -> Command {
    let mut command = Command::new(binary("guirpc").unwrap_or_default());
    command.args(["contract", "client", "--lang", "python", "--models", models, "--out"]).arg(out).arg(document);
    command
}

/// The contract of the service `shop`, with all of its functions.
fn shop() -> anyhow::Result<Value> {
    Ok(serde_json::from_str(SHOP)?)
}

/// Starts one of our programs with a case, on this broker.
fn start(package: &Package, broker: &dyn Broker, program: &str, case: &str) -> anyhow::Result<Program> {
    Program::start(package.run(program).arg(case).env("AMQP_URI", broker.uri()))
}

/// Waits until it has passed.
fn passed(program: &mut Program) -> anyhow::Result<()> {
    let status = program.wait(LONG)?;
    ensure!(status.success(), "{}\n{}", program.stdout().join("\n"), program.stderr().join("\n"));
    program.wait_for_line("passed", LONG).map(drop)
}
