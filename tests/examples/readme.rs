//! The commands of the README, run word for word but for three things: what cargo would build is built already,
//! the new service is written into a temporary folder, and `dev` may choose another port than a quiet machine's.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use harness::{Broker, Case, Program, binary};
use tempfile::TempDir;

use crate::{LONG, serve};

const README: &str = include_str!("../../README.md");
/// Where `dev` has its broker if nobody else has that port.
const DEV: &str = "amqp://localhost:5673";
/// They run all of this, take minutes, or build and install what is built already.
const NOT_RUN: [&str; 4] = [
    "scripts/test",
    "cargo bench -p guirpc-benches --bench rpc",
    "cargo bench -p guirpc-benches --bench dispatch",
    "cargo install --path guirpc-cli",
];

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::shared("readme::commands_do_what_it_says", commands_do_what_it_says)]
}

fn commands_do_what_it_says(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let (mut serving, mut developing) = (Vec::new(), Vec::new());
    let mut checked = 0;
    for line in shell_lines().filter(|line| !NOT_RUN.contains(line)) {
        let (command, expected) = line.split_once(" # ").map_or((line, None), |(command, said)| (command, Some(said)));
        let words = shlex::split(command).with_context(|| format!("no shell understands {command}"))?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        // The command by itself, as it is called when it is installed.
        let words = match words.as_slice() {
            ["guirpc", arguments @ ..] => [&["cargo", "run", "-p", "guirpc-cli", "--"][..], arguments].concat(),
            words => words.to_vec(),
        };
        let ["cargo", "run", "-p", package, arguments @ ..] = words.as_slice() else { bail!("how to run {line}?") };
        match arguments {
            [] => serving.push(serve(package, broker)?),
            ["--", "dev", ..] => developing.push(dev(package, &arguments[1..], expected)?),
            _ => {}
        }
        let Some(arguments) = arguments.get(1..).filter(|arguments| arguments[0] != "dev") else { continue };
        let place = developing.first().map_or(DEV, |(_, uri)| uri.as_str());
        let arguments = arguments.iter().map(|&argument| if argument == DEV { place } else { argument });
        let said = run(package, &arguments.collect::<Vec<_>>(), folder.path(), broker)?;
        if let Some(expected) = expected {
            ensure!(said.contains(expected.trim()), "{command} says {said}, not {expected}");
            checked += 1;
        }
    }
    let counts = (developing.len(), serving.len(), checked);
    ensure!(counts == (1, 1, 4), "the README has changed: {counts:?} developed, served, checked");
    ensure!(folder.path().join("my-service/src/main.rs").is_file(), "no new service was written");
    Ok(())
}

/// The service with a broker of its own, and where that is, when it has shown an answer.
fn dev(package: &str, arguments: &[&str], expected: Option<&str>) -> anyhow::Result<(Program, String)> {
    let program = Program::start(Command::new(binary(package)?).args(arguments))?;
    let uri = program.wait_for_line("  amqp://", LONG)?.trim().to_owned();
    program.wait_for_line("guirpc call --uri", LONG)?;
    program.wait_for_line(&format!("  {}", expected.context("the README says what it shows")?.trim()), LONG)?;
    Ok((program, uri))
}

/// The lines of the blocks that a reader is to type.
fn shell_lines() -> impl Iterator<Item = &'static str> {
    let blocks = README.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix("sh\n")).flat_map(str::lines)
}

fn run(package: &str, arguments: &[&str], folder: &Path, broker: &dyn Broker) -> anyhow::Result<String> {
    let program = if package == "guirpc-cli" { "guirpc" } else { package };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the tests are in the checkout")?;
    let new = folder.join("my-service");
    let arguments =
        arguments.iter().map(|&argument| if argument == "../my-service" { new.as_os_str() } else { argument.as_ref() });
    let output =
        Command::new(binary(program)?).args(arguments).current_dir(root).env("AMQP_URI", broker.uri()).output()?;
    let (said, log) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    ensure!(output.status.success(), "{program} ended with {}\n{log}", output.status);
    Ok(said)
}
