//! The commands of the README, run word for word but for two things: what cargo would build is built already,
//! and the new service is written into a temporary folder.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use harness::{Case, RabbitMq, binary};
use tempfile::TempDir;

use crate::serve;

const README: &str = include_str!("../../README.md");
/// They run all of this, or take minutes.
const NOT_RUN: [&str; 3] =
    ["scripts/test", "cargo bench -p guirpc-tests --bench rpc", "cargo bench -p guirpc-tests --bench dispatch"];

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::shared("readme::commands_do_what_it_says", commands_do_what_it_says)]
}

fn commands_do_what_it_says(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let mut serving = Vec::new();
    let mut checked = 0;
    for line in shell_lines().filter(|line| !NOT_RUN.contains(line)) {
        let (command, expected) = line.split_once(" # ").map_or((line, None), |(command, said)| (command, Some(said)));
        let words = shlex::split(command).with_context(|| format!("no shell understands {command}"))?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ["cargo", "run", "-p", package, arguments @ ..] = words.as_slice() else { bail!("how to run {line}?") };
        if arguments.is_empty() {
            serving.push(serve(package, rabbitmq)?);
            continue;
        }
        let said = run(package, &arguments[1..], folder.path(), rabbitmq)?;
        if let Some(expected) = expected {
            ensure!(said.contains(expected.trim()), "{command} says {said}, not {expected}");
            checked += 1;
        }
    }
    ensure!(serving.len() == 1 && checked == 4, "the README has changed: {} served, {checked} checked", serving.len());
    ensure!(folder.path().join("my-service/src/main.rs").is_file(), "no new service was written");
    Ok(())
}

/// The lines of the blocks that a reader is to type.
fn shell_lines() -> impl Iterator<Item = &'static str> {
    let blocks = README.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix("sh\n")).flat_map(str::lines)
}

fn run(package: &str, arguments: &[&str], folder: &Path, rabbitmq: &RabbitMq) -> anyhow::Result<String> {
    let program = if package == "guirpc-cli" { "guirpc" } else { package };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the tests are in the checkout")?;
    let new = folder.join("my-service");
    let arguments =
        arguments.iter().map(|&argument| if argument == "../my-service" { new.as_os_str() } else { argument.as_ref() });
    let output =
        Command::new(binary(program)?).args(arguments).current_dir(root).env("AMQP_URI", rabbitmq.uri()).output()?;
    let (said, log) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    ensure!(output.status.success(), "{program} ended with {}\n{log}", output.status);
    Ok(said)
}
