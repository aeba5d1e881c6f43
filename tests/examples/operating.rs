//! The commands of the page "Operating services", run word for word, and what they print.

use std::process::Command;

use anyhow::{Context, ensure};
use harness::{Broker, Case, Port, Program, binary, eventually, http_get};

use crate::{LONG, run, serve};

const PAGE: &str = include_str!("../../guirpc/src/operating.md");

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::shared("operating::commands_print_what_it_says", commands_print_what_it_says)]
}

/// A command of the page, and what it prints.
struct Shown {
    command: &'static str,
    lines: Vec<&'static str>,
}

fn shown() -> Vec<Shown> {
    let blocks = PAGE.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut all = Vec::new();
    for line in blocks.flat_map(str::lines) {
        match line.strip_prefix("$ ") {
            Some(command) => all.push(Shown { command, lines: Vec::new() }),
            None => all.last_mut().expect("a block begins with a command").lines.push(line),
        }
    }
    all
}

fn commands_print_what_it_says(broker: &dyn Broker) -> anyhow::Result<()> {
    let port = Port::claim()?;
    let metrics = ["--metrics", &port.number().to_string()];
    let accounts = Program::start(Command::new(binary("accounts")?).args(metrics).env("AMQP_URI", broker.uri()))?;
    accounts.wait_for_log("serving", LONG)?;
    let _hello = serve("hello", broker)?;
    run("accounts-client", &[], broker)?;
    let all = shown();
    ensure!(all.len() >= 8, "the page has only {} commands", all.len());
    for Shown { command, lines } in all {
        let words = shlex::split(command).with_context(|| format!("no shell understands {command}"))?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut printed = None;
        // Servers answer soon after they serve, and a busy one not within 300 ms.
        let is_right = eventually(LONG, || {
            printed = match words.as_slice() {
                ["guirpc", arguments @ ..] => guirpc(broker, arguments)?,
                ["curl", url] => {
                    let path = url.strip_prefix("localhost:9090").context("another address")?;
                    Some(http_get(port.number(), path)?.1)
                }
                _ => anyhow::bail!("how to run {command}?"),
            };
            Ok(printed.as_deref().is_some_and(|printed| are_alike(&lines, &without_note(printed))))
        });
        is_right.with_context(|| format!("{command} prints\n{printed:?}\nand not\n{}", lines.join("\n")))?;
    }
    Ok(())
}

/// Without the note of a busy machine that it was the limit, and the empty line before it.
fn without_note(printed: &str) -> String {
    let paragraphs = printed.split("\n\n").filter(|paragraph| !paragraph.contains("this machine was the limit"));
    paragraphs.map(|paragraph| paragraph.trim_end_matches('\n')).collect::<Vec<_>>().join("\n\n") + "\n"
}

/// What it prints, if it ends well.
fn guirpc(broker: &dyn Broker, arguments: &[&str]) -> anyhow::Result<Option<String>> {
    let output = Command::new(binary("guirpc")?).args(arguments).env("AMQP_URI", broker.uri()).output()?;
    Ok(output.status.success().then_some(String::from_utf8(output.stdout)?))
}

/// Each line, until there is one of three dots.
fn are_alike(expected: &[&str], printed: &str) -> bool {
    let is_whole = expected.last() != Some(&"…");
    let expected = if is_whole { expected } else { &expected[..expected.len() - 1] };
    (!is_whole || expected.len() == printed.lines().count())
        && expected.iter().zip(printed.lines()).all(|(expected, line)| is_alike(expected, line))
}

/// The same words, but for those with a figure in them, which are as many.
fn is_alike(expected: &str, line: &str) -> bool {
    let is_figure = |word: &str| word.contains(|character: char| character.is_ascii_digit()) || word.starts_with('▁');
    let (expected, line): (Vec<_>, Vec<_>) = (expected.split_whitespace().collect(), line.split_whitespace().collect());
    expected.len() == line.len()
        && expected.iter().zip(&line).all(|(expected, word)| is_figure(expected) || expected == word)
}
