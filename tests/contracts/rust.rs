//! A client in Rust: what `guirpc contract client --lang rust` writes is built, linted, and calls the service.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, ensure};
use guirpc::Client;
use harness::{Broker, Case, Program, binary, outside_of_cargo};
use tempfile::TempDir;

const LONG: Duration = Duration::from_secs(30);
const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[guirpc::function(service = "shop", contract = "00112233445566778899aabbccddeeff")]
fn add(a: i64, b: i64) -> i64;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("rust::calls_every_function", calls_every_function),
        Case::embedded("rust::any_contract_builds_without_a_warning", |_| any_contract_builds_without_a_warning()),
        Case::embedded("rust::what_is_not_ours_stays", |_| what_is_not_ours_stays()),
    ]
}

fn calls_every_function(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut service = Command::new(binary("shop")?);
    let service = Program::start(service.args(["serve", "--log-contracts"]).env("AMQP_URI", broker.uri()))?;
    service.wait_for_log("serving", LONG)?;
    // The target folder is shared with other runs of this test; no two brokers have one port.
    let written = Written::new("shop.json", "shop-client", "caller.rs", &format!("shop-{}", broker.port()))?;
    ensure!(written.run(&broker.uri())? == "every function was called\n", "the caller says something else");
    // It says of which contract it was made. So does this one, which was made of another.
    ensure!(add::call(&Client::connect(broker.uri())?, 2, 3)? == 5);
    let line = "a caller without a name calls `add` of service `shop`, and was made for the contract 00112233";
    service.wait_for_log(line, LONG)?;
    let logged = service.stderr().iter().filter(|line| line.contains("was made for the contract")).count();
    ensure!(logged == 1, "{}", service.stderr().join("\n"));
    Ok(())
}

fn any_contract_builds_without_a_warning() -> anyhow::Result<()> {
    let name = format!("awkward-{}", std::process::id());
    let written = Written::new("rust/awkward.json", "a-strange-service-client", "round_trip.rs", &name)?;
    // The program is in the style of the workspace.
    for source in ["src/lib.rs", "src/types.rs"] {
        let mut rustfmt = Command::new("rustfmt");
        let output = rustfmt.args(["--check", "--edition", "2024"]).arg(written.package.join(source)).output()?;
        ensure!(output.status.success(), "{source} is not as rustfmt has it\n{}", String::from_utf8(output.stdout)?);
    }
    written.cargo(&["clippy", "--lib", "--", "-W", "clippy::pedantic"])?;
    ensure!(written.run("")? == "every type was written as it was read\n", "the program says something else");
    Ok(())
}

fn what_is_not_ours_stays() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let source = folder.path().join("src/lib.rs");
    let write = || client("shop.json", folder.path());
    ensure!(write()?.status.success(), "it is written");
    fs::write(folder.path().join("Cargo.toml"), "# mine")?;
    let written = fs::read_to_string(&source)?;
    fs::write(&source, format!("{written}// changed"))?;
    ensure!(write()?.status.success(), "it is written anew");
    ensure!(fs::read_to_string(&source)? == written, "the source is that of the contract");
    ensure!(fs::read_to_string(folder.path().join("Cargo.toml"))? == "# mine", "the manifest is the user's");
    fs::write(&source, "// mine")?;
    let refused = write()?;
    let message = String::from_utf8(refused.stderr)?;
    ensure!(refused.status.code() == Some(2) && message.contains("was not written by this command"), "{message}");
    ensure!(fs::read_to_string(&source)? == "// mine", "it is left as it is");
    Ok(())
}

/// Runs the command on a contract beside this file.
fn client(contract: &str, folder: &Path) -> anyhow::Result<Output> {
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts").join(contract);
    let mut command = Command::new(binary("guirpc")?);
    let command = command.args(["contract", "client", "--lang", "rust", "--out"]).arg(folder).arg(contract);
    Ok(command.output()?)
}

/// A crate as the command wrote it, with a program in it; what was built of it is removed with this value.
struct Written {
    package: PathBuf,
    name: String,
    _folder: TempDir,
}

impl Written {
    /// The package and the program in it get a name of their own.
    fn new(contract: &str, written: &str, program: &str, name: &str) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let package = folder.path().join(name);
        let output = client(contract, &package)?;
        ensure!(output.status.success(), "{}", String::from_utf8(output.stderr)?);
        ensure!(String::from_utf8(output.stdout)?.contains(&format!("wrote the crate `{written}`")), "{written}");
        let manifest = fs::read_to_string(package.join("Cargo.toml"))?;
        fs::write(package.join("Cargo.toml"), manifest.replace(written, name))?;
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts/rust").join(program);
        let program = fs::read_to_string(program)?.replace(&written.replace('-', "_"), &name.replace('-', "_"));
        fs::write(package.join("src/main.rs"), program)?;
        // The versions that are there already, since a test downloads nothing.
        fs::copy(Path::new(CHECKOUT).join("Cargo.lock"), package.join("Cargo.lock"))?;
        Ok(Self { package, name: name.to_owned(), _folder: folder })
    }

    /// Runs cargo in the package, which must end well and warn of nothing.
    fn cargo(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let command = outside_of_cargo(&mut command).arg(arguments[0]).arg("--offline").args(&arguments[1..]);
        let output = command
            .current_dir(&self.package)
            .env("CARGO_TARGET_DIR", target()?)
            // amiquip pulls nom 4, of which cargo would tell at every build.
            .env("CARGO_FUTURE_INCOMPAT_REPORT_FREQUENCY", "never")
            .output()?;
        let log = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cargo {arguments:?} failed\n{log}");
        ensure!(!log.contains("warning"), "cargo {arguments:?} warns\n{log}");
        Ok(())
    }

    /// Builds the program and runs it; gives what it prints.
    fn run(&self, argument: &str) -> anyhow::Result<String> {
        self.cargo(&["build"])?;
        let output = Command::new(target()?.join("debug").join(&self.name)).arg(argument).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8(output.stderr)?);
        Ok(String::from_utf8(output.stdout)?)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // Else every run would leave its own behind.
        let _ = self.cargo(&["clean", "--package", &self.name]);
    }
}

/// The target folder of the workspace, whose dependencies need not be built a second time.
fn target() -> anyhow::Result<PathBuf> {
    binary("guirpc")?.ancestors().nth(2).map(Path::to_owned).context("a binary is in target/debug")
}
