//! The page `contracts` of the documentation: each of its commands does what it says.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, ensure};
use harness::{Broker, Case, Program, binary};

/// For what takes moments, on a machine that is busy with other things.
const LONG: Duration = Duration::from_mins(1);

const PAGE: &str = include_str!("../../guirpc/src/contracts.md");

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::shared("guide::commands_do_what_it_says", commands_do_what_it_says)]
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

fn commands_do_what_it_says(broker: &dyn Broker) -> anyhow::Result<()> {
    let shop = Program::start(Command::new(binary("shop")?).env("AMQP_URI", broker.uri()))?;
    shop.wait_for_log("serving", LONG)?;
    let folder = tempfile::tempdir()?;
    let (_, waivers) = PAGE.split_once("```toml\n# waivers.toml\n").context("the page has waivers")?;
    fs::write(folder.path().join("waivers.toml"), waivers.split("```").next().unwrap_or_default())?;
    let all = shown();
    ensure!(all.len() >= 10, "the page has only {} commands", all.len());
    for Shown { command, lines } in all {
        let output = run(command, folder.path(), broker)?;
        let printed = String::from_utf8_lossy(&output.stdout);
        // The narrower contract is the one that is to fail.
        let expected = if command.contains("check narrower.json") { 12 } else { 0 };
        ensure!(output.status.code() == Some(expected), "{command}: {output:?}");
        ensure!(lines.is_empty() || printed.lines().eq(lines.iter().copied()), "{command} prints\n{printed}");
        ensure!(expected == 0 || printed.contains("integer-narrowed"), "{command} prints\n{printed}");
    }
    for package in ["shop-rust/Cargo.toml", "shop-python/shop/client.py", "shop-typescript/package.json"] {
        ensure!(folder.path().join(package).exists(), "no {package}");
    }
    let contract = fs::read_to_string(folder.path().join("contract.json"))?;
    ensure!(contract == include_str!("shop.json"), "it is not that of the service");
    Ok(())
}

/// Runs a line of a shell, in which our programs are those of this build.
fn run(command: &str, folder: &Path, broker: &dyn Broker) -> anyhow::Result<Output> {
    let programs = binary("guirpc")?.parent().context("it is in a folder")?.to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path)))?;
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder).env("PATH", path).env("AMQP_URI", broker.uri());
    Ok(shell.output()?)
}
