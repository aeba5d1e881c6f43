//! The page `contracts` of the documentation: each of its commands does what it says.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use guirpc::control::{Control, Target};
use harness::{Broker, Case, Program, binary, eventually};

use super::python;
use super::typescript::package;

/// For what takes moments, on a machine that is busy with other things.
const LONG: Duration = Duration::from_mins(1);

const PAGE: &str = include_str!("../../guirpc/src/contracts.md");

pub(crate) fn cases() -> Vec<Case> {
    let missing = python::missing().or_else(package::missing);
    vec![Case::shared("guide::commands_do_what_it_says", commands_do_what_it_says).unless_missing(missing)]
}

/// A command of the page, and what it prints.
struct Shown<'a> {
    command: &'a str,
    lines: Vec<&'a str>,
}

/// The commands of the page, in order.
fn shown() -> Vec<Shown<'static>> {
    let mut all: Vec<Shown<'_>> = Vec::new();
    let blocks = PAGE.split("```console\n").skip(1).filter_map(|block| Some(block.split_once("\n```")?.0));
    for line in blocks.flat_map(str::lines) {
        match (line.strip_prefix("$ "), all.last_mut()) {
            (Some(command), _) => all.push(Shown { command, lines: Vec::new() }),
            (None, Some(shown)) => shown.lines.push(line),
            (None, None) => {}
        }
    }
    all
}

/// The files of the page: blocks whose first line is a comment with nothing but a name.
fn files() -> Vec<(&'static str, &'static str)> {
    let blocks = PAGE.split("\n```").filter_map(|block| block.split_once('\n'));
    let named = blocks.filter_map(|(_, block)| {
        let (first, text) = block.split_once('\n')?;
        let name = first.strip_prefix("# ").or_else(|| first.strip_prefix("// "))?;
        let is_name = name.contains('.') && !name.contains(' ');
        is_name.then_some((name, text))
    });
    named.collect()
}

fn commands_do_what_it_says(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut server = Program::start(Command::new(binary("shop")?).env("AMQP_URI", broker.uri()))?;
    server.wait_for_log("serving", LONG)?;
    // It answers questions soon after it serves.
    let control = Control::connect(&broker.uri())?.expect(1);
    eventually(LONG, || Ok(!control.ping(&Target::service("shop"))?.is_empty()))?;
    let folder = tempfile::tempdir()?;
    let named = files();
    ensure!(named.len() == 5, "the page has the files {:?}", named.iter().map(|(name, _)| name).collect::<Vec<_>>());
    for (name, text) in named {
        fs::write(folder.path().join(name), text)?;
    }
    let all = shown();
    ensure!(all.len() >= 18, "the page has only {} commands", all.len());
    for Shown { command, lines } in all {
        if command.starts_with("npm install ") {
            // What it installs, `scripts/test` has.
            package::install(&folder.path().join("shop-typescript"), folder.path())?;
            continue;
        }
        if let Some(command) = command.strip_suffix(" &") {
            // Nobody else is to answer.
            drop(server);
            server = next_server(command, folder.path(), broker)?;
            continue;
        }
        let output = shell(command, folder.path(), broker)?.output()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        // The narrower contract is the one that is to fail.
        let expected = if command.contains("check narrower.json") { 12 } else { 0 };
        ensure!(output.status.code() == Some(expected), "{command}: {output:?}");
        ensure!(lines.is_empty() || printed.lines().eq(lines.iter().copied()), "{command} prints\n{printed}");
        ensure!(expected == 0 || printed.contains("integer-narrowed"), "{command} prints\n{printed}");
    }
    ensure!(folder.path().join("shop-rust/Cargo.toml").exists(), "there is no client in Rust");
    let contract = fs::read_to_string(folder.path().join("contract.json"))?;
    ensure!(contract == include_str!("shop.json"), "it is not that of the service");
    Ok(())
}

/// Starts another server of the service, once there is none, and waits until it serves.
fn next_server(command: &str, folder: &Path, broker: &dyn Broker) -> anyhow::Result<Program> {
    let consumers = || Ok::<_, anyhow::Error>(broker.queue("shop")?.map_or(0, |queue| queue.consumers));
    eventually(LONG, || Ok(consumers()? == 0))?;
    // In the place of the shell, so that it ends with it.
    let server = Program::start(&mut shell(&format!("exec env {command}"), folder, broker)?)?;
    eventually(LONG, || Ok(consumers()? > 0)).with_context(|| server.stderr().join("\n"))?;
    Ok(server)
}

/// A line of a shell, in which our programs are those of this build, and Python's the one with the packages.
fn shell(command: &str, folder: &Path, broker: &dyn Broker) -> anyhow::Result<Command> {
    let folder_of = |program: &Path| Ok::<_, anyhow::Error>(program.parent().context("it is in a folder")?.to_owned());
    let own = [folder_of(&binary("guirpc")?)?, folder_of(&python::python()?)?];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path)))?;
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder).env("PATH", path).env("AMQP_URI", broker.uri());
    Ok(shell)
}
